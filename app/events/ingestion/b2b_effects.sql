-- name: end_membership
-- An unknown user who leaves is inserted without an account, so that the ingest statement does not
-- make them a member by the same event.
INSERT INTO "user" AS u (workspace_id, user_id, account_since)
VALUES (:workspace_id, :user_id, :at)
ON CONFLICT (workspace_id, user_id) DO UPDATE SET
    account_id = NULL, account_since = excluded.account_since
WHERE coalesce(u.account_id = :account_id, true)
  AND coalesce(u.account_since <= excluded.account_since, true)
