"""The ingest routes, and the transaction that stores and counts a batch.

Entry functions: `service.ingest_batch` and `validate_batch` (a whole request),
`service.store_batch` (in the caller's transaction: imports, replay), and
`attribution.attribute_events` (the worker: events whose account has become known).

Writes event, unattributed_event, event_name, due_attribution, quarantined_event and ingest_tally;
the one statement `ingest` in `queries.sql` also counts usage and makes accounts due
(docs/adr/0009). It may import `events.reading` and the packages below `events`.
Tests: tests/events/ingestion.
"""
