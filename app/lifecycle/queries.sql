-- name: accounts_in_transition
-- Accounts of open changes: their data is incomplete, so that they must not be scored.
SELECT account_id FROM id_change
WHERE workspace_id = :workspace_id AND step IS NOT NULL AND account_id IS NOT NULL
UNION SELECT target_id FROM id_change
WHERE workspace_id = :workspace_id AND step IS NOT NULL AND target_id IS NOT NULL
UNION SELECT jsonb_array_elements_text(private -> 'ids') FROM id_change
WHERE workspace_id = :workspace_id AND step IS NOT NULL AND private ? 'ids'
