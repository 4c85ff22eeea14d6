-- name: record_completions
WITH missing AS MATERIALIZED (
    SELECT a.account_id, s.key, s.event_names, a.traits ->> s.trait AS trait,
           {{trait_time}} AS trait_at
    FROM onboarding_step s JOIN account a ON a.workspace_id = s.workspace_id
    WHERE s.workspace_id = :workspace_id AND a.account_id = ANY(CAST(:account_ids AS text[]))
      AND (s.event_names <> '{}' OR s.trait IS NOT NULL)
      AND NOT EXISTS (
          SELECT FROM onboarding_completion c
          WHERE c.workspace_id = :workspace_id AND c.account_id = a.account_id
            AND c.step_key = s.key AND c.known_on <= :as_of AND NOT {{by_excluded_user}})
),
done AS (
    SELECT m.account_id, m.key, u.known_on, CAST(u.day AS timestamptz) AS done_at,
           CASE WHEN NOT u.is_anonymous THEN u.user_id ELSE coalesce((
               SELECT a.user_id FROM user_alias a
               WHERE a.workspace_id = :workspace_id AND a.anonymous_id = u.user_id
                 AND a.known_on <= :as_of), '') END AS user_id
    FROM missing m
    JOIN daily_usage u ON u.workspace_id = :workspace_id AND u.account_id = m.account_id
        AND u.event_name = ANY(m.event_names)
    WHERE u.day > :since AND u.day <= :as_of AND u.known_on <= :as_of
      {{without_excluded_users}}
    UNION ALL
    SELECT account_id, key, CAST(trait_at AS date), trait_at, '' FROM missing
    WHERE CAST(trait_at AS date) <= :as_of
      AND coalesce(lower(trait), '') NOT IN ('', '0', 'false', 'null', 'no')
)
INSERT INTO onboarding_completion AS c (
    workspace_id, account_id, step_key, known_on, done_at, user_id
)
SELECT DISTINCT ON (account_id, key) :workspace_id, account_id, key, known_on, done_at, user_id
FROM done ORDER BY account_id, key, done_at, known_on, user_id
ON CONFLICT (workspace_id, account_id, step_key, known_on, user_id)
DO UPDATE SET done_at = least(c.done_at, excluded.done_at)

-- name: next_accounts
SELECT account_id FROM account WHERE workspace_id = :workspace_id AND account_id > :after
ORDER BY account_id LIMIT :limit

-- name: drop_pace
DELETE FROM onboarding_pace WHERE workspace_id = :workspace_id
