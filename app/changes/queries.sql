-- name: insert_changes
INSERT INTO change (workspace_id, transaction_id, type, account_id, data, created_at)
SELECT :workspace_id, CAST(CAST(pg_current_xact_id() AS text) AS bigint), r.type, r.account_id,
       r.data, :now
FROM ROWS FROM (json_to_recordset(CAST(:rows AS json))
                AS (type text, account_id text, data jsonb)) WITH ORDINALITY
    AS r (type, account_id, data, place)
ORDER BY r.place

-- name: oldest_running
-- All databases of a cluster share the sequence of transaction ids, but transactions of other
-- databases write nothing here. One whose database is unknown counts as ours: this can only make
-- readers wait.
SELECT coalesce(min(CAST(CAST(x AS text) AS bigint)),
                CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint))
FROM pg_snapshot_xip(pg_current_snapshot()) AS x
WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity a
    WHERE a.backend_xid = CAST(x AS xid) AND a.datname <> current_database())

-- name: new_changes
-- The snapshot of this statement, and the changes that an earlier snapshot does not see.
SELECT CAST(CAST(pg_snapshot_xmin(s) AS text) AS bigint) AS oldest,
       CAST(CAST(pg_snapshot_xmax(s) AS text) AS bigint) AS next_id,
       ARRAY(SELECT CAST(CAST(x AS text) AS bigint) FROM pg_snapshot_xip(s) AS x) AS running,
       c.workspace_id, c.type, c.account_id
FROM pg_current_snapshot() AS s
LEFT JOIN LATERAL (
    SELECT DISTINCT x.workspace_id, x.type, x.account_id FROM change x
    WHERE x.workspace_id = ANY(CAST(:workspace_ids AS text[])) AND x.transaction_id >= :oldest
      AND (x.transaction_id >= :next_id OR x.transaction_id = ANY(CAST(:running AS bigint[])))
    LIMIT :limit
) AS c ON true
