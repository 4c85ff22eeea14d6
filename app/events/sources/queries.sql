-- name: lock_quiet
SELECT s.workspace_id, s.key_id, s.last_event_at, s.silent_since
FROM source s JOIN api_key k ON k.workspace_id = s.workspace_id AND k.id = s.key_id
WHERE s.silent_since IS NULL AND s.last_event_at < :before
  AND (s.check_at IS NULL OR s.check_at <= :now) AND {{key_in_use}}
ORDER BY 1, 2 LIMIT :limit
FOR UPDATE OF s SKIP LOCKED

-- name: lock_returned
SELECT s.workspace_id, s.key_id, s.last_event_at, s.silent_since
FROM source s
WHERE s.silent_since IS NOT NULL AND (s.last_event_at > s.silent_since OR NOT EXISTS (
    SELECT FROM api_key k
    WHERE k.workspace_id = s.workspace_id AND k.id = s.key_id AND {{key_in_use}}))
ORDER BY 1, 2 LIMIT :limit
FOR UPDATE SKIP LOCKED

-- name: key_in_use
-- A key that was revoked, has expired or was rotated is no longer a source.
k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
  AND NOT EXISTS (
      SELECT FROM audit_entry r WHERE r.workspace_id = k.workspace_id
        AND r.subject = k.id AND r.action = 'api_key.rotated')

-- name: insert_stale_accounts
-- The accounts that had recent events from this source, and none from any source since its last.
INSERT INTO stale_account (workspace_id, account_id, key_id)
SELECT :workspace_id, account_id, :key_id FROM event
WHERE workspace_id = :workspace_id AND client_at >= :lately AND account_id IS NOT NULL
GROUP BY account_id
HAVING bool_or(key_id = :key_id AND received_at <= :silent_since)
   AND max(received_at) <= :silent_since
ON CONFLICT DO NOTHING
RETURNING account_id

-- name: delete_recovered_accounts
-- Stale accounts for which another source has sent events since. `known_on` of usage is the day on
-- which it was counted.
DELETE FROM stale_account a USING source s
WHERE s.workspace_id = a.workspace_id AND s.key_id = a.key_id AND EXISTS (
    SELECT FROM daily_usage u
    WHERE u.workspace_id = a.workspace_id AND u.account_id = a.account_id
      AND u.day >= CAST(s.silent_since AS date) - :days
      AND u.known_on > CAST(s.silent_since AS date))
RETURNING a.workspace_id, a.account_id

-- name: aggregate_tallies
-- Moves tallies into their hours. Each row is locked by one worker, by its ctid: a tally is never
-- updated, so its ctid does not change.
WITH tallies AS (
    DELETE FROM ingest_tally WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ingest_tally LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING *
),
summed AS MATERIALIZED (
    SELECT workspace_id, key_id, date_trunc('hour', at) AS hour, sdk, code,
           max(at) FILTER (WHERE received > 0) AS last_at,
           max(at) FILTER (WHERE accepted > 0) AS last_event_at, count(*) AS rows, {{sums}}
    FROM tallies GROUP BY 1, 2, 3, 4, 5
),
seen AS (
    INSERT INTO source AS s (workspace_id, key_id, last_event_at)
    SELECT t.workspace_id, t.key_id, max(t.last_event_at)
    FROM summed t JOIN api_key k ON k.workspace_id = t.workspace_id AND k.id = t.key_id
    WHERE t.last_event_at IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (workspace_id, key_id) DO UPDATE SET
        last_event_at = greatest(s.last_event_at, excluded.last_event_at), check_at = NULL
),
added AS (
    INSERT INTO ingest_hour AS h (workspace_id, key_id, hour, sdk, code, last_at, {{counters}})
    SELECT workspace_id, key_id, hour, sdk, code, last_at, {{counters}} FROM summed
    ORDER BY workspace_id, key_id, hour, sdk, code
    ON CONFLICT (workspace_id, key_id, hour, sdk, code) DO UPDATE SET
        last_at = greatest(h.last_at, excluded.last_at), {{added}}
)
SELECT coalesce(sum(rows), 0) FROM summed

-- name: daily_counts
-- The aggregated hours, and the tallies that the worker has not aggregated yet.
WITH counts AS (
    SELECT key_id, sdk, code, CAST(hour AS date) AS day, last_at, {{counters}}
    FROM ingest_hour
    WHERE workspace_id = :workspace_id AND hour >= :since AND hour < :until
      AND (CAST(:key_id AS text) IS NULL OR key_id = :key_id)
    UNION ALL
    SELECT key_id, sdk, code, CAST(at AS date),
           CASE WHEN received > 0 THEN at END, {{counters}}
    FROM ingest_tally
    WHERE workspace_id = :workspace_id AND at >= :since AND at < :until
      AND (CAST(:key_id AS text) IS NULL OR key_id = :key_id)
)
SELECT t.key_id, k.name AS key_name, t.sdk, t.code, t.day, max(t.last_at) AS last_at, {{sums}}
FROM counts t LEFT JOIN api_key k ON k.workspace_id = :workspace_id AND k.id = t.key_id
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 3, 5, 4

-- name: counters
received, accepted, duplicates, quarantined, erased, late, unattributed, attributed, replayed,
warned

-- name: sums
sum(received) AS received, sum(accepted) AS accepted, sum(duplicates) AS duplicates,
sum(quarantined) AS quarantined, sum(erased) AS erased, sum(late) AS late,
sum(unattributed) AS unattributed, sum(attributed) AS attributed, sum(replayed) AS replayed,
sum(warned) AS warned

-- name: added
received = h.received + excluded.received, accepted = h.accepted + excluded.accepted,
duplicates = h.duplicates + excluded.duplicates,
quarantined = h.quarantined + excluded.quarantined, erased = h.erased + excluded.erased,
late = h.late + excluded.late, unattributed = h.unattributed + excluded.unattributed,
attributed = h.attributed + excluded.attributed, replayed = h.replayed + excluded.replayed,
warned = h.warned + excluded.warned
