-- name: product_features
-- The configured product features with their events.
SELECT key, event_names FROM product_feature WHERE workspace_id = :workspace_id

-- name: event_names
-- The events that stand in for product features while none is configured.
SELECT name FROM event_name WHERE workspace_id = :workspace_id AND NOT is_view
