-- name: bands
SELECT d.day, h.band, h.mrr_cents
FROM unnest(CAST(:days AS date[])) AS d (day)
CROSS JOIN LATERAL (
    SELECT x.band, {{known_mrr_cents}} AS mrr_cents
    FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = :account_id AND x.as_of <= d.day
      AND x.restatement = 0
    ORDER BY x.as_of DESC, x.change DESC LIMIT 1
) AS h
