-- name: end_membership
-- An unknown user who leaves is inserted without an account, so that the ingest statement does not
-- make them a member by the same event. The time stays under ``left.`` and a hash of the account:
-- the call that made them a member may arrive later.
INSERT INTO "user" AS u (workspace_id, user_id, account_since, field_times)
VALUES (:workspace_id, :user_id, :at, jsonb_build_object({{left}}, CAST(:time AS text)))
ON CONFLICT (workspace_id, user_id) DO UPDATE SET
    account_id = CASE WHEN {{is_last}} THEN NULL ELSE u.account_id END,
    account_since = CASE WHEN {{is_last}} THEN excluded.account_since ELSE u.account_since END,
    field_times = jsonb_strip_nulls(jsonb_build_object(
        '+', CASE WHEN u.field_times = '{}' THEN {{row_time}} END)) || u.field_times
        || jsonb_build_object({{left}}, greatest(
            (u.field_times ->> {{left}}) COLLATE "C", CAST(:time AS text)))

-- name: left
('left.' || hashtextextended(CAST(:account_id AS text), 0))

-- name: is_last
coalesce(u.account_id = :account_id, true) AND CAST(:time AS text) COLLATE "C" > coalesce(
    u.field_times ->> 'account_id', u.field_times ->> '*',
    to_char(u.account_since AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS.US"Z"'), '')
