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
