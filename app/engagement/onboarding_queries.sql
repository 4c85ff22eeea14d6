-- The onboarding of accounts as of a day, and the pace of their peers.

-- name: completions
SELECT account_id, step_key, min(done_at) AS done_at FROM onboarding_completion c
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
  AND done_at < :day_end AND known_on <= :as_of AND NOT {{by_excluded_user}}
GROUP BY account_id, step_key

-- name: starts
-- known_from: the day of the first event, if the account is older.
SELECT b.account_id, b.started_on, CASE WHEN b.began_on < e.day THEN e.day END AS known_from,
       b.began_on < e.day - CAST(:onboarding_days AS int) AS began_long_before
FROM (SELECT {{first_event_day}} AS day) AS e
CROSS JOIN (
    SELECT a.account_id, coalesce(a.started_on, {{first_day_of_use}}) AS started_on,
           {{account_began_on}} AS began_on
    FROM account a
    WHERE a.workspace_id = :workspace_id AND a.account_id = ANY(CAST(:account_ids AS text[]))
) AS b

-- name: pace
-- The days that each step took after the steps before it, for accounts that did it in the last year
-- and are not older than the first event, or than the sources that report the step: what those did
-- before is unknown.
WITH reported AS (
    SELECT s.key, min(d.day) AS day
    FROM onboarding_step s JOIN ({{source_days}}) AS d ON d.name = ANY(s.event_names)
    WHERE s.workspace_id = :workspace_id GROUP BY s.key
),
done AS (
    SELECT account_id, step_key, min(done_at) AS done_at FROM onboarding_completion c
    WHERE workspace_id = :workspace_id AND done_at < :day_end AND known_on <= :as_of
      AND NOT {{by_excluded_user}}
    GROUP BY account_id, step_key
),
timed AS (
    SELECT d.step_key, d.done_at, coalesce(
               max(d.done_at) OVER (PARTITION BY d.account_id ORDER BY s.position, s.key
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
               (SELECT a.started_on FROM account a WHERE a.workspace_id = :workspace_id
                  AND a.account_id = d.account_id),
               {{first_day_of_use_then}}) AS since
    FROM done d JOIN onboarding_step s ON s.workspace_id = :workspace_id AND s.key = d.step_key
    WHERE NOT EXISTS (
        SELECT FROM account a
        WHERE a.workspace_id = :workspace_id AND a.account_id = d.account_id
          AND {{account_began_on}} < greatest({{first_event_day}}, (
              SELECT r.day FROM reported r WHERE r.key = d.step_key)))
)
SELECT step_key, count(*) AS peers, percentile_cont(0.5) WITHIN GROUP (
           ORDER BY greatest(0, extract(epoch FROM done_at - since) / 86400.0)) AS median_days
FROM timed WHERE since IS NOT NULL AND done_at >= :since GROUP BY step_key

-- name: steps
SELECT array_agg(key ORDER BY position, key) AS steps FROM onboarding_step
    WHERE workspace_id = :workspace_id

-- name: store_pace
-- The pace reads all completions of the workspace. So it is computed once a day, when the first
-- account is scored, and stored until the next day or until the steps change.
INSERT INTO onboarding_pace AS p (workspace_id, as_of, steps, pace)
SELECT :workspace_id, :as_of, steps, coalesce((
           SELECT jsonb_object_agg(step_key, jsonb_build_array(median_days, peers))
           FROM ({{pace}}) AS one), '{}')
FROM ({{steps}}) AS s
WHERE steps IS NOT NULL AND NOT EXISTS (
    SELECT FROM onboarding_pace k WHERE k.workspace_id = :workspace_id
      AND (k.as_of > :as_of OR (k.as_of = :as_of AND k.steps = s.steps)))
ON CONFLICT (workspace_id) DO UPDATE SET
    as_of = excluded.as_of, steps = excluded.steps, pace = excluded.pace
WHERE p.as_of <= excluded.as_of

-- name: stored_pace
SELECT pace FROM onboarding_pace
WHERE workspace_id = :workspace_id AND as_of = :as_of AND steps = ({{steps}})
