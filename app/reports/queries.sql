-- name: terms
-- Every subscription period as it was known on a day, with its price in the base currency.
period AS (
    SELECT DISTINCT ON (account_id, subscription_id, starts_on) *
    FROM subscription
    WHERE workspace_id = :workspace_id AND known_on <= :known_on
    ORDER BY account_id, subscription_id, starts_on, known_on DESC
),
term AS (
    SELECT account_id, starts_on, ends_on, end_reason, mrr_cents, {{cents}} AS cents
    FROM period WHERE coalesce(ends_on > starts_on, true)
)
