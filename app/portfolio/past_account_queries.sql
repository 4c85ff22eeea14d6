-- name: past_scores
-- The last score of each account on or before a day, as it was first written, with the attributes
-- that the account had when it was written. Columns as in health_score and account.
SELECT w.account_id, h.as_of, h.score, h.band, h.status, h.coverage, h.details,
       {{known_mrr_cents}} AS mrr_cents,
       h.details ->> 'renewal_on' AS renewal_on, h.details ->> 'notice_on' AS notice_on,
       h.details ->> 'last_used_on' AS last_used_on, h.details ->> 'currency' AS currency,
       CAST(h.details ->> 'seats' AS double precision) AS seats,
       CAST(h.details ->> 'price_cents' AS double precision) AS price_cents,
       CAST(h.details #>> '{trend,d7}' AS double precision) AS trend7,
       CAST(h.details #>> '{trend,d28}' AS double precision) AS trend28,
       CAST(h.details #>> '{trend,d90}' AS double precision) AS trend90,
       CAST(h.details #>> '{entitlement,value_leak_cents}' AS double precision)
           AS value_leak_cents,
       h.inputs, h.inputs ->> 'plan' AS plan, h.inputs ->> 'segment' AS segment,
       h.inputs ->> 'industry' AS industry, h.inputs ->> 'owner' AS owner,
       CAST(h.inputs ->> 'employees' AS bigint) AS employees,
       CAST(h.inputs ->> 'end_customers' AS bigint) AS end_customers,
       CAST(h.inputs ->> 'excluded' AS boolean) AS excluded
FROM unnest(CAST(:past_ids AS text[])) AS w (account_id)
CROSS JOIN LATERAL (
    SELECT x.*, x.details -> 'inputs' AS inputs FROM health_history x
    WHERE x.workspace_id = :past_workspace_id AND x.account_id = w.account_id
      AND x.as_of <= :past_day AND x.restatement = 0
    ORDER BY x.as_of DESC, x.change DESC LIMIT 1
) AS h

-- name: past_risks
SELECT w.account_id, r.level, r.probability, r.revenue_at_risk_cents
FROM unnest(CAST(:past_ids AS text[])) AS w (account_id)
CROSS JOIN LATERAL (
    SELECT x.level, x.probability,
           CASE WHEN x.details ->> 'revenue_basis' IN ('probability', 'assumed')
                THEN x.revenue_at_risk_cents END AS revenue_at_risk_cents
    FROM churn_risk_history x
    WHERE x.workspace_id = :past_workspace_id AND x.account_id = w.account_id
      AND x.as_of <= :past_day
    ORDER BY x.as_of DESC LIMIT 1
) AS r
