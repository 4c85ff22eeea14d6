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

-- name: is_later
-- Whether the snapshot does not see a change.
workspace_id = :workspace_id AND transaction_id >= :oldest AND (
    transaction_id >= :next_id OR transaction_id = ANY(CAST(:running AS bigint[]))
    OR number > :number AND transaction_id = CAST(
        CAST(pg_current_xact_id_if_assigned() AS text) AS bigint))

-- name: first_changes
-- By account the first change of its score that the snapshot does not see: the values before it are
-- those of the snapshot.
SELECT DISTINCT ON (account_id) * FROM sort_change
WHERE {{is_later}} AND source = 'health_score'
ORDER BY account_id, number

-- name: first_unused
SELECT DISTINCT ON (account_id) * FROM sort_change
WHERE {{is_later}} AND source = 'health_score' AND unused IS NOT NULL
ORDER BY account_id, number
