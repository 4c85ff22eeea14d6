-- name: current_accounts
SELECT user_id, account_id FROM "user"
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
  AND account_id IS NOT NULL
