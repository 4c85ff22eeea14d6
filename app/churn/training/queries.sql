-- name: known_end
-- An end that was recorded together with the start, as imports of history do, counts as known only
-- when it has come.
CASE WHEN s.known_on > s.starts_on OR s.ends_on <= {{known_by}} THEN s.ends_on END

-- name: paying_accounts
WITH period AS (
    SELECT DISTINCT ON (s.account_id, s.subscription_id, s.starts_on) s.*,
           {{known_end}} AS known_end
    FROM subscription s
    WHERE s.workspace_id = :workspace_id AND s.known_on <= :day
      AND s.starts_on <= CAST(:day AS date) + CAST(:grace_days AS int)
    ORDER BY s.account_id, s.subscription_id, s.starts_on, s.known_on DESC
),
{{renewals}}
SELECT DISTINCT p.account_id
FROM period p LEFT JOIN renewal r USING (account_id, subscription_id, starts_on)
WHERE p.starts_on <= :day AND p.mrr_cents > 0 AND coalesce(p.ends_on > p.starts_on, true)
  AND coalesce(coalesce(r.held_until, p.known_end) > :day, true)
ORDER BY p.account_id

-- name: using_accounts
SELECT DISTINCT u.account_id FROM daily_usage u
WHERE u.workspace_id = :workspace_id AND u.day > :after AND u.day <= :day AND u.known_on <= :day
  {{without_excluded_users}}
ORDER BY u.account_id

-- name: left_on_days
-- Whether each account has left by its day, and since when it pays nothing. Ends count if they were
-- known on the day; the renewals that hold them also if they became known within the grace, as in
-- reports, and by the end of the panel.
WITH requested AS (
    SELECT CAST(n AS integer) AS n, account_id COLLATE "C" AS account_id, day
    FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) WITH ORDINALITY
        AS w (account_id, day, n)
),
period AS (
    SELECT DISTINCT ON (w.n, s.subscription_id, s.starts_on) w.n, w.day, s.*,
           {{known_end}} AS known_end
    FROM requested w
    JOIN subscription s ON s.workspace_id = :workspace_id AND s.account_id = w.account_id
        AND s.known_on <= w.day AND s.starts_on <= w.day
    ORDER BY w.n, s.subscription_id, s.starts_on, s.known_on DESC
),
later_period AS (
    SELECT DISTINCT ON (w.n, s.subscription_id, s.starts_on) w.n, s.*
    FROM requested w
    JOIN subscription s ON s.workspace_id = :workspace_id AND s.account_id = w.account_id
        AND s.known_on <= least(w.day + CAST(:grace_days AS int), :until)
        AND s.starts_on <= w.day + CAST(:grace_days AS int)
    ORDER BY w.n, s.subscription_id, s.starts_on, s.known_on DESC
),
{{renewals}},
course AS (
    SELECT p.n, bool_or(coalesce(coalesce(r.held_until, p.known_end) > p.day, true)) AS pays,
           max(p.known_end) AS paid_until
    FROM period p LEFT JOIN renewal r USING (n, subscription_id, starts_on)
    WHERE p.mrr_cents > 0 AND coalesce(p.ends_on > p.starts_on, true)
    GROUP BY p.n
)
SELECT NOT coalesce(c.pays, false) AS has_left, c.paid_until
FROM requested w LEFT JOIN course c USING (n) ORDER BY w.n

-- name: used_before_days
-- Whether each account has an event in the :within days up to its day, as known on that day.
SELECT w.n, EXISTS (
    SELECT FROM daily_usage u
    WHERE u.workspace_id = :workspace_id AND u.account_id = w.account_id
      AND u.day > w.day - CAST(:within AS int) AND u.day <= w.day AND u.known_on <= w.day
      AND u.day > CAST(:first_day AS date) - CAST(:within AS int) AND u.day <= :last_day
      {{without_excluded_users}})
FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) WITH ORDINALITY
    AS w (account_id, day, n)
ORDER BY w.n

-- name: usual_gap
SELECT percentile_disc(:share) WITHIN GROUP (ORDER BY gap)
FROM (
    SELECT day - lag(day) OVER (PARTITION BY account_id ORDER BY day) AS gap
    FROM (
        SELECT u.account_id, u.day FROM daily_usage u
        WHERE u.workspace_id = :workspace_id AND u.day <= :as_of AND u.known_on <= :as_of
          {{without_excluded_users}}
        GROUP BY u.account_id, u.day
    ) AS used
) AS gaps
WHERE gap IS NOT NULL
