-- The feature table: any accounts as of any days.

-- name: counts
-- ``n`` is the position of an account and its day. Usage is read once for the sums of 84 days by
-- person and event name, account by account: nothing is stored between the steps. What is counted by
-- day comes from ``days_of_use``. ``days_56`` has a bit for each day, the lowest for the day itself.
-- ``first_day`` and ``last_day`` enclose all days, so that the database can skip partitions. The
-- engagement of each account is materialized: joined row by row, it would be looked up for each pair.
-- ``known_end``: an end that was recorded together with its start, as a historical import does,
-- counts only from the day on which it comes, and so does ``auto_renews`` of an import: the file knows
-- who has left. ``renews_on``: if no renewal day is known, the end of the running term or paid period.
-- ``main``: what the running period with the highest price states that states it. ``is_older``: by so
-- many days than the first event that was received that its steps of onboarding are unknown.
WITH requested AS (
    SELECT CAST(n AS integer) AS n, account_id COLLATE "C" AS account_id, as_of
    FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) WITH ORDINALITY
        AS w (account_id, as_of, n)
),
product AS (
    SELECT *, row_number() OVER (PARTITION BY event_name) AS place
    FROM unnest(CAST(:product_events AS text[]), CAST(:product_features AS text[]))
        AS p (event_name, feature)
),
used AS (
    SELECT w.n, t.*
    FROM requested w
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT p.feature) FILTER (
                   WHERE bit_count(CAST(t.days_56 & ((1 << 28) - 1) AS bit(64))) >= 2)
                   AS breadth_28,
               count(DISTINCT p.feature) AS breadth_84,
               array_agg(t.event_name) {{of_events}} AS event_names,
               array_agg(t.events_84) {{of_events}} AS event_counts,
               count(*) FILTER (WHERE NOT t.by_event AND t.days_56 & ((1 << 28) - 1) <> 0)
                   AS users_28,
               count(*) FILTER (WHERE NOT t.by_event AND t.days_56 >> 28 <> 0) AS users_28_before,
               count(*) FILTER (WHERE NOT t.by_event) AS users_84,
               max(t.events_84) FILTER (WHERE NOT t.by_event) AS top_user_84,
               CAST(sum(t.events_84) FILTER (WHERE NOT t.by_event) AS bigint) AS people_84
               {{reach_of_events}}
        FROM (
            SELECT c.by_event, c.event_name, bit_or(c.days_56) AS days_56,
                   CAST(sum(c.events_84) AS bigint) AS events_84
                   {{reach_by_name}}
            FROM (
                SELECT u.event_name, u.user_id, u.is_anonymous,
                       GROUPING(u.event_name) = 0 AS by_event,
                       bit_or(CASE WHEN w.as_of - u.day < 56
                           THEN CAST(1 AS bigint) << (w.as_of - u.day) ELSE 0 END) AS days_56,
                       sum(u.events) AS events_84 {{sums}}
                FROM daily_usage u
                WHERE u.workspace_id = :workspace_id AND u.account_id = w.account_id
                  AND u.day > w.as_of - 84 AND u.day <= w.as_of AND u.known_on <= w.as_of
                  AND u.day > CAST(:first_day AS date) - 84 AND u.day <= :last_day
                  {{excluding_users}}
                GROUP BY GROUPING SETS ((u.event_name), (u.user_id, u.is_anonymous))
            ) AS c
            LEFT JOIN user_alias a ON c.is_anonymous AND a.workspace_id = :workspace_id
                AND a.anonymous_id = c.user_id AND a.known_on <= w.as_of
            WHERE c.is_anonymous IS NOT TRUE OR a.user_id IS NOT NULL
            GROUP BY c.by_event, c.event_name, coalesce(a.user_id, c.user_id)
        ) AS t
        LEFT JOIN product p ON p.event_name = t.event_name
    ) AS t
),
reach AS (
    {{reach}}
),
started AS (
    SELECT s.n, {{first_day}} AS first_used_on
    FROM (
        SELECT w.n, w.account_id, w.as_of, min(f.day) AS first_day
        FROM requested w
        JOIN first_use f ON f.workspace_id = :workspace_id AND f.account_id = w.account_id
            AND f.known_on <= w.as_of
        GROUP BY w.n, w.account_id, w.as_of
    ) AS s
),
period AS (
    SELECT DISTINCT ON (w.n, s.subscription_id, s.starts_on) w.n, w.as_of, s.*,
           CASE WHEN s.known_on > s.starts_on OR s.ends_on <= w.as_of THEN s.ends_on END
               AS known_end
    FROM requested w
    JOIN subscription s ON s.workspace_id = :workspace_id AND s.account_id = w.account_id
        AND s.known_on <= w.as_of
    ORDER BY w.n, s.subscription_id, s.starts_on, s.known_on DESC
),
{{renewals}},
term AS (
    SELECT period.*, {{cents}} AS cents,
           starts_on <= as_of
               AND coalesce(coalesce(renewal.held_until, known_end) > as_of, true) AS runs,
           starts_on <= as_of - 84 AND coalesce(known_end > as_of - 84, true) AS ran_84,
           CASE WHEN renewal_on > as_of
                    AND (known_on > starts_on OR renewal_on IS DISTINCT FROM ends_on)
                THEN renewal_on
                WHEN known_end IS NULL AND starts_on <= as_of THEN CAST(
                    CASE WHEN starts_on + make_interval(months => gone - gone % months) > as_of
                         THEN starts_on + make_interval(months => gone - gone % months)
                         ELSE starts_on + make_interval(months => gone - gone % months + months)
                         END AS date) END AS renews_on
    FROM period LEFT JOIN renewal USING (n, subscription_id, starts_on)
    CROSS JOIN LATERAL (
        SELECT coalesce(term_months, billing_period_months) AS months,
               CAST(12 * (extract(year FROM as_of) - extract(year FROM starts_on))
                    + extract(month FROM as_of) - extract(month FROM starts_on) AS int) AS gone
    ) AS bound
    WHERE coalesce(ends_on > starts_on, true)
),
paid AS (
    SELECT n, range_agg(daterange(starts_on, known_end + :lapse_days)) AS spans,
           max(coalesce(known_end, 'infinity')) AS ends_on
    FROM term WHERE mrr_cents > 0 GROUP BY n
),
payment AS (
    SELECT n, coalesce(bool_or(runs AND mrr_cents > 0), false) AS pays,
           CASE WHEN NOT bool_or(runs AND mrr_cents > 0 AND cents IS NULL)
               THEN CAST(sum(cents) FILTER (WHERE runs) AS bigint) END AS mrr_cents,
           CASE WHEN NOT bool_or(ran_84 AND mrr_cents > 0 AND cents IS NULL)
               THEN CAST(sum(cents) FILTER (WHERE ran_84) AS bigint) END AS mrr_cents_84,
           CAST(sum(seats) FILTER (WHERE runs) AS bigint) AS seats,
           min(as_of - starts_on) FILTER (WHERE runs AND mrr_cents > 0) AS days_on_terms,
           min(renews_on - as_of) FILTER (WHERE runs) AS days_to_renewal,
           min(renews_on - coalesce(notice_days, 0) - as_of) FILTER (WHERE runs)
               AS days_to_notice
    FROM term GROUP BY n
),
running AS (
    SELECT n, count(DISTINCT subscription_id) AS subscriptions FROM term WHERE runs GROUP BY n
),
main AS (
    SELECT n,
           (array_agg(billing_period_months ORDER BY price) FILTER (
               WHERE billing_period_months IS NOT NULL))[1] AS billing_period_months,
           (array_agg(term_months ORDER BY price) FILTER (WHERE term_months IS NOT NULL))[1]
               AS term_months,
           (array_agg(CAST(auto_renews AS int) ORDER BY price) FILTER (
               WHERE auto_renews IS NOT NULL AND (source <> 'import' OR known_on > starts_on)))[1]
               AS auto_renews,
           (array_agg(discount_share ORDER BY price) FILTER (WHERE discount_share IS NOT NULL))[1]
               AS discount_share
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY n ORDER BY cents DESC NULLS LAST, subscription_id) AS price
        FROM term WHERE runs AND mrr_cents > 0
    ) AS paid_term GROUP BY n
),
engagement AS MATERIALIZED (
    SELECT w.n,
           CASE WHEN EXISTS (
               SELECT FROM ticket_moment m
               WHERE m.workspace_id = :workspace_id AND m.known_on <= w.as_of
                 AND m.at < w.as_of - 82)
           THEN (
               SELECT count(DISTINCT t.ticket_id)
               FROM ticket t JOIN ticket_moment m
                   ON m.workspace_id = t.workspace_id AND m.ticket_id = t.ticket_id
               WHERE t.workspace_id = :workspace_id AND t.account_id = w.account_id
                 AND m.kind = 'opened' AND m.known_on <= w.as_of
                 AND m.at >= w.as_of - 83 AND m.at < w.as_of + 1
                 AND NOT {{by_excluded_author}}) END AS tickets_84,
           (SELECT avg(r.score) FROM survey_response r
            WHERE r.workspace_id = :workspace_id AND r.account_id = w.account_id
              AND r.kind = 'nps' AND r.known_on <= w.as_of AND r.known_until > w.as_of
              AND r.at >= w.as_of - 181 AND r.at < w.as_of + 1
              AND NOT {{by_excluded_person}}) AS nps,
           (SELECT count(DISTINCT c.step_key) FROM onboarding_completion c
            JOIN onboarding_step o ON o.workspace_id = c.workspace_id AND o.key = c.step_key
            WHERE c.workspace_id = :workspace_id AND c.account_id = w.account_id
              AND c.known_on <= w.as_of AND c.done_at < w.as_of + 1
              AND NOT {{by_excluded_user}}) AS steps_done,
           (SELECT nullif(count(*), 0) FROM onboarding_step o
            WHERE o.workspace_id = :workspace_id) AS steps,
           (SELECT {{account_began_on}} < {{first_event_day}} - CAST(:onboarding_days AS int)
            FROM account a
            WHERE a.workspace_id = :workspace_id AND a.account_id = w.account_id
              AND EXISTS (SELECT FROM onboarding_step o WHERE o.workspace_id = :workspace_id))
               AS is_older,
           (SELECT CASE WHEN count(*) > 0 THEN
                count(*) FILTER (WHERE i.failed_at >= w.as_of - 83 AND i.failed_at < w.as_of + 1)
                END
            FROM invoice i
            WHERE i.workspace_id = :workspace_id AND i.account_id = w.account_id
              AND i.created_at < w.as_of + 1) AS failed_payments_84
    FROM requested w
)
SELECT w.n - 1 AS position,
       u.breadth_28, u.breadth_84, u.event_names, u.event_counts,
       u.users_28, u.users_28_before, u.users_84, u.top_user_84, u.people_84,
       x.reach_28, x.reach_28_before,
       w.as_of - s.first_used_on AS days_since_first_use,
       w.as_of - (SELECT lower(span) FROM unnest(d.spans) AS span WHERE span @> w.as_of)
           AS days_paid,
       coalesce(m.pays, false) AS pays, m.mrr_cents, m.mrr_cents_84, m.seats,
       CASE WHEN m.n IS NOT NULL THEN coalesce(r.subscriptions, 0) END AS subscriptions,
       m.days_to_renewal, m.days_to_notice, m.days_on_terms,
       b.billing_period_months, b.term_months, b.auto_renews, b.discount_share, o.tickets_84,
       CAST(o.nps AS double precision) AS nps, o.steps_done,
       CASE WHEN o.steps_done = o.steps OR o.is_older IS NOT TRUE THEN o.steps END AS steps,
       o.failed_payments_84,
       CASE WHEN isfinite(d.ends_on) AND m.pays AND d.ends_on > w.as_of
                THEN d.ends_on - w.as_of END AS days_to_end,
       coalesce(a.excluded, false) AS excluded, d.n IS NOT NULL AS has_paid
FROM requested w
LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = w.account_id
LEFT JOIN used u ON u.n = w.n
LEFT JOIN reach x ON x.n = w.n
LEFT JOIN started s ON s.n = w.n
LEFT JOIN paid d ON d.n = w.n
LEFT JOIN payment m ON m.n = w.n
LEFT JOIN running r ON r.n = w.n
LEFT JOIN main b ON b.n = w.n
LEFT JOIN engagement o ON o.n = w.n
ORDER BY w.n

-- name: days_of_use
-- The days of use of each account in order, with their events. Days are counted from 0001-01-01 = 1.
SELECT account_id, array_agg(day ORDER BY day) AS days,
       array_agg(known_on ORDER BY day) AS known_on,
       array_agg(excluded_on ORDER BY day) AS excluded_on,
       array_agg(events ORDER BY day) AS events
FROM (
    SELECT u.account_id, u.day - DATE '0001-01-01' + 1 AS day,
           u.known_on - DATE '0001-01-01' + 1 AS known_on, {{excluded_on}} AS excluded_on,
           CAST(sum(u.events) AS bigint) AS events
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
      AND u.day > CAST(:first_day AS date) - 364 AND u.day <= :last_day {{excluding_users}}
    GROUP BY u.account_id, u.day, u.known_on, 4
) AS by_day GROUP BY account_id

-- name: excluded_on
coalesce({{excluded_from}} - DATE '0001-01-01' + 1, {{never}})

-- name: never
2147483647

-- name: reach_by_ids
SELECT n, count(*) FILTER (WHERE latest < 28) AS reach_28,
       count(*) FILTER (WHERE earliest >= 28) AS reach_28_before
FROM (
    SELECT w.n, u.end_customer_id, min(w.as_of - u.day) AS latest,
           max(w.as_of - u.day) AS earliest
    FROM requested w
    JOIN daily_reach u ON u.account_id = w.account_id
        AND u.day > w.as_of - 56 AND u.day <= w.as_of AND u.known_on <= w.as_of
    WHERE u.workspace_id = :workspace_id
      AND u.day > CAST(:first_day AS date) - 56 AND u.day <= :last_day {{excluding_users}}
    GROUP BY w.n, u.end_customer_id
) AS by_customer GROUP BY n

-- name: reach_by_sum
SELECT n, reach_28, reach_28_before FROM used

-- name: reach_sums
, CAST(coalesce(sum(u.{{counter}}) FILTER (WHERE w.as_of - u.day < 28), 0) AS bigint)
      AS reach_28,
  CAST(coalesce(sum(u.{{counter}}) FILTER (WHERE w.as_of - u.day BETWEEN 28 AND 55), 0)
      AS bigint) AS reach_28_before

-- name: reach_by_event_name
, sum(c.reach_28) AS reach_28, sum(c.reach_28_before) AS reach_28_before

-- name: reach_of_events
, CAST(coalesce(sum(t.reach_28) {{counted}}, 0) AS bigint) AS reach_28,
  CAST(coalesce(sum(t.reach_28_before) {{counted}}, 0) AS bigint) AS reach_28_before

-- name: of_events
-- An event that stands for several product features counts once.
FILTER (WHERE t.by_event AND coalesce(p.place, 1) = 1)

-- name: of_reach_events
FILTER (WHERE t.by_event AND coalesce(p.place, 1) = 1
    AND t.event_name = ANY(CAST(:reach_events AS text[])))
