-- name: set_index_scans
-- Only the block summaries (BRIN) index the message id: the planner must not use another index.
SELECT set_config('enable_indexscan', :scan, true), set_config('enable_indexonlyscan', :scan, true)

-- name: find_stored_events
SELECT client_at, occurred_at, received_at, key_id, sdk, kind, name, account_id,
       coalesce(account_by, CASE WHEN account_id IS NOT NULL THEN 'event' END) AS account_by,
       user_id, anonymous_id,
       coalesce(known_on, CAST(received_at AS date)) AS known_on
FROM event
WHERE message_id = :message_id AND workspace_id || '' = :workspace_id
ORDER BY client_at LIMIT :limit

-- name: in_usage
SELECT EXISTS (
    SELECT FROM daily_usage
    WHERE workspace_id = :workspace_id AND account_id = :account_id AND day = :day
      AND known_on = :known_on AND user_id = :user_id AND is_anonymous = :is_anonymous
      AND event_name IN (:name, 'other'))
