-- name: is_excluded
-- Whether the account ``a`` was known as excluded on the day.
coalesce(a.excluded_days @> CAST(:known_on AS date), a.excluded, false)

-- name: has_no_rate
-- Whether the score ``x`` of the history has no price because its currency had no rate.
coalesce(x.details ->> 'price_status' = 'no_rate', false)

-- name: account_at
-- The account that the row of a table with ``merged_from`` belonged to on the day.
coalesce((
    SELECT m.account_id
    FROM unnest({{row}}.merged_from, {{row}}.merged_on) WITH ORDINALITY AS m (account_id, day, n)
    WHERE m.day > :known_on ORDER BY m.n LIMIT 1), {{row}}.account_id)

-- name: account_then
-- The accounts as they were on the day: later merges, and later changes of segments and starts, do not
-- change the past. Changes on the day on which the account was created count for all days.
(
    WITH earlier AS (
        SELECT DISTINCT ON (m.account_id) m.account_id, {{account_columns}}
        FROM account_before_merge m
        WHERE m.workspace_id = :workspace_id AND m.merged_on > :known_on
          AND NOT (m.is_change AND {{is_of_first_day}})
        ORDER BY m.account_id, m.merged_on
    )
    SELECT * FROM earlier
    UNION ALL
    SELECT account_id, {{account_columns}} FROM account x
    WHERE workspace_id = :workspace_id
      AND NOT EXISTS (SELECT FROM earlier e WHERE e.account_id = x.account_id)
)

-- name: is_of_first_day
EXISTS (
    SELECT FROM account y
    WHERE y.workspace_id = :workspace_id AND y.account_id = m.account_id
      AND CAST(timezone('UTC', y.created_at) AS date) >= m.merged_on)

-- name: account_columns
segment, started_on, trial_started_on, excluded, excluded_days, excluded_on

-- name: later_changes
-- Changes after the day that count for the days before too, of accounts and people with a row of
-- ``counted``. :apart: whether the rows of merged accounts can be told apart. They cannot if another
-- account has the old id now. :of_fields: whether the report depends on segments or starts.
SELECT (
    SELECT count(*) FROM account_before_merge m
    LEFT JOIN account_alias x ON x.workspace_id = :workspace_id AND x.account_id = m.account_id
    WHERE m.workspace_id = :workspace_id AND m.is_source AND m.merged_on > :known_on
      AND (x.account_id IS NULL OR NOT CAST(:apart AS boolean))
      AND EXISTS (
          SELECT FROM {{counted}} AS c WHERE c.account_id IN (x.target_id, m.account_id))
) AS merges, (
    SELECT count(*) FROM {{account_then}} AS a
    WHERE a.excluded_on > :known_on AND a.account_id IN (SELECT account_id FROM {{counted}} AS c)
) AS account_exclusions, (
    SELECT count(*) FROM "user" x
    WHERE x.workspace_id = :workspace_id AND x.excluded_on > :known_on
      AND x.user_id IN (SELECT user_id FROM {{counted}} AS c)
) AS user_exclusions, (
    SELECT count(DISTINCT m.account_id) FROM account_before_merge m
    WHERE CAST(:of_fields AS boolean) AND m.workspace_id = :workspace_id
      AND m.is_change AND m.merged_on > :known_on AND {{is_of_first_day}}
      AND m.account_id IN (SELECT account_id FROM {{counted}} AS c)
) AS account_changes

-- name: payments
-- The accounts that paid.
(
    SELECT {{account_at_subscription}} AS account_id, CAST(NULL AS text) AS user_id
    FROM subscription s
    WHERE s.workspace_id = :workspace_id AND s.mrr_cents > 0 AND s.starts_on <= :until
      AND s.known_on <= :known_on
)

-- name: terms
-- Every subscription period as it was known on a day, with its price in the base currency, under
-- the account that it belonged to on that day: a later merge does not change the past.
-- held_until: the end, or the end of the days in which its renewal holds it. A renewal counts if it
-- was known within the grace: contracts that end on 31 December and begin again on 1 January are
-- recorded on 1 January.
subscription_then AS (
    SELECT {{account_at_subscription}} AS account_id, s.subscription_id, s.starts_on, s.ends_on,
           s.end_reason, s.renewal_on, s.currency, s.mrr_cents, s.known_on
    FROM subscription s
    WHERE s.workspace_id = :workspace_id
),
period AS (
    SELECT DISTINCT ON (account_id, subscription_id, starts_on) *
    FROM subscription_then
    WHERE known_on <= :known_on
    ORDER BY account_id, subscription_id, starts_on, known_on DESC
),
later_period AS (
    SELECT DISTINCT ON (account_id, subscription_id, starts_on) *
    FROM subscription_then
    WHERE known_on <= CAST(:known_on AS date) + CAST(:grace_days AS int)
    ORDER BY account_id, subscription_id, starts_on, known_on DESC
),
{{renewals}},
priced_period AS (
    SELECT account_id, subscription_id, starts_on, ends_on, end_reason, currency, mrr_cents,
           {{cents}} AS cents
    FROM period WHERE coalesce(ends_on > starts_on, true)
),
term AS (
    SELECT p.*, coalesce(r.held_until, p.ends_on) AS held_until
    FROM priced_period p
    LEFT JOIN renewal r ON r.account_id = p.account_id
        AND r.subscription_id = p.subscription_id AND r.starts_on = p.starts_on
)
