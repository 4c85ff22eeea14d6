-- name: current
-- Accounts whose newest sentiment disagrees with the band of now, the most revenue first.
SELECT s.account_id, a.name, a.owner, s.value, s.reason, s.author, s.at, h.score, h.band,
       12 * {{known_mrr_cents}} AS arr_cents
FROM (
    SELECT DISTINCT ON (x.account_id) x.* FROM sentiment x
    WHERE x.workspace_id = :workspace_id ORDER BY x.account_id, x.id DESC
) AS s
JOIN health_score h ON h.workspace_id = :workspace_id AND h.account_id = s.account_id
JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = s.account_id
WHERE {{disagrees}} AND h.status NOT IN ('churned', 'excluded')
  AND (CAST(:owner AS text) IS NULL OR a.owner = :owner)
ORDER BY h.mrr_cents DESC, s.account_id LIMIT :limit

-- name: disagrees
((s.value >= :good AND h.band = 'at_risk') OR (s.value <= :bad AND h.band = 'healthy'))

-- name: decided
-- Statements that disagreed with the band of their day, whose horizon and grace are over, with the
-- status of the account at the end of both.
SELECT s.account_id, s.value, s.day, e.status AS at_horizon, g.status AS after_grace
FROM (
    SELECT x.*, CAST(timezone('UTC', x.at) AS date) AS day FROM sentiment x
    WHERE x.workspace_id = :workspace_id
) AS s
JOIN LATERAL ({{score}} x.as_of <= s.day AND x.as_of > s.day - 7 {{newest}}) AS h ON true
LEFT JOIN LATERAL ({{score}}
    x.as_of <= s.day + :horizon AND x.as_of > s.day + :horizon - 7 {{newest}}) AS e ON true
LEFT JOIN LATERAL ({{score}}
    x.as_of <= s.day + :horizon + :grace AND x.as_of > s.day + :horizon + :grace - 7 {{newest}}
) AS g ON true
WHERE {{disagrees}} AND s.day + :horizon + :grace <= :today
ORDER BY s.account_id, s.at, s.id

-- name: score
SELECT x.band, x.status FROM health_history x
WHERE x.workspace_id = :workspace_id AND x.account_id = s.account_id AND x.restatement = 0 AND

-- name: newest
ORDER BY x.as_of DESC, x.change DESC LIMIT 1
