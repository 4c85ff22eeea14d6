-- name: incident_ids
SELECT incident_id FROM incident_account
WHERE workspace_id = :workspace_id AND account_id = :account_id
UNION
SELECT object_id FROM engagement_fact
WHERE workspace_id = :workspace_id AND account_id = :account_id AND object_kind = 'incident'
ORDER BY 1

-- name: move_facts
-- A fact of both accounts is moved once.
WITH gone AS (
    DELETE FROM engagement_fact
    WHERE workspace_id = :workspace_id AND account_id = :account_id AND object_kind = 'incident'
    RETURNING *
)
INSERT INTO engagement_fact (
    workspace_id, object_kind, object_id, at, message_id, kind, account_id, known_on, user_id,
    fields)
SELECT workspace_id, object_kind, object_id, at, message_id, kind, :target_id, known_on, user_id,
       fields
FROM gone ORDER BY object_id, at, message_id, kind
ON CONFLICT DO NOTHING
