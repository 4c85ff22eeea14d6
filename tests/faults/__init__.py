"""The fault suite: what the service promises, and whether it holds while something breaks.

``python -m tests.faults`` (``make faults``) runs it; ``test_short.py`` runs a few scenarios at
their smallest size. Each scenario opens a ``Stand`` (``stand.py``): a database behind a TCP proxy,
API and worker processes, clients that send events with known ids, and a webhook receiver. It breaks
something, and then ``ledger.py`` compares what was acknowledged with what is stored, counted and
delivered. ``scenarios.py`` is the table of all of them; ``docs/reliability.md`` has the promises.
"""
