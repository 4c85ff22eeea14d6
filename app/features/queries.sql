-- Features of accounts as of a day.

-- name: plan_for_many_rows
-- For this transaction: plan for the actual accounts and days, with enough memory for hashing.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('enable_seqscan', 'on', true),
       set_config('work_mem', '64MB', true)

-- name: plan_for_few_rows
-- For the statements that follow in this transaction: keep prepared plans, which must not scan a
-- table that was small when the plan was made. Planning anew takes longer than most of them run.
SELECT set_config('plan_cache_mode', 'auto', true), set_config('enable_seqscan', 'off', true)

-- name: features
-- One pass over usage computes all windows: per event name one bit for each day, per user the first
-- and the last day of use. Rows that became known after the day are not read. Of the periods that
-- start after the day only those are read that may renew one that has ended.
WITH requested AS (
    SELECT unnest(CAST(:account_ids AS text[])) COLLATE "C" AS account_id
),
product AS (
    SELECT * FROM unnest(CAST(:event_names AS text[]), CAST(:feature_keys AS text[]))
        AS p (event_name, feature)
),
tally AS MATERIALIZED (
    SELECT u.account_id, u.event_name, u.user_id, u.is_anonymous,
           GROUPING(u.event_name) = 1 AS by_user,
           bit_or(CAST(1 AS bigint) << (CAST(:as_of AS date) - u.day)) AS days,
           min(u.day) FILTER (WHERE u.event_name = ANY(CAST(:event_names AS text[]))) AS first_day,
           max(u.day) FILTER (WHERE u.event_name = ANY(CAST(:event_names AS text[]))) AS last_day,
           max(u.day) AS last_used_on,
           sum(u.events) FILTER (WHERE u.day > :now_start) AS events,
           sum(u.events) FILTER (WHERE u.day <= :now_start) AS events_before
           {{sums}}
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
      AND u.day > :before_start AND u.day <= :as_of AND u.known_on <= :as_of
      {{excluding_users}}
    GROUP BY GROUPING SETS (
        (u.account_id, u.event_name), (u.account_id, u.user_id, u.is_anonymous))
),
feature_days AS (
    SELECT t.account_id, p.feature, bit_or(t.days) AS days, sum(t.events) AS events
    FROM tally t JOIN product p ON p.event_name = t.event_name
    WHERE NOT t.by_user
    GROUP BY t.account_id, p.feature
),
breadth AS (
    SELECT account_id,
           array_agg(feature ORDER BY feature)
               FILTER (WHERE bit_count(CAST(days & :now_mask AS bit(64))) >= 2) AS adopted,
           array_agg(feature ORDER BY feature)
               FILTER (WHERE bit_count(CAST(days & :before_mask AS bit(64))) >= 2)
               AS adopted_before,
           jsonb_object_agg(feature, events) FILTER (WHERE events > 0) AS feature_events
    FROM feature_days GROUP BY account_id
),
person AS (
    SELECT t.account_id, coalesce(a.user_id, t.user_id) AS user_id,
           min(t.first_day) AS first_day, max(t.last_day) AS last_day
    FROM tally t
    LEFT JOIN user_alias a ON t.is_anonymous AND a.workspace_id = :workspace_id
        AND a.anonymous_id = t.user_id AND a.known_on <= :as_of
    WHERE t.by_user AND (NOT t.is_anonymous OR a.user_id IS NOT NULL)
      AND t.last_day IS NOT NULL
    GROUP BY 1, 2
),
depth AS (
    SELECT account_id,
           count(*) FILTER (WHERE last_day > :now_start) AS active_users,
           count(*) FILTER (WHERE first_day <= :now_start) AS active_users_before
    FROM person GROUP BY account_id
),
activity AS (
    SELECT account_id, max(last_used_on) AS last_used_on,
           CAST(sum(events) AS bigint) AS events,
           CAST(sum(events_before) AS bigint) AS events_before,
           bit_count(CAST(bit_or(days) & :now_mask AS bit(64))) AS active_days,
           bit_count(CAST(bit_or(days) & :before_mask AS bit(64))) AS active_days_before
    FROM tally WHERE NOT by_user GROUP BY account_id
),
reach AS (
    {{reach}}
),
started AS (
    SELECT s.account_id, {{first_day}} AS first_used_on
    FROM (
        SELECT account_id, min(day) AS first_day
        FROM first_use
        WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
          AND known_on <= :as_of
        GROUP BY account_id
    ) AS s
),
period AS (
    SELECT DISTINCT ON (account_id, subscription_id, starts_on) *
    FROM subscription
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
      AND known_on <= :as_of AND starts_on <= CAST(:as_of AS date) + CAST(:grace_days AS int)
    ORDER BY account_id, subscription_id, starts_on, known_on DESC
),
{{renewals}},
term AS (
    SELECT period.*, {{cents_in_base_currency}} AS cents,
           coalesce(coalesce(renewal.held_until, ends_on) > :as_of, true) AS runs,
           daterange(greatest(starts_on, CAST(:now_start AS date) + 1),
                     greatest(least(ends_on, CAST(:as_of AS date) + 1), starts_on,
                              CAST(:now_start AS date) + 1)) AS span
    FROM period LEFT JOIN renewal USING (account_id, subscription_id, starts_on)
    WHERE coalesce(ends_on > starts_on, true) AND starts_on <= :as_of
),
payment AS (
    SELECT account_id,
           sum(cents * (upper(span) - lower(span))) FILTER (WHERE NOT isempty(span))
               AS cent_days,
           range_agg(span) FILTER (WHERE mrr_cents > 0) AS spans,
           coalesce(bool_or(cents IS NULL) FILTER (WHERE mrr_cents > 0 AND
               (runs OR NOT isempty(span))), false) AS no_rate,
           coalesce(bool_or(runs AND mrr_cents > 0), false) AS pays,
           coalesce(sum(cents) FILTER (WHERE runs), 0) AS mrr_cents,
           sum(seats) FILTER (WHERE runs) AS seats,
           (array_agg(plan ORDER BY starts_on DESC, subscription_id)
               FILTER (WHERE runs AND plan IS NOT NULL))[1] AS plan,
           (array_agg(currency ORDER BY starts_on DESC, subscription_id) FILTER (WHERE runs))[1]
               AS currency,
           min(renewal_on) FILTER (WHERE runs AND renewal_on >= :as_of) AS renewal_on,
           min(renewal_on - coalesce(notice_days, :notice_days))
               FILTER (WHERE runs AND renewal_on >= :as_of) AS notice_on,
           min(starts_on) FILTER (WHERE mrr_cents > 0) AS first_paid_on,
           max(ends_on) FILTER (WHERE mrr_cents > 0) AS paid_until
    FROM term GROUP BY account_id
){{event_counts}}
SELECT w.account_id, a.segment, coalesce(a.excluded, false) AS excluded, a.end_customers,
       coalesce(a.feature_exceptions, '{}') AS feature_exceptions,
       coalesce(b.adopted, '{}') AS adopted, coalesce(b.adopted_before, '{}') AS adopted_before,
       coalesce(d.active_users, 0) AS active_users,
       coalesce(d.active_users_before, 0) AS active_users_before,
       coalesce(r.reached, 0) AS reached, coalesce(r.reached_before, 0) AS reached_before,
       coalesce(v.last_used_on, CASE WHEN s.first_used_on IS NOT NULL THEN (
           SELECT max(u.day) FROM daily_usage u
           WHERE u.workspace_id = :workspace_id AND u.account_id = w.account_id
             AND u.day <= :before_start AND u.known_on <= :as_of {{excluding_users}}) END
       ) AS last_used_on, s.first_used_on, p.first_paid_on,
       CASE WHEN p.pays THEN NULL ELSE p.paid_until END AS paid_until,
       coalesce(p.pays, false) AS pays, coalesce(p.no_rate, false) AS no_rate,
       CASE WHEN p.pays AND NOT p.no_rate THEN CAST(p.cent_days AS double precision) / (
           SELECT sum(upper(span) - lower(span)) FROM unnest(p.spans) AS span)
       END AS price_cents,
       CASE WHEN NOT coalesce(p.pays AND p.no_rate, false)
           THEN CAST(coalesce(p.mrr_cents, 0) AS bigint) END AS mrr_cents, p.currency,
       CAST(p.seats AS bigint) AS seats, coalesce(p.plan, a.plan) AS plan, p.renewal_on,
       a.industry, a.owner, a.employees, {{traits}} AS traits,
       coalesce(v.events, 0) AS events, coalesce(v.events_before, 0) AS events_before,
       coalesce(v.active_days, 0) AS active_days,
       coalesce(v.active_days_before, 0) AS active_days_before,
       coalesce(b.feature_events, '{}') AS feature_events, {{counts}} AS counts, p.notice_on
FROM requested w
LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = w.account_id
LEFT JOIN breadth b ON b.account_id = w.account_id
LEFT JOIN depth d ON d.account_id = w.account_id
LEFT JOIN activity v ON v.account_id = w.account_id
LEFT JOIN reach r ON r.account_id = w.account_id
LEFT JOIN started s ON s.account_id = w.account_id
LEFT JOIN payment p ON p.account_id = w.account_id
{{join_event_counts}}
ORDER BY w.account_id

-- name: reach_by_ids
SELECT account_id,
       count(*) FILTER (WHERE last_day > :now_start) AS reached,
       count(*) FILTER (WHERE first_day <= :now_start) AS reached_before
FROM (
    SELECT u.account_id, u.end_customer_id, min(u.day) AS first_day, max(u.day) AS last_day
    FROM daily_reach u
    WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
      AND u.day > :before_start AND u.day <= :as_of AND u.known_on <= :as_of
      {{excluding_users}}
    GROUP BY u.account_id, u.end_customer_id
) AS by_customer GROUP BY account_id

-- name: reach_by_sum
SELECT account_id, CAST(sum(reached) AS bigint) AS reached,
       CAST(sum(reached_before) AS bigint) AS reached_before
FROM tally WHERE NOT by_user {{only_named}} GROUP BY account_id

-- name: reach_sums
, sum(u.{{counter}}) FILTER (WHERE u.day > :now_start) AS reached,
  sum(u.{{counter}}) FILTER (WHERE u.day <= :now_start) AS reached_before

-- name: only_reach_events
AND event_name = ANY(CAST(:reach_events AS text[]))

-- name: cents_in_base_currency
-- Cents of the base currency; null where no rate is known at the start of the period.
CASE WHEN currency = :base_currency THEN mrr_cents ELSE (
    SELECT CAST(least(round(period.mrr_cents * x.rate), 1e16) AS bigint)
    FROM exchange_rate x
    WHERE x.workspace_id = :workspace_id AND x.currency = period.currency
      AND x.starts_on <= period.starts_on
    ORDER BY x.starts_on DESC LIMIT 1) END

-- name: selected_traits
coalesce((
    SELECT jsonb_object_agg(t.name, a.traits -> t.name)
    FROM unnest(CAST(:trait_names AS text[])) AS t (name)
    WHERE a.traits ? t.name), '{}')

-- name: event_counts
, event_count AS (
    SELECT account_id, jsonb_object_agg(key, events) AS counts
    FROM (
        SELECT u.account_id, c.key, sum(u.events) AS events
        FROM unnest(CAST(:count_keys AS text[]), CAST(:count_names AS text[]),
                    CAST(:count_days AS int[])) AS c (key, event_name, days)
        JOIN daily_usage u ON u.event_name = c.event_name
            AND u.day > CAST(:as_of AS date) - c.days
        WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
          AND u.day > :count_since AND u.day <= :as_of AND u.known_on <= :as_of
          {{excluding_users}}
        GROUP BY u.account_id, c.key
    ) AS by_key GROUP BY account_id
)

-- name: join_event_counts
LEFT JOIN event_count c ON c.account_id = w.account_id

-- name: default_product_features
WITH used AS (
    SELECT u.event_name, u.account_id
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.day > :since AND u.day <= :as_of
      AND u.known_on <= :as_of
      AND NOT EXISTS (
          SELECT FROM account x
          WHERE x.workspace_id = :workspace_id AND x.account_id = u.account_id AND x.excluded)
      {{without_excluded_users}}
    GROUP BY u.event_name, u.account_id
)
SELECT used.event_name
FROM used
JOIN event_name n ON n.workspace_id = :workspace_id AND n.name = used.event_name AND NOT n.is_view
GROUP BY used.event_name
HAVING count(*) >= 3 AND count(*) >= 0.05 * (SELECT count(DISTINCT account_id) FROM used)
ORDER BY count(*) DESC, used.event_name
LIMIT 200
