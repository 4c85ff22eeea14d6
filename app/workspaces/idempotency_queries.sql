-- name: claim_key
-- Waits while another transaction holds the key. No row: the key was used in the last day.
INSERT INTO idempotency_key (workspace_id, digest, fingerprint)
VALUES (:workspace_id, :digest, :fingerprint)
ON CONFLICT (workspace_id, digest) DO UPDATE
SET fingerprint = excluded.fingerprint, answer = NULL, created_at = now()
WHERE idempotency_key.created_at <= now() - interval '24 hours'
RETURNING true

-- name: set_lock_timeout
SELECT set_config('lock_timeout', :timeout, true)

-- name: store_answer
UPDATE idempotency_key SET answer = :answer
WHERE workspace_id = :workspace_id AND digest = :digest

-- name: erase_answers
UPDATE idempotency_key SET answer = NULL, fingerprint = NULL WHERE workspace_id = :workspace_id

-- name: delete_expired_keys
DELETE FROM idempotency_key WHERE created_at <= now() - interval '24 hours'
