-- name: database_time
SELECT clock_timestamp()

-- name: next_event_window
-- ``event`` has no index on accounts or users: it is processed in windows of its key, the time.
SELECT max(client_at) FROM (
    SELECT client_at FROM event
    WHERE workspace_id = :workspace_id AND client_at > CAST(:after AS timestamptz)
    ORDER BY client_at LIMIT :limit
) AS page

-- name: delete_page
DELETE FROM "{{table}}" WHERE workspace_id = :workspace_id
  AND ({{key}}) IN (SELECT {{key}} FROM "{{table}}"
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))
    ORDER BY {{key}} LIMIT :limit)
