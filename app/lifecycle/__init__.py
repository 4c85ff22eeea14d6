"""Changes of ids: erase a user or an account, rename an account, merge two; trace an event.

A request (``service``) changes small tables and keeps new data away from the old id; a worker
changes large tables page by page (``processing.process_next_page``), with the steps of ``erasure``
and ``account_moves``; ``account_tables`` lists what they do with each table. ``event_trace*`` serve
``GET /ingest/trace``: an event from its receipt to the score. Table: id_change. As it changes the
rows of every package, it may import all of them but the ones above it (pipeline, imports, main,
worker). Tests: ``tests/lifecycle``; ``test_every_table`` fails for a new table that no step
handles. Record: docs/adr/0020.
"""
