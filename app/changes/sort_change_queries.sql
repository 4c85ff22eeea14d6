-- name: snapshot
-- A reader in a transaction of its own that writes sees its own changes up to now.
SELECT least(oldest, coalesce(own, oldest)) AS oldest,
       greatest(next_id, coalesce(own + 1, 0)) AS next_id, running,
       coalesce((SELECT max(c.number) FROM sort_change c
                 WHERE c.workspace_id = :workspace_id AND c.transaction_id = own), 0) AS number
FROM (
    SELECT CAST(CAST(pg_snapshot_xmin(s) AS text) AS bigint) AS oldest,
           CAST(CAST(pg_snapshot_xmax(s) AS text) AS bigint) AS next_id,
           ARRAY(SELECT CAST(CAST(x AS text) AS bigint) FROM pg_snapshot_xip(s) AS x) AS running,
           CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS bigint) AS own
    FROM pg_current_snapshot() AS s
) AS moment
