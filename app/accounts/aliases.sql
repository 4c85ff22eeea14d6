-- name: current_ids
SELECT account_id, target_id FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))

-- name: old_ids
SELECT account_id FROM account_alias
WHERE workspace_id = :workspace_id AND target_id = :account_id ORDER BY account_id

-- name: redirect
-- No chains: aliases of the old id are redirected to the new one.
UPDATE account_alias SET target_id = :target_id
WHERE workspace_id = :workspace_id AND target_id = :account_id

-- name: upsert
INSERT INTO account_alias (workspace_id, account_id, target_id, known_at)
VALUES (:workspace_id, :account_id, :target_id, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    target_id = excluded.target_id, known_at = excluded.known_at

-- name: delete
DELETE FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))

-- name: set_has_aliases
UPDATE workspace SET has_aliases = true WHERE id = :workspace_id AND NOT has_aliases
