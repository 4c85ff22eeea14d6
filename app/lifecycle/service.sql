-- name: lock_hierarchy
-- In key order, as all writers of accounts lock them, and before the advisory lock on parents.
SELECT FROM account
WHERE workspace_id = :workspace_id
  AND (account_id = ANY(CAST(:ids AS text[])) OR parent_id = ANY(CAST(:ids AS text[])))
ORDER BY account_id
FOR NO KEY UPDATE

-- name: insert_excluded_pseudonym
-- Only an excluded user needs a row: else their usage would count from now on.
INSERT INTO "user" (workspace_id, user_id, account_id, excluded, excluded_on)
SELECT workspace_id, :pseudonym, account_id, true, excluded_on FROM "user"
WHERE workspace_id = :workspace_id AND user_id = :user_id AND excluded
ON CONFLICT DO NOTHING

-- name: clear_user
UPDATE "user" SET email = NULL, name = NULL, role = NULL, traits = '{}', traits_at = NULL,
    field_times = '{}'
WHERE workspace_id = :workspace_id AND user_id = :user_id
