-- name: overlapping
-- Subscriptions with a period, as known now, that runs on beside a newer period of its own.
WITH known AS (
    SELECT DISTINCT ON (account_id, subscription_id, starts_on)
           account_id, subscription_id, starts_on, ends_on
    FROM subscription WHERE workspace_id = :workspace_id
    ORDER BY account_id, subscription_id, starts_on, known_on DESC
),
period AS (
    SELECT *, lead(starts_on) OVER (
               PARTITION BY account_id, subscription_id ORDER BY starts_on) AS next_start
    FROM known WHERE ends_on IS NULL OR ends_on > starts_on
)
SELECT account_id, array_agg(DISTINCT CAST(subscription_id AS text)) AS subscription_ids
FROM period WHERE next_start < coalesce(ends_on, 'infinity')
GROUP BY account_id ORDER BY account_id
