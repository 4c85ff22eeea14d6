-- name: end_known_by
-- An end that was recorded together with the start, as imports of history do, counts as known only
-- when it has come.
CASE WHEN s.known_on > s.starts_on OR s.ends_on <= {{known_by}} THEN s.ends_on END

-- name: known_by
CAST(:day AS date)

-- name: is_long_contract
-- A contract is long if it renews more than two months after its start.
(s.renewal_on - s.starts_on > 62
        AND (s.known_on > s.starts_on OR s.renewal_on IS DISTINCT FROM s.ends_on))

-- name: paying_accounts
SELECT DISTINCT account_id
FROM (
    SELECT DISTINCT ON (s.account_id, s.subscription_id, s.starts_on)
           s.account_id, s.mrr_cents, s.ends_on, s.starts_on,
           {{end_known_by}} AS known_end,
           s.renewal_on > :day AND {{is_long_contract}} AS is_long
    FROM subscription s
    WHERE s.workspace_id = :workspace_id AND s.known_on <= :day AND s.starts_on <= :day
    ORDER BY s.account_id, s.subscription_id, s.starts_on, s.known_on DESC
) AS period
WHERE mrr_cents > 0 AND coalesce(ends_on > starts_on, true) AND coalesce(known_end > :day, true)
GROUP BY account_id
HAVING NOT :short_only OR NOT coalesce(bool_or(is_long), false)
ORDER BY account_id

-- name: before_renewals
SELECT DISTINCT s.account_id, s.renewal_on - lead.days AS day
FROM subscription s CROSS JOIN unnest(CAST(:leads AS int[])) AS lead (days)
WHERE s.workspace_id = :workspace_id AND s.mrr_cents > 0 AND {{is_long_contract}}
  AND s.known_on <= s.renewal_on - lead.days AND s.starts_on <= s.renewal_on - lead.days
  AND s.renewal_on - lead.days BETWEEN :since AND :until
ORDER BY day, s.account_id

-- name: using_accounts
SELECT DISTINCT u.account_id FROM daily_usage u
WHERE u.workspace_id = :workspace_id AND u.day > :after AND u.day <= :day AND u.known_on <= :day
  {{without_excluded_users}}
ORDER BY u.account_id

-- name: pays_on_days
-- Whether each account pays on its day, as known on that day.
SELECT w.n, coalesce(bool_or(p.pays), false)
FROM unnest(CAST(:account_ids AS text[]), CAST(:days AS date[])) WITH ORDINALITY
    AS w (account_id, day, n)
LEFT JOIN LATERAL (
    SELECT DISTINCT ON (s.subscription_id, s.starts_on)
           s.mrr_cents > 0 AND coalesce(s.ends_on > s.starts_on, true)
           AND coalesce({{end_known_by}} > w.day, true) AS pays
    FROM subscription s
    WHERE s.workspace_id = :workspace_id AND s.account_id = w.account_id
      AND s.known_on <= w.day AND s.starts_on <= w.day
    ORDER BY s.subscription_id, s.starts_on, s.known_on DESC
) AS p ON true
GROUP BY w.n ORDER BY w.n

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
