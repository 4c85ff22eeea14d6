-- name: current_ids
SELECT account_id, target_id, merged_as FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))

-- name: old_ids
SELECT account_id FROM account_alias
WHERE workspace_id = :workspace_id AND target_id = :account_id ORDER BY account_id

-- name: merge_day
SELECT CAST(known_at AT TIME ZONE 'UTC' AS date) FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = :account_id

-- name: redirect
-- No chains: aliases of the old id are redirected to the new one.
UPDATE account_alias
SET target_id = :target_id, merged_as = coalesce(merged_as, CAST(:merged_as AS text))
WHERE workspace_id = :workspace_id AND target_id = :account_id

-- name: upsert
INSERT INTO account_alias (workspace_id, account_id, target_id, merged_as, known_at)
VALUES (:workspace_id, :account_id, :target_id, :merged_as, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    target_id = excluded.target_id, merged_as = excluded.merged_as, known_at = excluded.known_at

-- name: delete
DELETE FROM account_alias
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))

-- name: set_has_aliases
UPDATE workspace SET has_aliases = true WHERE id = :workspace_id AND NOT has_aliases
