"""Events that could not be used: list them, count them, replay them, discard them.

Entry functions: the routes in `endpoints`, and `replay.replay_events`. Events enter the quarantine
in `ingestion.queries.quarantine_events`, in the transaction of their batch.

Table: quarantined_event. It may import `events.ingestion` and `events.reading`.
Tests: tests/events/quarantine.
"""
