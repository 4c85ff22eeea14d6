"""What was received: statistics by key and SDK, silent sources, and the trace of one event.

Entry functions: the routes in `endpoints`; for the worker `monitoring.aggregate_stats` (add the
counts of batches to their hours) and `monitoring.watch_sources` (detect silent sources); for the
health score `queries.load_stale_accounts`.

Tables: ingest_tally (written by ingestion), ingest_hour, source, stale_account.
It imports no other sub-package of `events`. Tests: tests/events/sources.
"""
