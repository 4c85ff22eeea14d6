"""The SQL of what accounts ask for and when those at risk renew."""

from sqlalchemy import text

from app.reports.statements import TERMS

# Complaints and requests of the days, by topic; without one by the product feature.
FEEDBACK = text(f"""
WITH {TERMS},
paying AS (
    SELECT account_id, sum(cents) AS cents FROM term
    WHERE starts_on <= :until AND coalesce(ends_on > :until, true) GROUP BY account_id
),
said AS (
    SELECT f.account_id, f.kind,
           coalesce(nullif(lower(trim(f.topic)), ''), f.product_feature) AS topic,
           CAST(timezone('UTC', f.at) AS date) AS day,
           CAST(timezone('UTC', CASE WHEN f.resolved_known_on <= :known_on
               THEN f.told_at END) AS date) AS told_on
    FROM feedback_item f
    LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = f.account_id
    WHERE f.workspace_id = :workspace_id AND f.kind IN ('complaint', 'request')
      AND f.known_on <= :known_on AND NOT coalesce(a.excluded, false)
),
item AS (
    SELECT account_id, kind, topic, coalesce(told_on <= :until, false) AS closed,
           least(told_on, CAST(:until AS date)) - day AS days,
           row_number() OVER (PARTITION BY kind, topic, account_id) AS nth_of_account
    FROM said WHERE day BETWEEN :since AND :until
)
SELECT i.kind, i.topic, count(*) AS items, count(*) FILTER (WHERE nth_of_account = 1) AS accounts,
       CAST(coalesce(sum(p.cents) FILTER (WHERE nth_of_account = 1), 0) AS bigint) AS mrr_cents,
       count(*) FILTER (WHERE NOT closed) AS open, count(*) FILTER (WHERE closed) AS closed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY days) FILTER (WHERE closed)
           AS median_days_to_close,
       max(days) FILTER (WHERE NOT closed) AS oldest_open_days
FROM item i
LEFT JOIN paying p ON p.account_id = i.account_id
GROUP BY i.kind, i.topic ORDER BY mrr_cents DESC, accounts DESC, i.kind, i.topic
LIMIT CAST(:limit AS int)
""")  # noqa: S608 - made of the text above

# The last row of the week up to the day with the newest churn risk by then, by renewal quarter.
ARR_AT_RISK = text("""
WITH standing AS (
    SELECT h.band = 'at_risk' AS at_risk, 12 * h.mrr_cents AS arr, c.probability,
           CAST(h.details ->> 'renewal_on' AS date) AS renewal_on
    FROM account a
    CROSS JOIN LATERAL (
        SELECT x.band, x.mrr_cents, x.status, x.details FROM health_history x
        WHERE x.workspace_id = :workspace_id AND x.account_id = a.account_id
          AND x.as_of > CAST(:day AS date) - 7 AND x.as_of <= :day
        ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
    ) AS h
    LEFT JOIN LATERAL (
        SELECT y.probability FROM churn_risk_history y
        WHERE y.workspace_id = :workspace_id AND y.account_id = a.account_id AND y.as_of <= :day
        ORDER BY y.as_of DESC LIMIT 1
    ) AS c ON true
    WHERE a.workspace_id = :workspace_id AND NOT a.excluded
      AND h.status NOT IN ('churned', 'excluded')
)
SELECT to_char(renewal_on, 'YYYY-"Q"Q') AS quarter, CAST(sum(arr) AS bigint) AS arr_of_all,
       count(*) FILTER (WHERE at_risk) AS accounts,
       count(probability) FILTER (WHERE at_risk) AS with_probability,
       CAST(coalesce(sum(arr) FILTER (WHERE at_risk), 0) AS bigint) AS arr_cents,
       CAST(coalesce(sum(round(CAST(arr * coalesce(probability, 1) AS numeric)))
           FILTER (WHERE at_risk), 0) AS bigint) AS revenue_at_risk_cents
FROM standing GROUP BY 1 ORDER BY 1
""")
