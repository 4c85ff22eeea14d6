-- name: set_lock_timeout
SET LOCAL lock_timeout = '3s'

-- name: list_partitions
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name)

-- name: create_partition
CREATE TABLE IF NOT EXISTS {{partition}} PARTITION OF {{table}} FOR VALUES FROM ('{{start}}') TO ('{{end}}')

-- name: desummarize
-- An empty table is summarised. A row inserted into a summarised range changes the summary, which
-- costs ten times the insert.
SELECT brin_desummarize_range(i.indexrelid, 0)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am a ON a.oid = c.relam
WHERE a.amname = 'brin' AND i.indrelid = to_regclass(:name)

-- name: find_newest
SELECT max({{age_column}})::timestamptz FROM {{partition}}

-- name: delete_old_rows
DELETE FROM {{partition}} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {{partition}} WHERE CAST({{age_column}} AS timestamptz) < :before LIMIT :limit))

-- name: drop_partition
DROP TABLE {{partition}}

-- name: has_default_rows
SELECT EXISTS (
  SELECT FROM {{table}}_default WHERE {{column}} >= :start AND {{column}} < :end
)
