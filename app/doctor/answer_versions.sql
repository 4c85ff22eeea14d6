-- Stored events about survey responses, feedback, goals and incidents.

-- name: semantic_events
SELECT name, message_id, occurred_at, account_id, account_by, user_id, properties,
       coalesce(known_on, CAST(received_at AS date)) AS known_on
FROM event
WHERE workspace_id = :workspace_id AND kind = 'track'
  AND lower(name) = ANY(CAST(:names AS text[]))
ORDER BY client_at, message_id

-- name: delete_seeded_facts
-- The facts of an object that was stored before facts were.
DELETE FROM engagement_fact
WHERE workspace_id = :workspace_id AND object_kind = :object_kind AND object_id = :object_id
  AND message_id = ''
