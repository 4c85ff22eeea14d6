"""From the bytes of a request to canonical events. Pure: no database, no web, no clock.

Steps: `decoding` (bytes to JSON) → `batch.parse_batch` → for each event `sanitize`, a dialect
(`segment` or `native`) and `canonical.canonicalize` (identity, time, limits). The result is a
`CanonicalEvent`, or a `RejectedEvent` with a code of `quarantine_codes`. Then
`identities.merge_identities` merges the identity calls of a batch, and the B2B events of `b2b`,
into one row for each account and user.

It has no tables. It may import only `accounts.traits`, `workspaces.semantic_events` and
`core.errors`, and no other sub-package of `events`. Tests: tests/events/reading.
"""
