-- name: keep_before_changes
-- Keep the accounts as they are before fields change on which figures of past days depend. The first
-- change of a day keeps the values of the day before. :rows: the new values, of given fields only.
INSERT INTO account_before_merge (
    workspace_id, account_id, merged_on, is_source, is_change, {{columns}}
)
SELECT workspace_id, account_id, CAST(:today AS date), false, true, {{columns}}
FROM account x
JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (changed_id text, fields jsonb)
    ON r.changed_id = x.account_id
WHERE x.workspace_id = :workspace_id
  AND (r.fields ? 'segment' AND x.segment IS DISTINCT FROM r.fields ->> 'segment'
       OR r.fields ? 'started_on'
          AND x.started_on IS DISTINCT FROM CAST(r.fields ->> 'started_on' AS date))
ORDER BY account_id COLLATE "C"
ON CONFLICT (workspace_id, account_id, merged_on) DO NOTHING
