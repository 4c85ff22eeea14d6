"""Imports: files of events, accounts, users and subscriptions, as durable jobs (docs/adr/0015).

``endpoints`` receive an uploaded file, ``local_import`` reads one on the command line; both start a
job with ``service.start_import``. ``import_job.Importer`` does it page by page: ``records`` reads
CSV or NDJSON, ``mapping`` turns columns into fields, ``kinds`` validates rows, ``loaders`` store
them, ``event_loader`` stores events as history, ``stated_periods`` finds lines that contradict each
other. ``plan.ImportPlan`` says how a file is read.

Tables: ``import_file``, ``import_chunk``, ``import_period``, ``import_error``; an import itself is
a row of ``job``.
May import ``health``, ``churn``, ``events``, ``engagement``, ``accounts`` and everything below.
Tests: ``tests/imports``, with real processes in ``tests/servers/test_imports.py``.
"""
