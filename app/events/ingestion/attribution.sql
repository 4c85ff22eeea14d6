-- name: lock_due_attributions
SELECT id FROM due_attribution ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: drop_due_attributions
DELETE FROM due_attribution WHERE id = ANY(CAST(:ids AS bigint[]))

-- name: take_attributable
-- Examines all waiting events: this also finds users who were marked before the waiting event was
-- visible to that transaction.
DELETE FROM unattributed_event WHERE (workspace_id, client_at, message_id) IN (
    SELECT w.workspace_id, w.client_at, w.message_id
    FROM unattributed_event w
    {{join_users}}
    WHERE u.account_id IS NOT NULL
    ORDER BY 1, 2, 3
    LIMIT :limit
    FOR UPDATE OF w SKIP LOCKED)
RETURNING workspace_id, key_id, received_at, row

-- name: take_marked
DELETE FROM unattributed_event WHERE (workspace_id, client_at, message_id) IN (
    SELECT w.workspace_id, w.client_at, w.message_id
    FROM due_attribution m
    JOIN unattributed_event w ON w.workspace_id = m.workspace_id AND (
        w.user_id = m.user_id OR (w.anonymous_id = m.anonymous_id AND w.user_id IS NULL))
    {{join_users}}
    WHERE m.id = ANY(CAST(:ids AS bigint[])) AND u.account_id IS NOT NULL
    LIMIT :limit
    FOR UPDATE OF w SKIP LOCKED)
RETURNING workspace_id, key_id, received_at, row

-- name: join_users
LEFT JOIN user_alias a ON a.workspace_id = w.workspace_id AND w.user_id IS NULL
    AND a.anonymous_id = w.anonymous_id
JOIN "user" u ON u.workspace_id = w.workspace_id
    AND u.user_id = coalesce(w.user_id, a.user_id)
