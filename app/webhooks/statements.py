"""What the outbox and the sending worker say to the database: each of it for a set."""

from sqlalchemy import text

# One row is locked for each account: messages about it have the order of their commits.
NEXT_SEQUENCES = text("""
INSERT INTO message_sequence AS s (workspace_id, account_id, last)
SELECT :workspace_id, r.account_id, r.messages
FROM json_to_recordset(CAST(:counts AS json)) AS r (account_id text, messages bigint)
ORDER BY r.account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id) DO UPDATE SET last = s.last + excluded.last
RETURNING account_id, last
""")

# What filters ask of accounts. The package of accounts lies above this one.
ACCOUNTS = text("""
SELECT account_id, name, segment, owner, plan, industry, employees, end_customers, started_on,
       parent_id, excluded, traits
FROM account
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))
""")

CURRENT_IDS = text("""
SELECT account_id, target_id FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))
""")

# ``again``: states in which a delivery that is there already is asked for once more.
ADD_DELIVERIES = text("""
INSERT INTO delivery AS d (workspace_id, endpoint_id, message_id, state, due_at)
SELECT :workspace_id, r.endpoint_id, r.message_id, 'pending', :now
FROM json_to_recordset(CAST(:rows AS json)) AS r (endpoint_id text, message_id text)
ORDER BY r.endpoint_id COLLATE "C", r.message_id COLLATE "C"
ON CONFLICT (workspace_id, endpoint_id, message_id) DO UPDATE
SET state = 'pending', attempts = 0, due_at = excluded.due_at, token = NULL, finished_at = NULL
WHERE d.state = ANY(CAST(:again AS text[]))
RETURNING d.message_id
""")

# Each endpoint gives as much as it has room for, in a random order: none can starve another. A
# degraded one is locked and moved on, so that there is one probe at a time among all workers.
CLAIM = text("""
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
working AS MATERIALIZED (
    SELECT e.workspace_id, e.id, coalesce(r.room, :room) AS room
    FROM webhook_endpoint e
    LEFT JOIN json_to_recordset(CAST(:rooms AS json)) AS r (id text, room integer) ON r.id = e.id
    WHERE e.state = 'active' AND NOT e.paused AND (e.resume_at IS NULL OR e.resume_at <= :now)
      AND coalesce(r.room, :room) > 0
    ORDER BY e.failures > 0, random()
),
taken AS MATERIALIZED (
    SELECT t.*
    FROM (SELECT workspace_id, id, 1 AS room FROM probes UNION ALL SELECT * FROM working) e
    CROSS JOIN LATERAL (
        SELECT d.workspace_id, d.endpoint_id, d.message_id FROM delivery d
        WHERE d.endpoint_id = e.id AND d.workspace_id = e.workspace_id
          AND d.state = 'pending' AND d.due_at <= :now
        ORDER BY d.due_at
        LIMIT e.room
        FOR NO KEY UPDATE SKIP LOCKED
    ) t
    LIMIT :limit
)
UPDATE delivery d SET token = :token, due_at = :lease_until
FROM taken t
JOIN webhook_endpoint e ON e.workspace_id = t.workspace_id AND e.id = t.endpoint_id
JOIN message m ON m.workspace_id = t.workspace_id AND m.id = t.message_id
WHERE d.workspace_id = t.workspace_id AND d.endpoint_id = t.endpoint_id
  AND d.message_id = t.message_id
RETURNING d.workspace_id, d.endpoint_id, d.message_id, d.attempts, d.token, e.kind, e.sealed,
    CASE WHEN e.personal_data THEN coalesce(m.personal_body, m.body) ELSE m.body END AS body
""")

# Only who holds the token settles: what another worker or a person has taken on is theirs.
SETTLE = text("""
WITH told AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (
        workspace_id text, endpoint_id text, message_id text, token uuid, state text,
        due_at timestamptz, at timestamptz, milliseconds integer, status integer, error text,
        response text)
),
settled AS (
    UPDATE delivery d
    SET state = r.state, due_at = r.due_at, token = NULL, attempts = d.attempts + 1,
        finished_at = CASE WHEN r.state <> 'pending' THEN r.at END
    FROM told r
    WHERE d.workspace_id = r.workspace_id AND d.endpoint_id = r.endpoint_id
      AND d.message_id = r.message_id AND d.token = r.token
    RETURNING d.workspace_id, d.endpoint_id, d.message_id, r.at, r.milliseconds, r.status, r.error,
              r.response
),
logged AS (
    INSERT INTO attempt (workspace_id, endpoint_id, message_id, at, milliseconds, status, error,
                         response)
    SELECT * FROM settled ORDER BY at
)
SELECT endpoint_id, message_id FROM settled
""")

RELEASE = text("""
UPDATE delivery SET token = NULL, due_at = :now
WHERE state = 'pending' AND token = ANY(CAST(:tokens AS uuid[]))
""")

GIVE_UP = text("""
UPDATE delivery SET state = 'failed', token = NULL, finished_at = :now
WHERE workspace_id = :workspace_id AND endpoint_id = :endpoint_id AND state = 'pending'
""")

DROP_OLD = text("""
DELETE FROM message WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM message WHERE created_at < :before
    ORDER BY created_at LIMIT :limit)
""")
