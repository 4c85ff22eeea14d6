-- name: key
SELECT erasure_key FROM workspace WHERE id = :workspace_id

-- name: ensure_key
UPDATE workspace SET erasure_key = coalesce(erasure_key, :key) WHERE id = :workspace_id
RETURNING erasure_key

-- name: find_matches
SELECT kind, hash FROM tombstone
WHERE workspace_id = :workspace_id AND hash = ANY(CAST(:hashes AS bytea[]))
  AND (CAST(:erasure_id AS text) IS NULL OR erasure_id = :erasure_id)

-- name: find_erasure
SELECT erasure_id FROM tombstone
WHERE workspace_id = :workspace_id AND hash = :hash AND kind = :kind

-- name: upsert
INSERT INTO tombstone (workspace_id, hash, kind, erasure_id, erased_at)
SELECT :workspace_id, h, :kind, :erasure_id, :now
FROM unnest(CAST(:hashes AS bytea[])) AS h ORDER BY h
ON CONFLICT (workspace_id, hash, kind) DO UPDATE SET erasure_id = excluded.erasure_id

-- name: delete
DELETE FROM tombstone
WHERE workspace_id = :workspace_id AND erasure_id = :erasure_id
  AND (CAST(:kind AS text) IS NULL OR kind = :kind)
