-- name: is_excluded
-- Whether the account ``a`` was known as excluded on the day.
coalesce(a.excluded_days @> CAST(:known_on AS date), a.excluded, false)

-- name: has_no_rate
-- Whether the score ``x`` of the history has no price because its currency had no rate.
coalesce(x.details ->> 'price_status' = 'no_rate', false)

-- name: terms
-- Every subscription period as it was known on a day, with its price in the base currency, under
-- the account that it belonged to on that day: a later merge does not change the past.
-- held_until: the end; the start of the renewal, if a paid period begins at most :grace_days after
-- the end. It renews the same subscription, or any one if nothing else is paid on the day of the
-- end. A renewal counts if it was known within these days: contracts that end on 31 December and
-- begin again on 1 January are recorded on 1 January.
subscription_then AS (
    SELECT coalesce((
               SELECT m.account_id
               FROM unnest(s.merged_from, s.merged_on) WITH ORDINALITY AS m (account_id, day, n)
               WHERE m.day > :known_on ORDER BY m.n LIMIT 1), s.account_id) AS account_id,
           s.subscription_id, s.starts_on, s.ends_on, s.end_reason, s.currency, s.mrr_cents,
           s.known_on
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
paid_time AS (
    SELECT account_id, range_agg(daterange(starts_on, ends_on)) AS days
    FROM period WHERE mrr_cents > 0 GROUP BY account_id
),
renewal AS (
    SELECT p.account_id, p.subscription_id, p.starts_on, min(r.starts_on) AS renewed_on
    FROM period p
    JOIN paid_time d ON d.account_id = p.account_id
    JOIN later_period r ON r.account_id = p.account_id AND r.starts_on > p.ends_on
        AND r.starts_on <= p.ends_on + CAST(:grace_days AS int)
    WHERE p.mrr_cents > 0 AND r.mrr_cents > 0 AND coalesce(r.ends_on > r.starts_on, true)
      AND (r.subscription_id = p.subscription_id OR NOT d.days @> p.ends_on)
    GROUP BY p.account_id, p.subscription_id, p.starts_on
),
priced_period AS (
    SELECT account_id, subscription_id, starts_on, ends_on, end_reason, currency, mrr_cents,
           {{cents}} AS cents
    FROM period WHERE coalesce(ends_on > starts_on, true)
),
term AS (
    SELECT p.*, coalesce(r.renewed_on, p.ends_on) AS held_until
    FROM priced_period p
    LEFT JOIN renewal r ON r.account_id = p.account_id
        AND r.subscription_id = p.subscription_id AND r.starts_on = p.starts_on
)
