-- name: schedule
-- Store the next deadline of each account; an account with none loses its row.
WITH next AS MATERIALIZED (
    SELECT account_id COLLATE "C" AS account_id, due_at
    FROM unnest(CAST(:account_ids AS text[]), CAST(:due_at AS timestamptz[]))
        AS n (account_id, due_at)
),
without AS (
    DELETE FROM account_deadline d USING next n
    WHERE d.workspace_id = :workspace_id AND d.kind = :kind AND d.account_id = n.account_id
      AND n.due_at IS NULL
)
INSERT INTO account_deadline AS d (workspace_id, account_id, kind, due_at)
SELECT :workspace_id, account_id, :kind, due_at FROM next WHERE due_at IS NOT NULL
ORDER BY account_id
ON CONFLICT (workspace_id, account_id, kind) DO UPDATE SET due_at = excluded.due_at
WHERE d.due_at <> excluded.due_at

-- name: mark_overdue
-- A locked row is being replaced by a refresh, or marked by another worker. What is due exactly now
-- is not overdue yet.
WITH passed AS MATERIALIZED (
    SELECT workspace_id, account_id, kind FROM account_deadline
    WHERE due_at < :now ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
),
taken AS (
    DELETE FROM account_deadline d USING passed p
    WHERE d.workspace_id = p.workspace_id AND d.account_id = p.account_id AND d.kind = p.kind
    RETURNING d.workspace_id, d.account_id
),
marked AS (
    INSERT INTO due (workspace_id, account_id, priority, notify)
    SELECT DISTINCT workspace_id, account_id, CAST(:priority AS int), true FROM taken ORDER BY 1, 2
)
SELECT count(*) FROM taken
