-- name: claim
-- Each endpoint contributes as many deliveries as it has free slots, in random order, so that none
-- can starve another. A degraded endpoint is locked and its probe time moved to the end of the
-- lease, so that all workers together have one probe in flight. One with a limit is locked too: its
-- deliveries are sent at even distances, and the next ones are claimed after the last of these. (A
-- time that is more than a second ahead was written by a clock that went back since.)
WITH probes AS (
    UPDATE webhook_endpoint e SET resume_at = :lease_until
    FROM (
        SELECT p.workspace_id, p.id FROM webhook_endpoint p
        WHERE p.state = 'degraded' AND NOT p.paused AND p.resume_at <= :now
          AND EXISTS (SELECT FROM delivery d WHERE d.endpoint_id = p.id AND d.state = 'pending'
                      AND d.workspace_id = p.workspace_id AND d.due_at <= :now)
        ORDER BY p.workspace_id, p.id
        LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
    ) p
    WHERE e.workspace_id = p.workspace_id AND e.id = p.id
    RETURNING e.workspace_id, e.id
),
active AS MATERIALIZED (
    SELECT e.workspace_id, e.id, coalesce(r.slots, :default_slots) AS slots
    FROM webhook_endpoint e
    LEFT JOIN json_to_recordset(CAST(:free_slots AS json)) AS r (id text, slots integer)
      ON r.id = e.id
    WHERE e.state = 'active' AND NOT e.paused AND (e.resume_at IS NULL OR e.resume_at <= :now)
      AND e.max_per_second IS NULL AND coalesce(r.slots, :default_slots) > 0
    ORDER BY e.failures > 0, random()
),
throttled AS MATERIALIZED (
    SELECT e.workspace_id, e.id, least(coalesce(r.slots, :default_slots), e.max_per_second) AS slots
    FROM webhook_endpoint e
    LEFT JOIN json_to_recordset(CAST(:free_slots AS json)) AS r (id text, slots integer)
      ON r.id = e.id
    WHERE e.state = 'active' AND NOT e.paused AND (e.resume_at IS NULL OR e.resume_at <= :now)
      AND e.max_per_second IS NOT NULL AND coalesce(r.slots, :default_slots) > 0
      AND (e.next_at > :now AND e.next_at <= :now + interval '1 second') IS NOT TRUE
      AND EXISTS (SELECT FROM delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
                  AND d.workspace_id = e.workspace_id AND d.due_at <= :now)
    ORDER BY e.workspace_id, e.id
    FOR NO KEY UPDATE OF e SKIP LOCKED
),
due AS MATERIALIZED (
    SELECT t.*
    FROM (SELECT workspace_id, id, 1 AS slots FROM probes UNION ALL SELECT * FROM active
          UNION ALL SELECT * FROM throttled) e
    CROSS JOIN LATERAL (
        SELECT d.workspace_id, d.endpoint_id, d.message_id FROM delivery d
        WHERE d.endpoint_id = e.id AND d.workspace_id = e.workspace_id
          AND d.state = 'pending' AND d.due_at <= :now
        ORDER BY d.due_at
        LIMIT e.slots
        FOR NO KEY UPDATE SKIP LOCKED
    ) t
    LIMIT :limit
),
placed AS (
    SELECT t.*, row_number() OVER (PARTITION BY workspace_id, endpoint_id) AS place FROM due t
),
reserved AS (
    UPDATE webhook_endpoint e
    SET next_at = :now + n.places * interval '1 second' / e.max_per_second
    FROM (SELECT workspace_id, endpoint_id, max(place) AS places FROM placed GROUP BY 1, 2) n
    WHERE e.workspace_id = n.workspace_id AND e.id = n.endpoint_id AND e.max_per_second IS NOT NULL
      AND e.state = 'active'
)
UPDATE delivery d SET token = :token, due_at = :lease_until
FROM placed t
JOIN webhook_endpoint e ON e.workspace_id = t.workspace_id AND e.id = t.endpoint_id
JOIN message m ON m.workspace_id = t.workspace_id AND m.id = t.message_id
WHERE d.workspace_id = t.workspace_id AND d.endpoint_id = t.endpoint_id
  AND d.message_id = t.message_id
RETURNING d.workspace_id, d.endpoint_id, d.message_id, d.attempts, d.token, e.kind, e.encrypted,
    CASE WHEN e.personal_data THEN coalesce(m.personal_body, m.body) ELSE m.body END AS body,
    CASE WHEN e.state = 'active' THEN coalesce((t.place - 1)::float8 / e.max_per_second, 0) ELSE 0 END
        AS delay

-- name: record_results
-- Fenced by the token: results for a delivery that was claimed or replayed since are ignored.
WITH result AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (
        workspace_id text, endpoint_id text, message_id text, token uuid, state text,
        due_at timestamptz, at timestamptz, milliseconds integer, status integer, error text,
        response text)
),
recorded AS (
    UPDATE delivery d
    SET state = r.state, due_at = r.due_at, token = NULL, attempts = d.attempts + 1,
        finished_at = CASE WHEN r.state <> 'pending' THEN r.at END
    FROM result r
    WHERE d.workspace_id = r.workspace_id AND d.endpoint_id = r.endpoint_id
      AND d.message_id = r.message_id AND d.token = r.token
    RETURNING d.workspace_id, d.endpoint_id, d.message_id, r.at, r.milliseconds, r.status, r.error,
              r.response
),
logged AS (
    INSERT INTO attempt (workspace_id, endpoint_id, message_id, at, milliseconds, status, error,
                         response)
    SELECT * FROM recorded ORDER BY at
)
SELECT endpoint_id, message_id FROM recorded

-- name: release
UPDATE delivery SET token = NULL, due_at = :now
WHERE state = 'pending' AND token = ANY(CAST(:tokens AS uuid[]))

-- name: limit_waits
-- A row that a claim or a result has locked gets a new time anyway.
WITH late AS (
    SELECT d.workspace_id, d.endpoint_id, d.message_id, w.due_at
    FROM delivery d
    JOIN unnest(CAST(:attempts AS int[]), CAST(:latest AS timestamptz[])) AS n (attempts, latest)
      ON n.attempts = d.attempts
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.token IS NULL THEN n.latest ELSE :lease_until END AS due_at) AS w
    WHERE d.state = 'pending' AND d.due_at > w.due_at
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET due_at = late.due_at FROM late
WHERE d.workspace_id = late.workspace_id AND d.endpoint_id = late.endpoint_id
  AND d.message_id = late.message_id

-- name: limit_pauses
UPDATE webhook_endpoint e SET resume_at = :latest
FROM (SELECT workspace_id, id FROM webhook_endpoint WHERE resume_at > :latest
      FOR NO KEY UPDATE SKIP LOCKED) AS late
WHERE e.workspace_id = late.workspace_id AND e.id = late.id

-- name: delete_old
DELETE FROM message WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM message WHERE created_at < :before
    ORDER BY created_at LIMIT :limit)
