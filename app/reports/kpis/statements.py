"""The SQL of the KPIs, one readable statement each (docs/adr/0009)."""

from sqlalchemy import text

from app.reports.statements import TERMS

COUNTED = "NOT coalesce(a.excluded, false) AND NOT s.no_rate"
JOIN_ACCOUNT = (
    "LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = s.account_id"
)

REVENUE_RETENTION = text(f"""
WITH {TERMS},
account_revenue AS (
    SELECT account_id,
           coalesce(sum(cents) FILTER (WHERE starts_on <= :since
               AND coalesce(ends_on > :since, true)), 0) AS opening,
           coalesce(sum(cents) FILTER (WHERE starts_on <= :until
               AND coalesce(ends_on > :until, true)), 0) AS closing,
           bool_or(cents IS NULL AND mrr_cents > 0) AS no_rate
    FROM term
    WHERE (starts_on <= :since AND coalesce(ends_on > :since, true))
       OR (starts_on <= :until AND coalesce(ends_on > :until, true))
    GROUP BY account_id
)
SELECT count(*) FILTER (WHERE {COUNTED}) AS accounts,
       count(*) FILTER (WHERE {COUNTED} AND closing = 0) AS lost,
       coalesce(sum(opening) FILTER (WHERE {COUNTED}), 0) AS opening_cents,
       coalesce(sum(least(opening, closing)) FILTER (WHERE {COUNTED}), 0) AS retained_cents,
       coalesce(sum(closing) FILTER (WHERE {COUNTED}), 0) AS closing_cents,
       count(*) FILTER (WHERE coalesce(a.excluded, false)) AS excluded,
       count(*) FILTER (WHERE s.no_rate AND NOT coalesce(a.excluded, false)) AS no_rate
FROM account_revenue s {JOIN_ACCOUNT}
WHERE s.opening > 0 OR s.no_rate
""")  # noqa: S608 - made of the text above

# One row for each account that ever paid: for how many days, whether it has ended, and its MRR.
LIFETIMES = text(f"""
WITH {TERMS},
account_lifetime AS (
    SELECT account_id, min(starts_on) AS first_paid_on,
           bool_or(coalesce(ends_on > :until, true) AND starts_on <= :until) AS pays,
           max(least(ends_on, CAST(:until AS date))) AS paid_until,
           coalesce(sum(cents) FILTER (WHERE coalesce(ends_on > :until, true)), 0) AS cents,
           coalesce(bool_or(cents IS NULL), false) AS no_rate
    FROM term WHERE mrr_cents > 0 AND starts_on <= :until
    GROUP BY account_id
)
SELECT coalesce(a.segment, '') AS segment,
       (CASE WHEN s.pays THEN CAST(:until AS date) ELSE s.paid_until END) - s.first_paid_on AS days,
       NOT s.pays AS ended, s.cents, coalesce(a.excluded, false) AS excluded, s.no_rate
FROM account_lifetime s {JOIN_ACCOUNT}
ORDER BY s.account_id
""")  # noqa: S608 - made of the text above

COHORTS = text(f"""
WITH {TERMS},
paying AS (SELECT * FROM term WHERE mrr_cents > 0),
start AS (
    SELECT s.account_id, date_trunc('month', min(s.starts_on)) AS cohort
    FROM paying s {JOIN_ACCOUNT}
    WHERE NOT coalesce(a.excluded, false)
    GROUP BY s.account_id
),
month AS (
    SELECT m AS month,
           least(CAST(m + interval '1 month' - interval '1 day' AS date), :until) AS ends
    FROM generate_series(CAST(:first AS timestamp), CAST(:last AS timestamp), '1 month') AS g (m)
),
paying_account AS (
    SELECT s.account_id, s.cohort, m.month, m.ends, sum(p.cents) AS cents
    FROM start s
    CROSS JOIN month m
    JOIN paying p ON p.account_id = s.account_id AND p.starts_on <= m.ends
        AND coalesce(p.ends_on > m.ends, true)
    WHERE s.cohort BETWEEN :first AND m.month
    GROUP BY s.account_id, s.cohort, m.month, m.ends
)
SELECT CAST(c.cohort AS date) AS cohort, CAST(m.month AS date) AS month, c.size,
       count(s.account_id) AS accounts, CAST(coalesce(sum(s.cents), 0) AS bigint) AS cents,
       avg(h.score) AS score, count(h.score) AS scored
FROM (SELECT cohort, count(*) AS size FROM start WHERE cohort BETWEEN :first AND :last
      GROUP BY cohort) AS c
JOIN month m ON m.month >= c.cohort
LEFT JOIN paying_account s ON s.cohort = c.cohort AND s.month = m.month
LEFT JOIN LATERAL (
    SELECT x.score FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = s.account_id
      AND x.as_of > m.ends - 7 AND x.as_of <= m.ends AND x.computed_at <= :seen_at
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h ON true
GROUP BY c.cohort, m.month, c.size ORDER BY c.cohort, m.month
""")  # noqa: S608 - made of the text above

# The last score of the week up to each day. Accounts without one do not count.
DISTRIBUTION = text("""
SELECT d.day, h.band, count(*) AS accounts, sum(h.mrr_cents) AS mrr_cents, avg(h.score) AS score
FROM unnest(CAST(:days AS date[])) AS d (day)
CROSS JOIN account a
CROSS JOIN LATERAL (
    SELECT x.band, x.mrr_cents, x.score, x.status FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = a.account_id
      AND x.as_of > d.day - 7 AND x.as_of <= d.day
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h
WHERE a.workspace_id = :workspace_id AND h.status NOT IN ('churned', 'excluded')
GROUP BY d.day, h.band ORDER BY d.day, h.band
""")

# The first use of any of the events, for accounts that started within the period.
FIRST_VALUE = text("""
WITH started AS (
    SELECT a.account_id, a.excluded, least(a.started_on, p.first_paid_on) AS started_on
    FROM account a
    LEFT JOIN (
        SELECT account_id, min(starts_on) AS first_paid_on FROM subscription
        WHERE workspace_id = :workspace_id AND known_on <= :known_on AND mrr_cents > 0
          AND coalesce(ends_on > starts_on, true)
        GROUP BY account_id
    ) AS p ON p.account_id = a.account_id
    WHERE a.workspace_id = :workspace_id
)
SELECT s.excluded, least(f.day, CAST(:until AS date)) - s.started_on AS days,
       coalesce(f.day <= :until, false) AS reached
FROM started s
LEFT JOIN LATERAL (
    SELECT min(u.day) AS day FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = s.account_id
      AND u.event_name = ANY(CAST(:event_names AS text[]))
      AND u.day >= s.started_on AND u.day <= :until AND u.known_on <= :known_on
) AS f ON true
WHERE s.started_on BETWEEN :since AND :until
ORDER BY s.account_id
""")

PURCHASES = """
purchase AS (
    SELECT u.account_id, u.day, min(u.day) OVER (PARTITION BY u.account_id) AS first_on
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.event_name = ANY(CAST(:event_names AS text[]))
      AND u.day <= :known_on AND u.known_on <= :known_on
)"""

REPURCHASES = text(f"""
WITH {PURCHASES},
buyer AS (
    SELECT account_id, first_on, min(day) FILTER (WHERE day > first_on) AS again_on
    FROM purchase GROUP BY account_id, first_on
)
SELECT count(*) FILTER (WHERE old_enough AND NOT excluded) AS buyers,
       count(*) FILTER (WHERE old_enough AND NOT excluded
           AND again_on <= first_on + CAST(:within AS int)) AS bought_again,
       count(*) FILTER (WHERE excluded) AS excluded,
       count(*) FILTER (WHERE NOT old_enough AND NOT excluded) AS too_young
FROM (
    SELECT b.*, coalesce(a.excluded, false) AS excluded,
           b.first_on + CAST(:within AS int) <= :known_on AS old_enough
    FROM buyer b
    LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = b.account_id
    WHERE b.first_on BETWEEN :since AND :until
) AS counted
""")  # noqa: S608 - made of the text above

# What accounts spent in each month of their age (30 days), over the accounts observed to its end.
PURCHASE_VALUE = text("""
WITH purchase AS (
    SELECT e.account_id, CAST(timezone('UTC', e.client_at) AS date) AS day,
           CASE WHEN jsonb_typeof(e.properties -> :property) = 'number'
                THEN CAST(e.properties ->> :property AS numeric) END AS amount
    FROM event e
    LEFT JOIN account a ON a.workspace_id = e.workspace_id AND a.account_id = e.account_id
    WHERE e.workspace_id = :workspace_id AND e.name = ANY(CAST(:event_names AS text[]))
      AND e.client_at < CAST(:until AS date) + 1 AND e.account_id IS NOT NULL
      AND NOT coalesce(a.excluded, false)
),
aged AS (
    SELECT *, min(day) OVER (PARTITION BY account_id) AS first_on FROM purchase
),
spent AS (
    SELECT (day - first_on) / 30 AS month, account_id, sum(amount) AS amount, first_on
    FROM aged GROUP BY 1, account_id, first_on
),
buyer AS (SELECT DISTINCT account_id, first_on FROM aged)
SELECT m.month, count(DISTINCT b.account_id) AS observed, count(s.account_id) AS active,
       coalesce(sum(s.amount), 0) AS amount
FROM generate_series(0, CAST(:months AS int) - 1) AS m (month)
JOIN buyer b ON b.first_on + 30 * (m.month + 1) <= CAST(:until AS date) + 1
LEFT JOIN spent s ON s.account_id = b.account_id AND s.month = m.month
GROUP BY m.month ORDER BY m.month
""")

# The newest answer of each person within the period. Anonymous answers count one each.
NPS = text("""
WITH latest AS (
    SELECT DISTINCT ON (coalesce(r.user_id, r.response_id), r.account_id) r.score, r.account_id
    FROM survey_response r
    WHERE r.workspace_id = :workspace_id AND r.kind = 'nps' AND r.known_on <= :known_on
      AND r.at >= :since AND r.at < CAST(:until AS date) + 1
    ORDER BY coalesce(r.user_id, r.response_id), r.account_id, r.at DESC, r.response_id
)
SELECT count(*) FILTER (WHERE NOT excluded) AS answers,
       count(*) FILTER (WHERE NOT excluded AND score >= 9) AS promoters,
       count(*) FILTER (WHERE NOT excluded AND score <= 6) AS detractors,
       count(*) FILTER (WHERE excluded) AS excluded
FROM (
    SELECT l.score, coalesce(a.excluded, false) AS excluded
    FROM latest l
    LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.account_id
) AS counted
""")
