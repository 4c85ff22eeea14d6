-- name: mark_all_due
INSERT INTO due (workspace_id, account_id, priority, notify)
SELECT workspace_id, account_id, CAST(:priority AS int), false
FROM account WHERE workspace_id = :workspace_id ORDER BY account_id

-- name: claim_due
-- An account that another worker has claimed is left for later: its scores are locked. Marks of a
-- claimed account that wait further behind are claimed with it if they are live: it would be scored
-- again for them.
WITH picked AS MATERIALIZED (
    SELECT priority, id, workspace_id, account_id FROM due WHERE priority >= :from_priority
    ORDER BY priority, id LIMIT :limit FOR UPDATE SKIP LOCKED
),
most_urgent AS (
    SELECT *, row_number() OVER (ORDER BY id) AS place
    FROM picked WHERE priority = (SELECT min(priority) FROM picked)
),
wanted AS (SELECT * FROM most_urgent WHERE priority = 0 OR place <= :background_limit),
free AS MATERIALIZED (
    SELECT workspace_id, account_id
    FROM (SELECT DISTINCT workspace_id, account_id FROM wanted) AS one
    WHERE pg_try_advisory_xact_lock(
        hashtextextended(workspace_id || chr(31) || account_id, :lock_seed))
),
behind AS MATERIALIZED (
    SELECT priority, id FROM due JOIN free USING (workspace_id, account_id)
    WHERE priority = 0
    FOR UPDATE OF due SKIP LOCKED
),
claimed AS (
    DELETE FROM due USING (
        SELECT priority, id FROM wanted JOIN free USING (workspace_id, account_id)
        UNION SELECT priority, id FROM behind) AS c
    WHERE (due.priority, due.id) = (c.priority, c.id)
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
