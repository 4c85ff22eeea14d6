"""Product events: parsing, ingestion, quarantine, and the sources that send them.

- `reading`: from bytes to canonical events. Pure: no database, no web, no clock.
- `ingestion`: the ingest routes, and the transaction that stores and counts a batch.
- `quarantine`: events that could not be used: list, replay, discard.
- `sources`: statistics of what was received, silent sources, data for the trace of one event.

`ingestion` imports `reading`, `quarantine` imports both; `sources` imports none of the three.
Tables (`tables.py`): event, unattributed_event, event_name, quarantined_event, ingest_tally,
ingest_hour, source, stale_account, due_attribution. The ingest statement also writes daily_usage,
daily_reach, first_use, account, user and due.
May import `usage`, `engagement`, `billing`, `accounts`, `webhooks`, `workspaces`, `core`.
Tests: tests/events, with the same sub-packages. Documentation: docs/ingestion.md.
"""
