"""Durable jobs: long work that is done in pages and outlives the process that does it.

``service`` enqueues, claims, checkpoints and ends jobs (docs/adr/0015); ``JobRunner`` does pages,
one job at a time. The packages above register a handler for each kind of job in ``app/worker.py``.

Table: ``job``. May import ``workspaces`` and ``core`` only.
Tests: ``tests/jobs``.
"""
