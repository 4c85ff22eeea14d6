-- name: hierarchy
-- OFFSET 0 forces one index look-up for each parent instead of a scan of all accounts with a
-- parent.
WITH RECURSIVE hierarchy AS (
    SELECT account_id, rollup, excluded, 0 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    UNION ALL
    SELECT c.account_id, c.rollup, c.excluded, p.level + 1
    FROM hierarchy p, LATERAL (
        SELECT account_id, rollup, excluded FROM account a
        WHERE a.parent_id = p.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE p.level < :max_levels
)
SELECT p.account_id, h.score, coalesce(h.band, 'unknown') AS band,
       CASE WHEN p.excluded THEN 'excluded' ELSE coalesce(h.status, 'insufficient_data') END
           AS status,
       coalesce(x.mrr_cents, 0) AS mrr_cents,
       h.account_id IS NOT NULL AND x.mrr_cents IS NULL AS no_rate, p.rollup,
       CASE WHEN p.level = 0 THEN h.details ->> 'card' END AS card
FROM hierarchy p
LEFT JOIN health_score h ON h.workspace_id = :workspace_id AND h.account_id = p.account_id
CROSS JOIN LATERAL (
    SELECT {{known_mrr_cents}} AS mrr_cents) AS x
ORDER BY p.level, p.account_id
