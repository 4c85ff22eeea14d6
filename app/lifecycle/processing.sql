-- name: renew_future_fences
-- The clock of the database went back: a fence that lies ahead would hold up every new transaction.
UPDATE id_change SET fenced_at = clock_timestamp()
WHERE step IS NOT NULL AND fenced_at > clock_timestamp()

-- name: claim_change
-- The oldest open change of a workspace, once every transaction that began before its fence is done:
-- from then on all writers know of the change. What lies further ahead than any wait was written, or
-- began, before the clock went back.
SELECT c.workspace_id, c.id FROM id_change c
WHERE c.step IS NOT NULL AND (c.ready_at <= :now OR c.ready_at > :longest_wait)
  AND NOT EXISTS (
      SELECT FROM id_change o
      WHERE o.workspace_id = c.workspace_id AND o.step IS NOT NULL AND o.number < c.number)
  AND (c.fenced_at IS NULL OR c.ready_at <= :patience OR NOT EXISTS (
      SELECT FROM pg_stat_activity a
      WHERE a.datname = current_database() AND a.backend_type = 'client backend'
        AND a.pid <> pg_backend_pid()
        AND (a.xact_start <= c.fenced_at OR a.xact_start > clock_timestamp())))
ORDER BY c.number LIMIT 1
FOR UPDATE OF c SKIP LOCKED
