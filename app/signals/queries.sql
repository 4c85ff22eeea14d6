-- The milestones that were reached, and writing changes of signals.

-- name: milestones_passed
-- Days before the last ``days`` are summed into one: a number reached then is not a new milestone.
WITH day AS (
    SELECT account_id, greatest(day, CAST(:since AS date)) AS day, sum(events) AS events
    FROM daily_usage
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
      AND event_name = ANY(CAST(:event_names AS text[])) AND day <= :as_of AND known_on <= :as_of
    GROUP BY 1, 2
),
total AS (
    SELECT account_id, day, events,
           sum(events) OVER (PARTITION BY account_id ORDER BY day) AS total
    FROM day
)
SELECT t.account_id, c.count, t.day
FROM total t JOIN unnest(CAST(:counts AS bigint[])) AS c (count)
    ON t.total >= c.count AND t.total - t.events < c.count
WHERE t.day > :since
ORDER BY t.account_id, c.count

-- name: clear_signals
UPDATE account_signal s SET cleared_at = :now
FROM unnest(CAST(:ids AS bigint[])) AS r (id)
WHERE s.workspace_id = :workspace_id AND s.id = r.id

-- name: update_signals
UPDATE account_signal s SET
    severity = r.severity, since = r.since, evidence = r.evidence, changed_at = :now
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    id bigint, severity text, since date, evidence jsonb)
WHERE s.workspace_id = :workspace_id AND s.id = r.id

-- name: insert_signals
INSERT INTO account_signal (
    workspace_id, account_id, signal, key, severity, since, evidence, opened_at, changed_at
)
SELECT :workspace_id, r.account_id, r.signal, r.key, r.severity, r.since, r.evidence, :now, :now
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    account_id text, signal text, key text, severity text, since date, evidence jsonb)
ORDER BY r.account_id COLLATE "C", r.signal COLLATE "C", r.key COLLATE "C"
