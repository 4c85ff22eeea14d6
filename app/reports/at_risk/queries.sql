-- name: arr_at_risk
-- The last score of the week up to the day, without later restatements, with the newest churn risk
-- by then, by renewal quarter. no_rate: accounts left out, because their currency has no rate.
-- Accounts are at risk as in the list of them, and the amounts are those of revenue_at_risk.
WITH scored_account AS (
    SELECT (h.band = 'at_risk' OR coalesce(c.level = 'high', false))
               AND NOT h.no_rate AND NOT {{is_excluded}} AS at_risk,
           CASE WHEN NOT h.no_rate AND NOT {{is_excluded}} THEN 12 * h.mrr_cents ELSE 0 END AS arr,
           h.no_rate AND NOT {{is_excluded}} AS no_rate, {{is_excluded}} AS excluded, c.probability,
           coalesce(c.probability_low, c.probability) AS low,
           coalesce(c.probability_high, c.probability) AS high,
           CAST(h.details ->> 'renewal_on' AS date) AS renewal_on
    FROM {{account_then}} AS a
    CROSS JOIN LATERAL (
        SELECT x.band, x.mrr_cents, x.status, x.details,
               {{has_no_rate}} AS no_rate
        FROM health_history x
        WHERE x.workspace_id = :workspace_id AND x.account_id = a.account_id
          AND x.as_of > CAST(:until AS date) - 7 AND x.as_of <= :until
          AND (x.restatement = 0 OR x.computed_at <= :known_before)
        ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
    ) AS h
    LEFT JOIN LATERAL (
        SELECT y.probability, y.probability_low, y.probability_high, y.level
        FROM churn_risk_history y
        WHERE y.workspace_id = :workspace_id AND y.account_id = a.account_id AND y.as_of <= :until
        ORDER BY y.as_of DESC LIMIT 1
    ) AS c ON true
    WHERE h.status NOT IN ('churned', 'excluded')
), amount AS (
    SELECT *, CAST(round(arr * probability) AS bigint) AS expected_loss,
           CAST(round(arr * low) AS bigint) AS loss_at_low,
           CAST(round(arr * high) AS bigint) AS loss_at_high,
           CASE WHEN probability IS NULL THEN (arr * :assumed_percent + 50) / 100 END
               AS assumed_loss
    FROM scored_account
)
SELECT to_char(renewal_on, 'YYYY-"Q"Q') AS quarter, CAST(sum(arr) AS bigint) AS arr_of_all,
       count(*) FILTER (WHERE at_risk) AS accounts,
       count(*) FILTER (WHERE no_rate) AS no_rate, count(*) FILTER (WHERE excluded) AS excluded,
       count(probability) FILTER (WHERE at_risk) AS with_probability,
       CAST(coalesce(sum(arr) FILTER (WHERE at_risk), 0) AS bigint) AS arr_cents,
       CAST(coalesce(sum(coalesce(expected_loss, assumed_loss)) FILTER (WHERE at_risk), 0)
           AS bigint) AS revenue_at_risk_cents,
       CAST(coalesce(sum(expected_loss) FILTER (WHERE at_risk), 0) AS bigint) AS probability_cents,
       CAST(coalesce(sum(loss_at_low) FILTER (WHERE at_risk), 0) AS bigint)
           AS probability_low_cents,
       CAST(coalesce(sum(loss_at_high) FILTER (WHERE at_risk), 0) AS bigint)
           AS probability_high_cents,
       CAST(coalesce(sum(assumed_loss) FILTER (WHERE at_risk), 0) AS bigint) AS assumed_cents
FROM amount GROUP BY 1 ORDER BY 1

-- name: scored_accounts
-- A merge deletes the churn risk of the old account.
(
    SELECT account_id, CAST(NULL AS text) AS user_id FROM health_history
    WHERE workspace_id = :workspace_id AND as_of > CAST(:until AS date) - 7 AND as_of <= :until
)

-- name: risks_of_months
-- The newest churn risk of each account at the beginning of each month, if it has a probability.
SELECT m.day AS starts_on, a.account_id, c.probability,
       coalesce(c.probability_low, c.probability) AS low,
       coalesce(c.probability_high, c.probability) AS high, c.mrr_cents, c.horizon_days,
       c.details ->> 'horizon_basis' AS basis, {{is_excluded}} AS excluded
FROM unnest(CAST(:months AS date[])) AS m (day)
CROSS JOIN {{account_then}} AS a
CROSS JOIN LATERAL (
    SELECT * FROM churn_risk_history y
    WHERE y.workspace_id = :workspace_id AND y.account_id = a.account_id AND y.as_of < m.day
    ORDER BY y.as_of DESC LIMIT 1
) AS c
WHERE c.probability IS NOT NULL
ORDER BY m.day, a.account_id COLLATE "C"

-- name: accounts_with_risk
(
    SELECT account_id, CAST(NULL AS text) AS user_id FROM churn_risk_history
    WHERE workspace_id = :workspace_id AND as_of <= :until AND probability IS NOT NULL
)
