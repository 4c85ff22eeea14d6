-- Reach and completed steps that were stored before their rows named a user.

-- name: days_of_unnamed_reach
SELECT DISTINCT day FROM daily_reach
WHERE workspace_id = :workspace_id AND user_id = '' AND NOT is_anonymous
ORDER BY day

-- name: unnamed_reach
SELECT account_id, known_on, end_customer_id FROM daily_reach
WHERE workspace_id = :workspace_id AND day = :day AND user_id = '' AND NOT is_anonymous
ORDER BY account_id, known_on, end_customer_id

-- name: events_with_end_customers
-- The events of a day. A corrected clock moves an event by a day at most; those that it moves
-- further keep their reach without a user.
SELECT account_id, coalesce(user_id, anonymous_id, '') AS user_id,
       user_id IS NULL AS is_anonymous, properties,
       coalesce(known_on, CAST(received_at AS date)) AS known_on
FROM event
WHERE workspace_id = :workspace_id
  AND client_at >= CAST(:day AS date) - 1 AND client_at < CAST(:day AS date) + 2
  AND CAST(occurred_at AS date) = :day
  AND kind = ANY(CAST(:kinds AS text[])) AND account_id = ANY(CAST(:account_ids AS text[]))
  AND properties ?| CAST(:keys AS text[]) AND NOT properties @> '{"impersonated": true}'

-- name: named_reach
INSERT INTO daily_reach (
    workspace_id, account_id, day, known_on, end_customer_id, user_id, is_anonymous)
SELECT DISTINCT :workspace_id, r.account_id, CAST(:day AS date), r.known_on, r.end_customer_id,
       r.user_id, r.is_anonymous
FROM {{rows}}
ORDER BY 2, 4, 5, 6, 7
ON CONFLICT DO NOTHING

-- name: drop_unnamed_reach
DELETE FROM daily_reach d
USING {{rows}}
WHERE d.workspace_id = :workspace_id AND d.account_id = r.account_id AND d.day = :day
  AND d.known_on = r.known_on AND d.end_customer_id = r.end_customer_id
  AND d.user_id = '' AND NOT d.is_anonymous

-- name: rows
json_to_recordset(CAST(:rows AS json)) AS r (
    account_id text COLLATE "C", known_on date, end_customer_id text COLLATE "C",
    user_id text COLLATE "C", is_anonymous bool)

-- name: unnamed_completions
-- Completed steps without a user, and the user who completed them: by an event of that time, or
-- by use on that day. A user who is not excluded comes first.
WITH unnamed AS MATERIALIZED (
    SELECT c.account_id, c.step_key, c.known_on, c.done_at, s.event_names
    FROM onboarding_completion c
    LEFT JOIN onboarding_step s ON s.workspace_id = :workspace_id AND s.key = c.step_key
    WHERE c.workspace_id = :workspace_id AND c.user_id = ''
),
named AS (
    SELECT c.account_id, c.step_key, c.known_on, e.user_id
    FROM unnamed c
    JOIN event e ON e.workspace_id = :workspace_id AND e.account_id = c.account_id
        AND e.client_at >= c.done_at - interval '1 day'
        AND e.client_at <= c.done_at + interval '1 day' AND e.occurred_at = c.done_at
    WHERE e.kind = 'track' AND e.user_id IS NOT NULL
      AND lower(e.name) = ANY(CAST(:names AS text[]))
    UNION
    SELECT c.account_id, c.step_key, c.known_on, u.user_id
    FROM unnamed c
    JOIN daily_usage u ON u.workspace_id = :workspace_id AND u.account_id = c.account_id
        AND u.day = CAST(c.done_at AS date) AND u.known_on = c.known_on
        AND u.event_name = ANY(c.event_names)
    WHERE NOT u.is_anonymous AND c.done_at = CAST(u.day AS timestamptz)
)
SELECT DISTINCT ON (n.account_id, n.step_key, n.known_on) n.*
FROM named n
LEFT JOIN "user" x ON x.workspace_id = :workspace_id AND x.user_id = n.user_id
ORDER BY n.account_id, n.step_key, n.known_on, coalesce(x.excluded, false), n.user_id

-- name: name_completion
UPDATE onboarding_completion c SET user_id = :user_id
WHERE workspace_id = :workspace_id AND account_id = :account_id AND step_key = :step_key
  AND known_on = :known_on AND user_id = ''
  AND NOT EXISTS (
      SELECT FROM onboarding_completion o
      WHERE o.workspace_id = :workspace_id AND o.account_id = :account_id
        AND o.step_key = :step_key AND o.known_on = :known_on AND o.user_id = :user_id)
