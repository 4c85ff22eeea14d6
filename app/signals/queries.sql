-- The milestones that were reached, and writing changes of signals.

-- name: milestones_passed
-- Days before the last ``days`` are summed into one: a number reached then is not a new milestone.
WITH day AS (
    SELECT u.account_id, greatest(u.day, CAST(:since AS date)) AS day, sum(u.events) AS events
    FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = ANY(CAST(:account_ids AS text[]))
      AND u.event_name = ANY(CAST(:event_names AS text[]))
      AND u.day <= :as_of AND u.known_on <= :as_of
      {{without_excluded_users}}
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

-- name: share_with_goals
-- Paying accounts of which a goal was known by the day, divided by all that paid on the day.
WITH period AS (
    SELECT DISTINCT ON (account_id, subscription_id, starts_on) *
    FROM subscription
    WHERE workspace_id = :workspace_id AND known_on <= :as_of
      AND starts_on <= CAST(:as_of AS date) + CAST(:grace_days AS int)
    ORDER BY account_id, subscription_id, starts_on, known_on DESC
),
{{renewals}},
payer AS (
    SELECT DISTINCT account_id
    FROM period p
    LEFT JOIN renewal r USING (account_id, subscription_id, starts_on)
    JOIN account a USING (workspace_id, account_id)
    WHERE starts_on <= :as_of AND p.mrr_cents > 0 AND coalesce(p.ends_on > starts_on, true)
      AND coalesce(coalesce(r.held_until, p.ends_on) > :as_of, true) AND NOT a.excluded
)
SELECT CAST(count(*) FILTER (WHERE EXISTS (
           SELECT FROM goal g
           WHERE g.workspace_id = :workspace_id AND g.account_id = payer.account_id
             AND g.known_on <= :as_of)) AS double precision) / nullif(count(*), 0)
FROM payer

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
