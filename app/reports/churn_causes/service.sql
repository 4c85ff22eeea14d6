-- name: observed_from
-- The first day on which conditions are known: use is known for whole windows of :use_days days. Before
-- the first event nothing is known, also not which steps an account that began before has done.
SELECT greatest(:since, f.day) AS events, greatest(:since, f.day + CAST(:use_days AS int) - 1) AS use,
       coalesce(f.day, '0001-01-01') AS started_from
FROM (SELECT {{first_event_day}} AS day) AS f

-- name: stay_ctes
-- Each account that paid within the period: its paid days, its start, and the first day not paid if
-- it does not pay on the last day. The days between a contract and its renewal count as paid. The
-- last day counts as paid or not, and is no day after which an account can churn. Only days from
-- :observed_from on, and accounts that started on :started_from or later.
WITH {{terms}},
paid AS (
    SELECT s.account_id, min(s.starts_on) AS first_paid_on,
           range_agg(daterange(s.starts_on, s.held_until)) AS days
    FROM term s
    LEFT JOIN {{account_then}} AS a ON a.account_id = s.account_id
    WHERE s.mrr_cents > 0 AND s.starts_on <= :until AND NOT {{is_excluded}}
    GROUP BY s.account_id
),
stay AS (
    SELECT p.account_id,
           p.days * datemultirange(daterange(least(:observed_from, :until), :until)) AS days,
           CASE WHEN NOT p.days @> CAST(:until AS date) THEN upper(p.days) END AS left_on,
           least(a.started_on, a.trial_started_on, p.first_paid_on) AS started_on
    FROM paid p
    LEFT JOIN {{account_then}} AS a ON a.account_id = p.account_id
    WHERE p.days && daterange(least(:observed_from, :until), :until, '[]')
      AND least(a.started_on, a.trial_started_on, p.first_paid_on) >= :started_from
)

-- name: exposure_counts
-- By key of the condition: accounts that met it, accounts that always met it, paid days with it, and
-- accounts that churned right after such a day.
SELECT h.key, count(*) AS accounts, count(*) FILTER (WHERE s.days <@ h.days) AS always,
       coalesce(sum(d.days), 0) AS days,
       count(*) FILTER (WHERE h.days @> s.left_on - 1) AS left
FROM exposure h
JOIN stay s ON s.account_id = h.account_id AND s.days && h.days
CROSS JOIN LATERAL (
    SELECT sum(upper(r) - lower(r)) AS days FROM unnest(s.days * h.days) AS u (r)
) AS d
GROUP BY h.key ORDER BY h.key

-- name: conditions
-- The accounts that paid, and who used them: merges are not told apart in use and signals.
(
    SELECT * FROM {{payments}} AS p
    UNION ALL SELECT NULL, u.user_id FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.day < :until AND u.known_on <= :known_on
      AND NOT u.is_anonymous
)

-- name: stays
{{stay_ctes}}
SELECT s.account_id, s.left_on, s.left_on - s.started_on AS tenure, coalesce(d.days, 0) AS days
FROM stay s
CROSS JOIN LATERAL (SELECT sum(upper(r) - lower(r)) AS days FROM unnest(s.days) AS u (r)) AS d
ORDER BY s.account_id

-- name: signal_exposure
-- From the day on which a signal opened until :within days after it cleared.
{{stay_ctes}},
exposure AS (
    SELECT account_id, signal AS key,
           range_agg(daterange(opened_on, least(cleared_on, :until) + CAST(:within AS int) + 1))
               AS days
    FROM (
        SELECT account_id, signal, CAST(timezone('UTC', opened_at) AS date) AS opened_on,
               CAST(timezone('UTC', cleared_at) AS date) AS cleared_on
        FROM account_signal WHERE workspace_id = :workspace_id AND signal <> 'churned'
    ) AS g
    WHERE opened_on < :until
    GROUP BY account_id, signal
)
{{exposure_counts}}

-- name: feature_use_exposure
-- From each day of use, for :within days. Of the days of use in one block of :within days, the first
-- and the last are enough.
{{stay_ctes}},
used AS (
    SELECT u.account_id, u.event_name, min(u.day) AS first_day, max(u.day) AS last_day
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.day > CAST(:since AS date) - CAST(:within AS int)
      AND u.day < :until AND u.known_on <= :known_on
      {{without_excluded_users}}
    GROUP BY u.account_id, u.event_name,
             (u.day - CAST(:since AS date) + :within) / CAST(:within AS int)
),
exposure AS (
    SELECT u.account_id, f.key,
           range_agg(daterange(u.first_day, u.last_day + CAST(:within AS int))) AS days
    FROM used u
    JOIN product_feature f ON f.workspace_id = :workspace_id AND u.event_name = ANY(f.event_names)
    GROUP BY u.account_id, f.key
)
{{exposure_counts}}

-- name: onboarding_exposure
-- The days on which a step is the first one not done. The empty key: days on which all are done.
{{stay_ctes}},
done AS (
    SELECT account_id, step_key, CAST(timezone('UTC', min(done_at)) AS date) AS day
    FROM onboarding_completion c
    WHERE workspace_id = :workspace_id AND known_on <= :known_on AND NOT {{by_excluded_user}}
    GROUP BY account_id, step_key
),
step AS (
    SELECT s.account_id, o.key, coalesce(d.day, 'infinity') AS day, coalesce(
               max(coalesce(d.day, 'infinity')) OVER (
                   PARTITION BY s.account_id ORDER BY o.position, o.key
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '-infinity') AS before
    FROM stay s
    CROSS JOIN onboarding_step o
    LEFT JOIN done d ON d.account_id = s.account_id AND d.step_key = o.key
    WHERE o.workspace_id = :workspace_id
),
exposure AS (
    SELECT account_id, key, datemultirange(daterange(before, day)) AS days
    FROM step WHERE before < day
    UNION ALL
    SELECT account_id, '', datemultirange(daterange(max(day), NULL))
    FROM step GROUP BY account_id HAVING max(day) < 'infinity'
)
{{exposure_counts}}

-- name: churn_reasons
{{stay_ctes}},
ended AS (
    SELECT DISTINCT ON (s.account_id) nullif(trim(t.end_reason), '') AS reason,
           sum(t.cents) OVER (PARTITION BY s.account_id) AS cents,
           bool_or(t.cents IS NULL) OVER (PARTITION BY s.account_id) AS no_rate
    FROM stay s
    JOIN term t ON t.account_id = s.account_id AND t.ends_on = s.left_on AND t.mrr_cents > 0
    ORDER BY s.account_id, nullif(trim(t.end_reason), '') IS NULL, t.cents DESC NULLS LAST
)
SELECT reason, count(*) AS accounts, CAST(coalesce(sum(cents), 0) AS bigint) AS mrr_cents,
       count(*) FILTER (WHERE no_rate) AS no_rate
FROM ended GROUP BY reason ORDER BY mrr_cents DESC, accounts DESC, reason
