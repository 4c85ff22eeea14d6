-- name: history_rows
-- The score of each account on each day or the nearest day before, as first written.
SELECT h.*
FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) AS w (account_id, day)
CROSS JOIN LATERAL (
    SELECT * FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = w.account_id AND x.as_of <= w.day
      AND x.restatement = 0
    ORDER BY x.as_of DESC, x.change DESC LIMIT 1
) AS h
