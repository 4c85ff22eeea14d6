-- Erasures as lines of a file, and what of a restored database they concern.

-- name: exported
-- The finished and running erasures of a workspace with the hashes of their ids. Addresses are only
-- kept while an erasure runs; a new erasure finds them again.
SELECT c.id, c.kind, c.requested_at, c.requested_by,
       coalesce(jsonb_agg(jsonb_build_object('kind', t.kind, 'hash', encode(t.hash, 'hex'))
                          ORDER BY t.kind, t.hash), '[]') AS tombstones
FROM id_change c
JOIN tombstone t ON t.workspace_id = c.workspace_id AND t.erasure_id = c.id AND t.kind <> 'email'
WHERE c.workspace_id = :workspace_id AND c.lifted_at IS NULL
GROUP BY c.workspace_id, c.id ORDER BY min(c.number)

-- name: stored_ids
-- Users also wait without being stored, and old ids lead to an account.
SELECT 'user' AS kind, user_id AS id FROM "user" WHERE workspace_id = :workspace_id
UNION SELECT 'user', user_id FROM unattributed_event
WHERE workspace_id = :workspace_id AND user_id IS NOT NULL
UNION SELECT 'account', account_id FROM account WHERE workspace_id = :workspace_id
UNION SELECT 'account', account_id FROM account_alias WHERE workspace_id = :workspace_id

-- name: insert_finished
INSERT INTO id_change (workspace_id, id, kind, requested_by, requested_at, ready_at, finished_at)
VALUES (:workspace_id, :id, :kind, :requested_by, :requested_at, :now, :now)
ON CONFLICT DO NOTHING

-- name: insert_tombstones
INSERT INTO tombstone (workspace_id, hash, kind, erasure_id, erased_at)
SELECT :workspace_id, decode(t.hash, 'hex'), t.kind, :erasure_id, CAST(:erased_at AS timestamptz)
FROM jsonb_to_recordset(CAST(:tombstones AS jsonb)) AS t (kind text, hash text)
ORDER BY 2, 3
ON CONFLICT DO NOTHING
