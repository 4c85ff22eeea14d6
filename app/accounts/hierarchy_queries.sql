-- name: ancestors
WITH RECURSIVE line AS (
    SELECT account_id, parent_id, 1 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    UNION ALL
    SELECT a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level <= :most_levels
)
SELECT account_id FROM line ORDER BY level

-- name: count_levels
-- OFFSET 0 makes the planner look up the children of each parent in the index; without it, it may
-- scan all accounts that have a parent.
WITH RECURSIVE family AS (
    SELECT CAST(:account_id AS text) COLLATE "C" AS account_id, 1 AS level
    UNION ALL
    SELECT c.account_id, f.level + 1
    FROM family f, LATERAL (
        SELECT account_id FROM account a
        WHERE a.parent_id = f.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE f.level <= :most_levels
)
SELECT max(level) FROM family

-- name: lock_account_key
SELECT 1 FROM account WHERE workspace_id = :workspace_id AND account_id = :account_id
FOR KEY SHARE
