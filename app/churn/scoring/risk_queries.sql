-- name: list_outdated
SELECT w.account_id
FROM unnest(CAST(:account_ids AS text[])) AS w (account_id)
LEFT JOIN churn_risk c ON c.workspace_id = :workspace_id AND c.account_id = w.account_id
WHERE c.as_of IS NULL OR c.as_of < :day
   OR c.model_version IS DISTINCT FROM CAST(:version AS int)
ORDER BY w.account_id COLLATE "C"

-- name: rows
SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (
    account_id text, status text, level text, probability double precision,
    probability_low double precision, probability_high double precision, risk double precision,
    stage text, model_version int, horizon_days int, mrr_cents bigint,
    revenue_at_risk_cents bigint, details jsonb)

-- name: upsert_risks
INSERT INTO churn_risk (
    workspace_id, account_id, as_of, status, level, probability, probability_low, probability_high,
    risk, stage, model_version, horizon_days, mrr_cents, revenue_at_risk_cents, details,
    computed_at)
SELECT :workspace_id, r.account_id, :day, r.status, r.level, r.probability, r.probability_low,
       r.probability_high, r.risk, r.stage, r.model_version, r.horizon_days, r.mrr_cents,
       r.revenue_at_risk_cents, r.details, :now
FROM ( {{rows}} ) AS r ORDER BY r.account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    as_of = excluded.as_of, status = excluded.status, level = excluded.level,
    probability = excluded.probability, probability_low = excluded.probability_low,
    probability_high = excluded.probability_high, risk = excluded.risk, stage = excluded.stage,
    model_version = excluded.model_version, horizon_days = excluded.horizon_days,
    mrr_cents = excluded.mrr_cents, revenue_at_risk_cents = excluded.revenue_at_risk_cents,
    details = excluded.details, computed_at = excluded.computed_at

-- name: write_history
-- One row for each day on which the risk or the price moved. Another write for the same day
-- replaces its row.
INSERT INTO churn_risk_history AS h (
    workspace_id, account_id, as_of, status, level, probability, probability_low, probability_high,
    risk, stage, model_version, horizon_days, mrr_cents, revenue_at_risk_cents, details,
    computed_at)
SELECT :workspace_id, r.account_id, :day, r.status, r.level, r.probability, r.probability_low,
       r.probability_high, r.risk, r.stage, r.model_version, r.horizon_days, r.mrr_cents,
       r.revenue_at_risk_cents, r.details, :now
FROM ( {{rows}} ) AS r
LEFT JOIN LATERAL (
    SELECT * FROM churn_risk_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = r.account_id AND x.as_of <= :day
    ORDER BY x.as_of DESC LIMIT 1
) AS last ON true
WHERE last.as_of IS NULL OR last.as_of = :day
   OR (last.status, last.level, last.stage, last.model_version, last.horizon_days, last.mrr_cents)
      IS DISTINCT FROM (r.status, r.level, r.stage, r.model_version, r.horizon_days, r.mrr_cents)
   OR abs(last.risk - r.risk) >= :least
ORDER BY r.account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id, as_of) DO UPDATE SET
    status = excluded.status, level = excluded.level, probability = excluded.probability,
    probability_low = excluded.probability_low, probability_high = excluded.probability_high,
    risk = excluded.risk, stage = excluded.stage, model_version = excluded.model_version,
    horizon_days = excluded.horizon_days, mrr_cents = excluded.mrr_cents,
    details = excluded.details, revenue_at_risk_cents = excluded.revenue_at_risk_cents,
    computed_at = excluded.computed_at
