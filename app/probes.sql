-- name: queues
-- Marks carry the time of the database; deliveries and jobs that of the service.
SELECT CASE priority WHEN 0 THEN 'refresh_live' WHEN 1 THEN 'refresh_silent'
                     ELSE 'refresh_sweep' END AS queue,
       count(*) AS entries, extract(epoch FROM clock_timestamp() - min(marked_at)) AS seconds
FROM due GROUP BY priority
UNION ALL
SELECT 'deliveries', count(*), extract(epoch FROM CAST(:now AS timestamptz) - min(d.due_at))
FROM delivery d JOIN webhook_endpoint e ON e.workspace_id = d.workspace_id AND e.id = d.endpoint_id
WHERE d.state = 'pending' AND d.due_at <= :now
  AND e.state = 'active' AND NOT e.paused AND (e.resume_at IS NULL OR e.resume_at <= :now)
UNION ALL
SELECT 'jobs', count(*), extract(epoch FROM CAST(:now AS timestamptz) - min(created_at))
FROM job WHERE finished_at IS NULL
UNION ALL
SELECT 'parked', count(*), 0 FROM parked_account WHERE failures >= :failures_until_parked
