-- The one rule of renewals. A statement includes these CTEs behind its own.

-- name: renewals
-- held_until: the day until which an ended period of {{periods}} counts as running. That is the start
-- of the paid period of {{later}} that renews it: of the same subscription, or of any one if nothing
-- else is paid on the day of the end. Both days are at most :grace_days apart, and no other terms of
-- the subscription lie between. Without one it is the renewal day, if that is the day after the end.
-- {{key}}: what a row belongs to; {{ends_on}}: the column of the end; {{is_wanted}}: which periods.
paid_time AS (
    SELECT {{key}}, range_agg(daterange(starts_on, {{ends_on}})) AS days
    FROM {{periods}}
    WHERE mrr_cents > 0 AND coalesce({{ends_on}} > starts_on, true)
    GROUP BY {{key}}
),
ended_period AS (
    SELECT p.{{key}}, p.subscription_id, p.starts_on, p.{{ends_on}} AS ended_on,
           CASE WHEN p.end_reason IS NULL AND p.renewal_on = p.{{ends_on}} + 1
                    AND CAST(:grace_days AS int) > 0 THEN p.renewal_on END AS renews_on,
           min(n.starts_on) AS next_on
    FROM {{periods}} p
    LEFT JOIN {{later}} n ON n.{{key}} = p.{{key}} AND n.subscription_id = p.subscription_id
        AND n.starts_on > p.starts_on AND coalesce(n.ends_on > n.starts_on, true)
    WHERE p.mrr_cents > 0 AND p.{{ends_on}} > p.starts_on AND {{is_wanted}}
    GROUP BY 1, 2, 3, 4, 5
),
renewal AS (
    SELECT e.{{key}}, e.subscription_id, e.starts_on,
           coalesce(min(r.starts_on), e.renews_on) AS held_until
    FROM ended_period e
    JOIN paid_time d ON d.{{key}} = e.{{key}}
    LEFT JOIN {{later}} r ON r.{{key}} = e.{{key}} AND r.mrr_cents > 0
        AND coalesce(r.ends_on > r.starts_on, true)
        AND r.starts_on > e.ended_on
        AND r.starts_on <= e.ended_on + CAST(:grace_days AS int)
        AND coalesce(r.starts_on <= e.next_on, true)
        AND (r.subscription_id = e.subscription_id OR NOT d.days @> e.ended_on)
    WHERE coalesce(e.next_on > e.ended_on, true)
    GROUP BY e.{{key}}, e.subscription_id, e.starts_on, e.renews_on
)

-- name: account_mrr
-- What an account pays on a day, by currency, as it was known on another.
WITH period AS (
    SELECT DISTINCT ON (subscription_id, starts_on) *
    FROM subscription
    WHERE workspace_id = :workspace_id AND account_id = :account_id AND known_on <= :known_on
    ORDER BY subscription_id, starts_on, known_on DESC
),
{{renewals_of_account}}
SELECT p.currency, CAST(sum(p.mrr_cents) AS bigint) AS mrr_cents
FROM period p LEFT JOIN renewal r USING (account_id, subscription_id, starts_on)
WHERE p.starts_on <= :on AND coalesce(coalesce(r.held_until, p.ends_on) > :on, true)
  AND coalesce(p.ends_on > p.starts_on, true)
GROUP BY p.currency ORDER BY p.currency
