-- Statements that lock, write and read the scores of a set of accounts, in key order.

-- name: rows
-- jsonb, not json: from json, each value that becomes jsonb would be serialized and parsed again.
SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    account_id text, score double precision, band text, status text, coverage double precision,
    mrr_cents bigint, plan text, details jsonb)

-- name: ensure_scores
INSERT INTO health_score (workspace_id, account_id)
SELECT :workspace_id, w.account_id
FROM unnest(CAST(:account_ids AS text[])) AS w (account_id)
WHERE NOT EXISTS (
    SELECT FROM health_score h
    WHERE h.workspace_id = :workspace_id AND h.account_id = w.account_id)
ORDER BY w.account_id COLLATE "C"
ON CONFLICT DO NOTHING

-- name: lock_scores
SELECT FROM health_score
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
ORDER BY account_id
FOR NO KEY UPDATE

-- name: has_changed
-- Whether a score moved by a point or more, or changed band or status, since the last record.
(o.recorded_band IS DISTINCT FROM r.band OR o.recorded_status IS DISTINCT FROM r.status
 OR (o.recorded_score IS NULL) <> (r.score IS NULL) OR abs(r.score - o.recorded_score) >= 1)

-- name: write_scores
WITH written AS (
    UPDATE health_score h SET
        as_of = :as_of, score = r.score, band = r.band, status = r.status, coverage = r.coverage,
        mrr_cents = coalesce(r.mrr_cents, 0), plan = r.plan, details = r.details, computed_at = :now,
        data_through = CASE WHEN r.status = 'stale' THEN h.data_through ELSE :now END,
        recorded_score = CASE WHEN {{has_changed}} THEN r.score ELSE o.recorded_score END,
        recorded_band = r.band, recorded_status = r.status
    FROM ({{rows}}) AS r JOIN health_score o
        ON o.workspace_id = :workspace_id AND o.account_id = r.account_id
    WHERE h.workspace_id = :workspace_id AND h.account_id = r.account_id
      AND (h.as_of IS NULL OR h.as_of <= :as_of)
    RETURNING r.account_id, {{has_changed}} AS changed, o.recorded_score AS before,
              o.recorded_band AS band_before, r.score, r.band, r.status
)
SELECT account_id, before, band_before, score, band, status FROM written
WHERE changed ORDER BY account_id COLLATE "C"

-- name: history
INSERT INTO health_history AS h (
    workspace_id, account_id, as_of, change, score, band, status, coverage, mrr_cents, details,
    computed_at
)

-- name: follow_scores
-- Today's last row follows the score until the band changes. It is copied from the score row just
-- written, so that details are not parsed and packed a second time.
{{history}}
SELECT r.workspace_id, r.account_id, r.as_of,
       CASE WHEN last.band = r.band THEN last.change ELSE coalesce(last.change + 1, 0) END,
       r.score, r.band, r.status, r.coverage, r.mrr_cents, r.details, r.computed_at
FROM health_score AS r
LEFT JOIN LATERAL (
    SELECT band, change FROM health_history x
    WHERE x.workspace_id = r.workspace_id AND x.account_id = r.account_id AND x.as_of = r.as_of
      AND x.restatement = 0
    ORDER BY change DESC LIMIT 1
) AS last ON true
WHERE r.workspace_id = :workspace_id AND r.account_id = ANY(CAST(:account_ids AS text[]))
  AND r.as_of = :as_of
ORDER BY r.account_id
ON CONFLICT (workspace_id, account_id, as_of, restatement, change) DO UPDATE SET
    score = excluded.score, status = excluded.status, coverage = excluded.coverage,
    mrr_cents = excluded.mrr_cents, details = excluded.details, computed_at = excluded.computed_at

-- name: close_day
-- A past day gets one row, once.
{{history}}
SELECT :workspace_id, r.account_id, :as_of, 0, r.score, r.band, r.status, r.coverage,
       coalesce(r.mrr_cents, 0), r.details, :now
FROM ({{rows}}) AS r
WHERE NOT EXISTS (
    SELECT FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = r.account_id AND x.as_of = :as_of
      AND x.restatement = 0)
ORDER BY r.account_id COLLATE "C"
ON CONFLICT DO NOTHING

-- name: earlier_scores
-- The score 7, 28 and 90 days ago, or of the nearest of the six days before.
SELECT w.account_id, d.days, h.score
FROM unnest(CAST(:account_ids AS text[])) AS w (account_id)
CROSS JOIN unnest(CAST(:days AS int[])) AS d (days)
CROSS JOIN LATERAL (
    SELECT x.score FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = w.account_id
      AND x.as_of <= CAST(:as_of AS date) - d.days AND x.as_of > CAST(:as_of AS date) - d.days - 7
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h
WHERE h.score IS NOT NULL

-- name: inputs_on
SELECT h.inputs
FROM unnest(CAST(:account_ids AS text[])) AS w (account_id)
CROSS JOIN LATERAL (
    SELECT x.details -> 'inputs' AS inputs FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = w.account_id AND x.as_of = :day
      AND x.restatement = 0
    ORDER BY x.change DESC LIMIT 1
) AS h
WHERE h.inputs IS NOT NULL

-- name: history_rows_on
SELECT h.*
FROM unnest(CAST(:account_ids AS text[])) AS w (account_id)
CROSS JOIN LATERAL (
    SELECT * FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = w.account_id AND x.as_of <= :day
      AND x.restatement = 0
    ORDER BY x.as_of DESC, x.change DESC LIMIT 1
) AS h

-- name: history_rows_of_days
SELECT h.*
FROM unnest(CAST(:days AS date[])) AS d (day)
CROSS JOIN LATERAL (
    SELECT * FROM health_history x
    WHERE x.workspace_id = :workspace_id AND x.account_id = :account_id AND x.as_of <= d.day
    ORDER BY x.as_of DESC, x.restatement DESC, x.change DESC LIMIT 1
) AS h
