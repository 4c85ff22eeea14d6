-- Conditions that leave out excluded users. Statements of other packages contain them.

-- name: is_excluded_user
EXISTS (
    SELECT FROM "user" x
    WHERE x.workspace_id = :workspace_id AND x.user_id = {{user_id}} AND x.excluded)

-- name: without_excluded_users
-- The row ``u`` has an id of a user or of an anonymous visitor. A visitor is excluded as soon as it
-- is known that the visitor is an excluded user.
AND NOT EXISTS (
    SELECT FROM "user" x
    WHERE x.workspace_id = :workspace_id AND x.user_id = u.user_id AND x.excluded
      AND NOT u.is_anonymous)
AND NOT (u.is_anonymous AND EXISTS (
    SELECT FROM user_alias a
    JOIN "user" x ON x.workspace_id = a.workspace_id AND x.user_id = a.user_id
    WHERE a.workspace_id = :workspace_id AND a.anonymous_id = u.user_id
      AND a.known_on <= {{known_on}} AND x.excluded))

-- name: excluded_from
-- Since when the row ``u`` of a visitor is excluded; null: never, or the row is no visitor's.
(SELECT min(a.known_on) FROM user_alias a
    JOIN "user" x ON x.workspace_id = a.workspace_id AND x.user_id = a.user_id
    WHERE u.is_anonymous AND a.workspace_id = :workspace_id AND a.anonymous_id = u.user_id
      AND x.excluded)

-- name: first_day_of_use
-- The first day of use is stored for the account, whoever used it. Where that day was deleted
-- because of its age, it is taken as it is.
(SELECT CASE WHEN EXISTS (
        SELECT FROM daily_usage u
        WHERE u.workspace_id = :workspace_id AND u.account_id = {{account_id}}
          AND u.day = f.day AND u.known_on <= {{known_on}})
    THEN (
        SELECT u.day FROM daily_usage u
        WHERE u.workspace_id = :workspace_id AND u.account_id = {{account_id}}
          AND u.day >= f.day AND u.known_on <= {{known_on}}
          {{without_excluded_users}}
        ORDER BY u.day LIMIT 1)
    ELSE f.day END
 FROM (
    SELECT min(day) AS day FROM first_use
    WHERE workspace_id = :workspace_id AND account_id = {{account_id}}
      AND known_on <= {{known_on}}) AS f)

-- name: is_excluded_answer
-- The answer ``r`` to a question about a ticket is that of its author: its event may be an agent's.
EXISTS (
    SELECT FROM "user" x
    WHERE x.workspace_id = :workspace_id AND x.excluded AND x.user_id = CASE
        WHEN r.ticket_id IS NULL THEN r.user_id ELSE (
            SELECT t.user_id FROM ticket t
            WHERE t.workspace_id = :workspace_id AND t.ticket_id = r.ticket_id) END)
