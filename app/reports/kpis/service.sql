-- name: counted
NOT {{is_excluded}} AND NOT s.no_rate

-- name: join_account
LEFT JOIN {{account_then}} AS a ON a.account_id = s.account_id

-- name: person
-- The user of a usage row ``u``: a visitor counts as the user that they became.
CASE WHEN NOT u.is_anonymous THEN u.user_id ELSE (
    SELECT x.user_id FROM user_alias x
    WHERE x.workspace_id = :workspace_id AND x.anonymous_id = u.user_id
      AND x.known_on <= :known_on) END

-- name: paid_accounts
{{payments}}

-- name: use
(
    SELECT u.account_id, {{person}} AS user_id FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.event_name = ANY(CAST(:event_names AS text[]))
      AND u.day <= :until AND u.known_on <= :known_on
)

-- name: starts
-- The accounts that started within the period, as known then or now, and who used the events.
(
    WITH start AS (
        SELECT account_id, started_on FROM account WHERE workspace_id = :workspace_id
        UNION ALL SELECT account_id, started_on FROM {{account_then}} AS a
        UNION ALL SELECT {{account_at_subscription}}, min(s.starts_on) FROM subscription s
        WHERE s.workspace_id = :workspace_id AND s.known_on <= :known_on AND s.mrr_cents > 0
        GROUP BY 1
    ),
    started AS (SELECT account_id FROM start WHERE started_on BETWEEN :since AND :until)
    SELECT account_id, CAST(NULL AS text) AS user_id FROM started
    UNION ALL SELECT account_id, user_id FROM {{use}} AS u
    WHERE account_id IN (SELECT account_id FROM started)
)

-- name: purchases_of_events
(
    SELECT u.account_id, {{person}} AS user_id FROM (
        SELECT e.account_id, coalesce(e.user_id, e.anonymous_id) AS user_id,
               e.user_id IS NULL AS is_anonymous
        FROM event e
        WHERE e.workspace_id = :workspace_id AND e.name = ANY(CAST(:event_names AS text[]))
          AND e.occurred_at < CAST(:until AS date) + 1
          AND coalesce(e.known_on, CAST(timezone('UTC', e.received_at) AS date)) <= :known_on
    ) AS u
)

-- name: responses
(
    SELECT {{account_at_response}} AS account_id, r.user_id FROM survey_response r
    WHERE r.workspace_id = :workspace_id AND r.kind = 'nps' AND r.known_on <= :known_on
      AND r.at >= :since AND r.at < CAST(:until AS date) + 1
)

-- name: feedback_items
(
    SELECT {{account_at_item}} AS account_id, f.user_id FROM feedback_item f
    WHERE f.workspace_id = :workspace_id AND f.kind IN ('complaint', 'request')
      AND f.known_on <= :known_on
      AND f.at >= :since AND f.at < CAST(:until AS date) + 1
)

-- name: revenue_retention
-- The accounts that paid on the first day, and their MRR then and on the last day. lost: how many no
-- longer pay on the last day. retained_cents: without growth, the sum of the smaller of each
-- account's two amounts. Both amounts are converted at the rates of the first day, so that a rate
-- that moves is neither growth nor loss. excluded, no_rate: accounts left out.
WITH {{terms}},
account_term AS (
    SELECT t.account_id, t.mrr_cents,
           CASE WHEN t.currency = :base_currency THEN t.mrr_cents ELSE (
               SELECT CAST(least(round(t.mrr_cents * x.rate), 1e16) AS bigint)
               FROM exchange_rate x
               WHERE x.workspace_id = :workspace_id AND x.currency = t.currency
                 AND x.starts_on <= :since
               ORDER BY x.starts_on DESC LIMIT 1) END AS cents,
           t.starts_on <= :since AND coalesce(t.held_until > :since, true) AS opens,
           t.starts_on <= :until AND coalesce(t.held_until > :until, true) AS closes
    FROM term t
),
account_revenue AS (
    SELECT account_id,
           coalesce(sum(cents) FILTER (WHERE opens), 0) AS opening,
           coalesce(sum(cents) FILTER (WHERE closes), 0) AS closing,
           bool_or(cents IS NULL AND mrr_cents > 0) AS no_rate
    FROM account_term WHERE opens OR closes
    GROUP BY account_id
)
SELECT count(*) FILTER (WHERE {{counted}}) AS accounts,
       count(*) FILTER (WHERE {{counted}} AND closing = 0) AS lost,
       coalesce(sum(opening) FILTER (WHERE {{counted}}), 0) AS opening_cents,
       coalesce(sum(least(opening, closing)) FILTER (WHERE {{counted}}), 0) AS retained_cents,
       coalesce(sum(closing) FILTER (WHERE {{counted}}), 0) AS closing_cents,
       count(*) FILTER (WHERE {{is_excluded}}) AS excluded,
       count(*) FILTER (WHERE s.no_rate AND NOT {{is_excluded}}) AS no_rate
FROM account_revenue s {{join_account}}
WHERE s.opening > 0 OR s.no_rate

-- name: lifetimes
-- One row for each account that ever paid: the spans of time that it paid for, up to the end of the
-- last day, whether it has ended, and its MRR.
WITH {{terms}},
account_lifetime AS (
    SELECT account_id,
           range_agg(daterange(starts_on, least(ends_on, CAST(:until AS date) + 1))) AS spans,
           bool_or(coalesce(held_until > :until, true)) AS pays,
           coalesce(sum(cents) FILTER (WHERE coalesce(held_until > :until, true)), 0) AS cents,
           coalesce(bool_or(cents IS NULL), false) AS no_rate
    FROM term WHERE mrr_cents > 0 AND starts_on <= :until
    GROUP BY account_id
)
SELECT coalesce(a.segment, '') AS segment, s.spans, NOT s.pays AS ended, s.cents,
       {{is_excluded}} AS excluded, s.no_rate
FROM account_lifetime s {{join_account}}
ORDER BY s.account_id

-- name: cohorts
-- Size, accounts, cents and score for each start month and each month since. A month is evaluated on
-- its last day, the last month on :until. no_rate: accounts of the cohort left out of the cents of
-- every month, because the currency of one of their prices has no rate. excluded: accounts that
-- count nowhere; a cohort of only such accounts has the size 0.
WITH {{terms}},
paying AS (SELECT * FROM term WHERE mrr_cents > 0 AND starts_on <= :until),
first_paid AS (
    SELECT s.account_id, date_trunc('month', min(s.starts_on)) AS cohort,
           bool_or(s.cents IS NULL) AS no_rate, bool_or({{is_excluded}}) AS excluded
    FROM paying s {{join_account}}
    GROUP BY s.account_id
),
start AS (SELECT * FROM first_paid WHERE NOT excluded),
month AS (
    SELECT m AS month,
           least(CAST(m + interval '1 month' - interval '1 day' AS date), :until) AS ends
    FROM generate_series(CAST(:first AS timestamp), CAST(:last AS timestamp), '1 month') AS g (m)
),
paying_account AS (
    SELECT s.account_id, s.cohort, m.month, m.ends,
           sum(p.cents) FILTER (WHERE NOT s.no_rate) AS cents
    FROM start s
    CROSS JOIN month m
    JOIN paying p ON p.account_id = s.account_id AND p.starts_on <= m.ends
        AND coalesce(p.held_until > m.ends, true)
    WHERE s.cohort BETWEEN :first AND m.month
    GROUP BY s.account_id, s.cohort, m.month, m.ends
)
SELECT CAST(c.cohort AS date) AS cohort, CAST(m.month AS date) AS month, c.size, c.no_rate,
       c.excluded, count(s.account_id) AS accounts,
       CAST(coalesce(sum(s.cents), 0) AS bigint) AS cents,
       avg(h.score) AS score, count(h.score) AS scored
FROM (SELECT cohort, count(*) FILTER (WHERE NOT excluded) AS size,
             count(*) FILTER (WHERE no_rate AND NOT excluded) AS no_rate,
             count(*) FILTER (WHERE excluded) AS excluded
      FROM first_paid WHERE cohort BETWEEN :first AND :last
      GROUP BY cohort) AS c
JOIN month m ON m.month >= c.cohort
LEFT JOIN paying_account s ON s.cohort = c.cohort AND s.month = m.month
LEFT JOIN LATERAL (
    SELECT x.score FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = s.account_id
      AND x.as_of > m.ends - 7 AND x.as_of <= m.ends AND x.computed_at <= :known_before
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h ON true
GROUP BY c.cohort, m.month, c.size, c.no_rate, c.excluded ORDER BY c.cohort, m.month

-- name: distribution
-- Accounts, MRR and mean score by day and band: the last score of the week up to each day, without
-- later restatements. Accounts without one do not count. no_rate: accounts left out of the MRR.
SELECT d.day, h.band, count(*) AS accounts,
       CAST(coalesce(sum(h.mrr_cents) FILTER (WHERE NOT h.no_rate), 0) AS bigint) AS mrr_cents,
       count(*) FILTER (WHERE h.no_rate) AS no_rate, avg(h.score) AS score, count(h.score) AS scored
FROM unnest(CAST(:days AS date[])) AS d (day)
CROSS JOIN {{account_then}} AS a
CROSS JOIN LATERAL (
    SELECT x.band, x.mrr_cents, x.score, x.status,
           {{has_no_rate}} AS no_rate
    FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = a.account_id
      AND x.as_of > d.day - 7 AND x.as_of <= d.day
      AND (x.restatement = 0 OR x.computed_at <= :known_before)
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h
WHERE h.status NOT IN ('churned', 'excluded')
GROUP BY d.day, h.band ORDER BY d.day, h.band

-- name: first_value
-- The first use of any of the events, for accounts that started within the period. days: from the
-- start to the first use, or to :until if the account has not reached it. is_older: than the
-- sources that report these events; its first use is unknown.
WITH started AS (
    SELECT a.account_id, {{is_excluded}} AS excluded,
           least(t.started_on, p.first_paid_on) AS started_on,
           {{reported_from}} AS first_event_on
    FROM account a
    JOIN {{account_then}} AS t ON t.account_id = a.account_id
    LEFT JOIN (
        SELECT account_id, min(starts_on) AS first_paid_on FROM (
            SELECT DISTINCT ON (account_id, subscription_id, starts_on) *
            FROM subscription
            WHERE workspace_id = :workspace_id AND known_on <= :known_on
            ORDER BY account_id, subscription_id, starts_on, known_on DESC
        ) AS known
        WHERE mrr_cents > 0 AND coalesce(ends_on > starts_on, true)
        GROUP BY account_id
    ) AS p ON p.account_id = a.account_id
    WHERE a.workspace_id = :workspace_id
)
SELECT s.excluded, least(f.day, CAST(:until AS date)) - s.started_on AS days,
       coalesce(f.day <= :until, false) AS reached,
       coalesce(s.started_on < s.first_event_on, false) AS is_older
FROM started s
LEFT JOIN LATERAL (
    SELECT min(u.day) AS day FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = s.account_id
      AND u.event_name = ANY(CAST(:event_names AS text[]))
      AND u.day >= s.started_on AND u.day <= :until AND u.known_on <= :known_on
      {{without_excluded_users}}
) AS f ON true
WHERE s.started_on BETWEEN :since AND :until
ORDER BY s.account_id

-- name: purchases
purchase AS (
    SELECT u.account_id, u.day, min(u.day) OVER (PARTITION BY u.account_id) AS first_on
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.event_name = ANY(CAST(:event_names AS text[]))
      AND u.day <= :known_on AND u.known_on <= :known_on
      {{without_excluded_users}}
)

-- name: repurchases
-- The buyers whose first purchase is in the period, and those that bought again. is_older: accounts
-- that are older than the sources of these events: their first purchase is unknown.
WITH {{purchases}},
buyer AS (
    SELECT account_id, first_on, min(day) FILTER (WHERE day > first_on) AS again_on
    FROM purchase GROUP BY account_id, first_on
)
SELECT count(*) FILTER (WHERE counts) AS buyers,
       count(*) FILTER (WHERE counts AND again_on <= first_on + CAST(:within AS int))
           AS bought_again,
       count(*) FILTER (WHERE excluded) AS excluded,
       count(*) FILTER (WHERE is_older AND NOT excluded) AS is_older,
       count(*) FILTER (WHERE NOT old_enough AND NOT is_older AND NOT excluded) AS too_young
FROM (
    SELECT *, old_enough AND NOT is_older AND NOT excluded AS counts FROM (
    SELECT b.*, {{is_excluded}} AS excluded,
           coalesce({{account_began_on}} < {{reported_from}}, false) AS is_older,
           b.first_on + CAST(:within AS int) <= :known_on AS old_enough
    FROM buyer b
    LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = b.account_id
    WHERE b.first_on BETWEEN :since AND :until
    ) AS judged
) AS counted

-- name: purchase_value
-- What accounts spent in each calendar month of their age, over the accounts observed to its end,
-- and how many of these bought. :property has the amount of a purchase. Purchases that became known
-- later, and those of impersonated or excluded people, do not count. excluded: excluded accounts
-- that bought. is_older: accounts that are older than the sources of these events: their age is unknown.
WITH older AS MATERIALIZED (
    SELECT a.account_id, true AS is_older FROM account a
    WHERE a.workspace_id = :workspace_id AND {{account_began_on}} < {{reported_from}}
),
any_purchase AS (
    SELECT e.account_id, CAST(timezone('UTC', e.occurred_at) AS date) AS day,
           CASE WHEN jsonb_typeof(e.properties -> :property) = 'number'
                THEN CAST(e.properties ->> :property AS numeric) END AS amount,
           {{is_excluded}} AS excluded, coalesce(o.is_older, false) AS is_older
    FROM event e
    CROSS JOIN LATERAL (
        SELECT coalesce(e.user_id, e.anonymous_id, '') AS user_id,
               e.user_id IS NULL AS is_anonymous
    ) AS u
    LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = e.account_id
    LEFT JOIN older o ON o.account_id = e.account_id
    WHERE e.workspace_id = :workspace_id AND e.name = ANY(CAST(:event_names AS text[]))
      AND e.occurred_at < CAST(:until AS date) + 1 AND e.account_id IS NOT NULL
      AND coalesce(e.known_on, CAST(timezone('UTC', e.received_at) AS date)) <= :known_on
      AND e.properties -> 'impersonated' IS DISTINCT FROM CAST('true' AS jsonb)
      {{without_excluded_users}}
),
purchase AS (
    SELECT account_id, day, amount, min(day) OVER (PARTITION BY account_id) AS first_on
    FROM any_purchase WHERE NOT excluded AND NOT is_older
),
aged AS (
    SELECT *, CAST(12 * (extract(year FROM day) - extract(year FROM first_on))
                   + extract(month FROM day) - extract(month FROM first_on) AS int) AS months
    FROM purchase
),
spent AS (
    SELECT account_id, sum(amount) AS amount,
           CASE WHEN first_on + months * interval '1 month' > day THEN months - 1 ELSE months END
               AS month
    FROM aged GROUP BY account_id, 3
),
buyer AS (SELECT DISTINCT account_id, first_on FROM purchase)
SELECT m.month, count(DISTINCT b.account_id) AS observed, count(s.account_id) AS active,
       coalesce(sum(s.amount), 0) AS amount, (
           SELECT count(DISTINCT account_id) FROM any_purchase WHERE excluded) AS excluded, (
           SELECT count(DISTINCT account_id) FROM any_purchase
           WHERE is_older AND NOT excluded) AS is_older
FROM generate_series(0, CAST(:months AS int) - 1) AS m (month)
LEFT JOIN buyer b ON b.first_on + (m.month + 1) * interval '1 month' <= CAST(:until AS date) + 1
LEFT JOIN spent s ON s.account_id = b.account_id AND s.month = m.month
GROUP BY m.month ORDER BY m.month

-- name: nps
-- Answers, promoters, detractors and excluded answers: the newest answer of each person within the
-- period. Anonymous answers count one each.
WITH latest AS (
    SELECT DISTINCT ON (coalesce(r.user_id, r.response_id), {{account_at_response}})
           r.score, {{account_at_response}} AS account_id, {{by_excluded_person}} AS excluded
    FROM survey_response r
    WHERE r.workspace_id = :workspace_id AND r.kind = 'nps' AND r.known_on <= :known_on
      AND r.known_until > :known_on
      AND r.at >= :since AND r.at < CAST(:until AS date) + 1
    ORDER BY coalesce(r.user_id, r.response_id), {{account_at_response}}, r.at DESC, r.response_id
)
SELECT count(*) FILTER (WHERE NOT excluded) AS answers,
       count(*) FILTER (WHERE NOT excluded AND score >= 9) AS promoters,
       count(*) FILTER (WHERE NOT excluded AND score <= 6) AS detractors,
       count(*) FILTER (WHERE excluded) AS excluded
FROM (
    SELECT s.score, s.excluded OR {{is_excluded}} AS excluded
    FROM latest s {{join_account}}
) AS counted

-- name: feedback
-- Complaints and requests of the period by topic, or without a topic by product feature. An item is
-- closed on the day on which its author was notified of the resolution. no_rate: accounts left out
-- of the revenue.
WITH {{terms}},
paying AS (
    SELECT account_id, bool_or(cents IS NULL AND mrr_cents > 0) AS no_rate, sum(cents) AS cents
    FROM term
    WHERE starts_on <= :until AND coalesce(held_until > :until, true) GROUP BY account_id
),
feedback AS (
    SELECT {{account_at_item}} AS account_id, f.kind,
           coalesce(nullif(lower(trim(f.topic)), ''), f.product_feature) AS topic,
           CAST(timezone('UTC', f.at) AS date) AS day,
           CAST(timezone('UTC', CASE WHEN f.resolved_known_on <= :known_on
               THEN f.notified_at END) AS date) AS closed_on
    FROM feedback_item f
    LEFT JOIN {{account_then}} AS a ON a.account_id = {{account_at_item}}
    WHERE f.workspace_id = :workspace_id AND f.kind IN ('complaint', 'request')
      AND f.known_on <= :known_on AND f.known_until > :known_on AND NOT {{is_excluded}}
      AND NOT {{by_excluded_author}}
),
item AS (
    SELECT account_id, kind, topic, coalesce(closed_on <= :until, false) AS closed,
           least(closed_on, CAST(:until AS date)) - day AS days,
           row_number() OVER (PARTITION BY kind, topic, account_id) AS nth_of_account
    FROM feedback WHERE day BETWEEN :since AND :until
)
SELECT i.kind, i.topic, count(*) AS items, count(*) FILTER (WHERE nth_of_account = 1) AS accounts,
       CAST(coalesce(sum(p.cents) FILTER (WHERE nth_of_account = 1 AND NOT p.no_rate), 0) AS bigint)
           AS mrr_cents,
       count(*) FILTER (WHERE nth_of_account = 1 AND p.no_rate) AS no_rate,
       count(*) FILTER (WHERE NOT closed) AS open, count(*) FILTER (WHERE closed) AS closed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY days) FILTER (WHERE closed)
           AS median_days_to_close,
       max(days) FILTER (WHERE NOT closed) AS oldest_open_days
FROM item i
LEFT JOIN paying p ON p.account_id = i.account_id
GROUP BY i.kind, i.topic ORDER BY mrr_cents DESC, accounts DESC, i.kind, i.topic
LIMIT CAST(:limit AS int)
