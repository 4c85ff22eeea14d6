-- name: mark_all_due
INSERT INTO due (workspace_id, account_id, priority, notify)
SELECT workspace_id, account_id, CAST(:priority AS int), false
FROM account WHERE workspace_id = :workspace_id ORDER BY account_id

-- name: waiting_priorities
-- Looked at ten times a second, it is far cheaper than a claim that finds nothing.
SELECT p.priority FROM unnest(CAST(:priorities AS int[])) AS p (priority)
WHERE EXISTS (SELECT FROM due WHERE due.priority = p.priority)
ORDER BY p.priority

-- name: claim_due
-- Workspaces take turns: each gets an equal share of the marks, and of more workspaces than marks a
-- random part. An account that another worker has claimed is skipped where marks are read, so that
-- it takes no place. Further marks of claimed accounts are claimed with them, the live ones too: it
-- would be scored again for them.
WITH RECURSIVE busy AS (
    (SELECT workspace_id FROM due WHERE priority = :priority ORDER BY workspace_id LIMIT 1)
    UNION ALL
    SELECT (SELECT workspace_id FROM due
            WHERE priority = :priority AND workspace_id > b.workspace_id
            ORDER BY workspace_id LIMIT 1)
    FROM busy b WHERE b.workspace_id IS NOT NULL
),
turn AS MATERIALIZED (
    SELECT workspace_id, greatest(:limit / count(*) OVER (), 1) AS share
    FROM busy WHERE workspace_id IS NOT NULL ORDER BY random() LIMIT :limit
),
free AS MATERIALIZED (
    SELECT DISTINCT t.workspace_id, m.account_id
    FROM turn t CROSS JOIN LATERAL (
        SELECT account_id
        FROM (SELECT account_id FROM due
              WHERE priority = :priority AND workspace_id = t.workspace_id
              ORDER BY id OFFSET 0) AS in_order
        WHERE pg_try_advisory_xact_lock(
            hashtextextended(t.workspace_id || chr(31) || account_id, :lock_seed))
        LIMIT t.share) AS m
),
joined AS MATERIALIZED (
    SELECT m.priority, m.workspace_id, m.id
    FROM (SELECT workspace_id, greatest(:looked_through / count(*) OVER (), 1) AS share
          FROM (SELECT DISTINCT workspace_id FROM free) AS x) AS w
    CROSS JOIN (SELECT 0 UNION SELECT CAST(:priority AS int)) AS p (priority)
    CROSS JOIN LATERAL (
        SELECT priority, workspace_id, id, account_id FROM due
        WHERE due.priority = p.priority AND due.workspace_id = w.workspace_id
        ORDER BY id LIMIT w.share) AS m
    JOIN free f ON f.workspace_id = m.workspace_id AND f.account_id = m.account_id
),
locked AS MATERIALIZED (
    SELECT due.priority, due.workspace_id, due.id
    FROM due JOIN joined USING (priority, workspace_id, id)
    FOR UPDATE OF due SKIP LOCKED
),
claimed AS (
    DELETE FROM due USING locked l
    WHERE (due.priority, due.workspace_id, due.id) = (l.priority, l.workspace_id, l.id)
    RETURNING due.workspace_id, due.account_id, due.priority, due.notify, due.used_since
),
unparked AS (
    DELETE FROM parked_account p USING claimed c
    WHERE p.workspace_id = c.workspace_id AND p.account_id = c.account_id
)
SELECT workspace_id, account_id, min(priority) AS priority, bool_or(notify) AS notify,
       CASE WHEN bool_and(used_since IS NOT NULL) THEN min(used_since) END AS used_since
FROM claimed GROUP BY workspace_id, account_id ORDER BY workspace_id, account_id

-- name: remove_due
DELETE FROM due USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE due.workspace_id = t.workspace_id AND due.account_id = t.account_id

-- name: record_failure
INSERT INTO parked_account AS p (workspace_id, account_id, failures, error, failed_at)
VALUES (:workspace_id, :account_id, 1, :error, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    failures = p.failures + 1, error = excluded.error, failed_at = excluded.failed_at
RETURNING failures

-- name: clear_failures
DELETE FROM parked_account p
USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE p.workspace_id = t.workspace_id AND p.account_id = t.account_id
