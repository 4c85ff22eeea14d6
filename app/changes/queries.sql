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
