-- The use of accounts in half a year, summed in one pass, and stored for the day.

-- name: activity
-- One pass over the half-year that ends on a whole day: by day, by user with one bit for each day in
-- masks of four spans each, and by event name of the quarter. Anonymous users count for the account, and not as
-- people. Only the quarter decides who the champion is, and not its last four weeks: a champion who
-- falls silent would lose the place because of the silence.
WITH tally AS MATERIALIZED (
    SELECT u.account_id, u.user_id, u.is_anonymous, u.event_name, u.day,
           GROUPING(u.user_id) = 0 AS by_user, GROUPING(u.day) = 0 AS by_day,
           {{days_by_mask}},
           min(u.day) AS first_day, max(u.day) AS last_day, sum(u.events) AS events,
           min(u.day) FILTER (WHERE u.day > :quarter) AS first_day_of_quarter,
           sum(u.events) FILTER (WHERE u.day <= :settled) AS settled_events,
           sum(u.events) FILTER (WHERE u.day <= :settled AND u.day > :quarter) AS quarter_events
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
      AND u.day > :since AND u.day <= :through AND u.known_on <= :as_of
      {{excluding_users}}
    GROUP BY GROUPING SETS (
        (u.account_id, u.day), (u.account_id, u.event_name),
        (u.account_id, u.user_id, u.is_anonymous))
),
active AS (
    SELECT account_id, count(*) AS active_days, min(day) AS first_day, max(day) AS last_day,
           sum(settled_events) AS settled_events
    FROM tally WHERE by_day GROUP BY account_id
),
week AS (
    SELECT account_id, jsonb_object_agg(place, events) AS events
    FROM (
        SELECT account_id, (CAST(:through AS date) - day) / 7 AS place, sum(events) AS events
        FROM tally WHERE by_day GROUP BY 1, 2
    ) AS by_week GROUP BY account_id
),
person AS (
    SELECT t.account_id, coalesce(a.user_id, t.user_id) AS user_id,
           {{days_of_person}},
           min(t.first_day) AS first_day, max(t.last_day) AS last_day,
           sum(t.settled_events) AS settled_events, sum(t.quarter_events) AS quarter_events
    FROM tally t
    LEFT JOIN user_alias a ON t.is_anonymous AND a.workspace_id = :workspace_id
        AND a.anonymous_id = t.user_id AND a.known_on <= :as_of
    WHERE t.by_user AND (NOT t.is_anonymous OR a.user_id IS NOT NULL)
    GROUP BY 1, 2
),
people AS (
    SELECT account_id, jsonb_build_array({{users}}) AS users FROM person GROUP BY account_id
),
champion AS (
    SELECT DISTINCT ON (account_id) *, {{active_days}} AS active_days
    FROM (
        SELECT *, (account_id, user_id) IN (SELECT * FROM unnest(
            CAST(:named_in AS text[]), CAST(:named AS text[]))) AS is_named
        FROM person
    ) AS p
    WHERE quarter_events > 0 OR is_named
    ORDER BY account_id, is_named DESC, quarter_events DESC NULLS LAST, user_id
),
named AS (
    SELECT account_id, jsonb_object_agg(
               event_name, jsonb_build_array(first_day_of_quarter, last_day)) AS uses
    FROM tally WHERE NOT by_day AND NOT by_user AND first_day_of_quarter IS NOT NULL
    GROUP BY account_id
),
reach AS (
    SELECT account_id, jsonb_object_agg(place, reached) AS reached
    FROM ({{reach}}) AS by_span GROUP BY account_id
)
SELECT v.account_id, w.events AS weeks, p.users, r.reached, v.active_days, v.first_day, v.last_day,
       coalesce(n.uses, '{}') AS uses, c.user_id, c.active_days AS champion_days, c.first_day AS champion_first_day,
       c.last_day AS champion_last_day,
       CAST(c.settled_events AS double precision) / nullif(v.settled_events, 0) AS champion_share,
       c.is_named
FROM active v
JOIN week w ON w.account_id = v.account_id
LEFT JOIN named n ON n.account_id = v.account_id
LEFT JOIN people p ON p.account_id = v.account_id
LEFT JOIN reach r ON r.account_id = v.account_id
LEFT JOIN champion c ON c.account_id = v.account_id

-- name: select_activity
SELECT account_id, to_jsonb(a) AS activity FROM ({{activity}}) AS a

-- name: upsert_activity
INSERT INTO account_activity (workspace_id, account_id, through, counted_as, activity)
SELECT :workspace_id, w.account_id, :through, :counted_as, to_jsonb(a)
FROM unnest(CAST(:account_ids AS text[])) AS w (account_id)
LEFT JOIN ({{activity}}) AS a ON a.account_id = w.account_id
ORDER BY w.account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    through = excluded.through, counted_as = excluded.counted_as, activity = excluded.activity
RETURNING account_id, activity

-- name: reach_by_ids
SELECT u.account_id, (CAST(:through AS date) - u.day) / :span_days AS place,
       count(DISTINCT u.end_customer_id) AS reached
FROM daily_reach u
WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
  AND u.day > CAST(:through AS date) - :spans * :span_days AND u.day <= :through
  AND u.known_on <= :as_of
  {{excluding_users}}
GROUP BY 1, 2

-- name: reach_by_sum
SELECT u.account_id, (CAST(:through AS date) - u.day) / :span_days AS place,
       sum(u.{{counter}}) AS reached
FROM daily_usage u
WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
  AND u.day > CAST(:through AS date) - :spans * :span_days AND u.day <= :through
  AND u.known_on <= :as_of {{named}}
  {{excluding_users}}
GROUP BY 1, 2

-- name: named_events
AND u.event_name = ANY(CAST(:reach_events AS text[]))
