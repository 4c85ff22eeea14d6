-- name: usage_size
-- Accounts that can be peers, and rows of daily counts up to a limit.
SELECT (SELECT count(*) FROM (
            SELECT account_id FROM first_use WHERE workspace_id = :workspace_id
            UNION
            SELECT account_id FROM subscription WHERE workspace_id = :workspace_id) AS a
       ) AS accounts,
       (SELECT count(*) FROM (
            SELECT FROM daily_usage WHERE workspace_id = :workspace_id LIMIT :most_rows) AS u
       ) AS rows

-- name: scoring_rows
-- What past scores were computed from, in one statement.
SELECT 'definition' AS kind, digest AS key, config FROM score_definition
WHERE workspace_id = :workspace_id AND digest = ANY(CAST(:digests AS text[]))
UNION ALL
SELECT 'benchmark', id, config FROM benchmark
WHERE workspace_id = :workspace_id AND id = ANY(CAST(:benchmark_ids AS text[]))
UNION ALL
SELECT 'plan', key, to_jsonb(name) FROM plan WHERE workspace_id = :workspace_id
UNION ALL
SELECT 'scorecard', CAST(version AS text), config FROM scorecard
WHERE workspace_id = :workspace_id AND state = 'active'
