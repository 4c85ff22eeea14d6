-- Accounts that have the traits of a person.

-- name: people_in_accounts
-- Older versions gave an account the traits of the person of a group call without traits. The
-- account has the person's e-mail address, and a group call of the person for it is stored.
WITH suspect AS MATERIALIZED (
    SELECT a.account_id, u.user_id
    FROM account a
    JOIN "user" u ON u.workspace_id = a.workspace_id AND u.email = a.traits ->> 'email'
    WHERE a.workspace_id = :workspace_id AND a.traits ? 'email'
)
SELECT account_id, min(user_id) AS user_id
FROM suspect s
WHERE (account_id, user_id) IN (
    SELECT e.account_id, e.user_id FROM event e
    WHERE e.workspace_id = :workspace_id AND e.kind = 'group'
      AND e.account_id = ANY(ARRAY(SELECT account_id FROM suspect)))
GROUP BY account_id ORDER BY account_id

-- name: addresses_of_nobody
-- Persons were erased, and accounts have an e-mail address that belongs to no stored person.
SELECT a.account_id
FROM account a
WHERE a.workspace_id = :workspace_id AND a.traits ? 'email'
  AND EXISTS (SELECT FROM tombstone t WHERE t.workspace_id = :workspace_id AND t.kind = 'user')
  AND NOT EXISTS (
      SELECT FROM "user" u
      WHERE u.workspace_id = :workspace_id AND u.email = a.traits ->> 'email')
ORDER BY a.account_id
