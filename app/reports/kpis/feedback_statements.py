"""The SQL of complaints and requests by topic."""

from sqlalchemy import text

from app.reports.statements import TERMS

# Complaints and requests of the period by topic, or without a topic by product feature. An item is
# closed on the day on which its author was notified of the resolution.
FEEDBACK = text(f"""
WITH {TERMS},
paying AS (
    SELECT account_id, sum(cents) AS cents FROM term
    WHERE starts_on <= :until AND coalesce(ends_on > :until, true) GROUP BY account_id
),
feedback AS (
    SELECT f.account_id, f.kind,
           coalesce(nullif(lower(trim(f.topic)), ''), f.product_feature) AS topic,
           CAST(timezone('UTC', f.at) AS date) AS day,
           CAST(timezone('UTC', CASE WHEN f.resolved_known_on <= :known_on
               THEN f.notified_at END) AS date) AS closed_on
    FROM feedback_item f
    LEFT JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = f.account_id
    WHERE f.workspace_id = :workspace_id AND f.kind IN ('complaint', 'request')
      AND f.known_on <= :known_on AND NOT coalesce(a.excluded, false)
),
item AS (
    SELECT account_id, kind, topic, coalesce(closed_on <= :until, false) AS closed,
           least(closed_on, CAST(:until AS date)) - day AS days,
           row_number() OVER (PARTITION BY kind, topic, account_id) AS nth_of_account
    FROM feedback WHERE day BETWEEN :since AND :until
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
