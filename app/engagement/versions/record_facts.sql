-- Statements that store facts and the versions that are computed from them.

-- name: lock_objects
-- Insert missing objects and lock all of them, in key order. account_id: see the table.
INSERT INTO engagement_object (workspace_id, object_kind, object_id, account_id)
SELECT :workspace_id, r.object_kind, r.object_id, max(r.event_account)
FROM json_to_recordset(CAST(:objects AS json)) AS r (
    object_kind text COLLATE "C", object_id text COLLATE "C", event_account text COLLATE "C")
GROUP BY 2, 3 ORDER BY 2, 3
ON CONFLICT (workspace_id, object_kind, object_id)
DO UPDATE SET object_kind = excluded.object_kind
RETURNING object_kind, object_id, xmax = 0 AS is_new

-- name: insert_facts
INSERT INTO engagement_fact (
    workspace_id, object_kind, object_id, at, message_id, kind, account_id, known_on, user_id,
    fields)
SELECT :workspace_id, r.object_kind, r.object_id, r.at, r.message_id, r.kind, r.account_id,
       r.known_on, r.user_id, r.fields
FROM json_to_recordset(CAST(:facts AS json)) AS r (
    object_kind text COLLATE "C", object_id text COLLATE "C", at timestamptz,
    message_id text COLLATE "C", kind text COLLATE "C", account_id text COLLATE "C",
    known_on date, user_id text, fields jsonb)
ORDER BY 2, 3, 4, 5, 6, 7
ON CONFLICT DO NOTHING

-- name: list_facts
SELECT f.object_kind, f.object_id, f.kind, f.at, f.known_on, f.account_id, f.user_id, f.fields,
       f.message_id
FROM (SELECT DISTINCT object_kind, object_id FROM json_to_recordset(CAST(:objects AS json)) AS r (
          object_kind text COLLATE "C", object_id text COLLATE "C")) AS o
JOIN engagement_fact f ON f.workspace_id = :workspace_id AND f.object_kind = o.object_kind
    AND f.object_id = o.object_id

-- name: newest_fact
SELECT max(at) FROM engagement_fact
WHERE workspace_id = :workspace_id AND object_kind = :object_kind AND object_id = :object_id

-- name: merges_of_objects
-- The accounts of {{table}} from before merges: all versions of an object have the same ones.
SELECT {{id}} AS object_id, max(merged_from) AS merged_from, max(merged_on) AS merged_on
FROM {{table}}
WHERE workspace_id = :workspace_id AND {{id}} = ANY(CAST(:ids AS text[]))
GROUP BY {{id}}

-- name: delete_versions
-- The versions of {{table}} from the first changed day on.
DELETE FROM {{table}} v USING json_to_recordset(CAST(:rows AS json)) AS r (
    object_id text COLLATE "C", since date)
WHERE v.workspace_id = :workspace_id AND v.{{id}} = r.object_id AND v.known_on >= r.since

-- name: end_versions
-- The version that was known before the first changed day ends, or goes on.
UPDATE {{table}} v SET known_until = r.until
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    object_id text COLLATE "C", account_id text COLLATE "C", since date, until date)
WHERE v.workspace_id = :workspace_id AND v.{{id}} = r.object_id {{same_account}}
  AND v.known_on < r.since AND v.known_until >= r.since AND v.known_until <> r.until

-- name: insert_versions
INSERT INTO {{table}} ({{columns}})
SELECT {{columns}} FROM json_populate_recordset(CAST(NULL AS {{table}}), CAST(:rows AS json)) AS r
ORDER BY r.{{id}}, r.known_until

-- name: set_owners
UPDATE engagement_object o SET account_id = r.account_id
FROM json_to_recordset(CAST(:owners AS json)) AS r (
    object_kind text COLLATE "C", object_id text COLLATE "C", account_id text COLLATE "C")
WHERE o.workspace_id = :workspace_id AND o.object_kind = r.object_kind
  AND o.object_id = r.object_id AND o.account_id IS DISTINCT FROM r.account_id

-- name: seed_survey_response
-- The facts of an answer that was stored before facts were.
{{insert_seed}}
SELECT workspace_id, 'survey_response', response_id, at, '', 'given', account_id, known_on, user_id,
       jsonb_strip_nulls(jsonb_build_object(
           'kind', kind, 'score', score, 'comment', comment, 'ticket_id', ticket_id))
FROM survey_response WHERE response_id = {{seeded}}

-- name: seed_feedback_item
{{insert_seed}}
SELECT workspace_id, 'feedback_item', feedback_id, at, '', 'given', account_id, known_on, user_id,
       jsonb_strip_nulls(jsonb_build_object(
           'kind', kind, 'text', text, 'topic', topic, 'product_feature', product_feature,
           'owner', owner, 'due_on', due_on,
           'status', CASE WHEN resolved_at IS NULL THEN status END))
FROM feedback_item WHERE feedback_id = {{seeded}}
UNION ALL
SELECT workspace_id, 'feedback_item', feedback_id, resolved_at, '', 'resolved', '',
       coalesce(resolved_known_on, known_on), NULL,
       jsonb_strip_nulls(jsonb_build_object(
           'status', status, 'answer', answer, 'notified_at', notified_at))
FROM feedback_item WHERE feedback_id = {{seeded}} AND resolved_at IS NOT NULL

-- name: seed_goal
{{insert_seed}}
SELECT workspace_id, 'goal', goal_id, CAST(starts_on AS timestamptz), '', 'given', account_id,
       known_on, NULL, jsonb_build_object(
           'title', title, 'metric', metric, 'event_names', event_names, 'trait', trait,
           'baseline', baseline, 'target', target, 'due_on', due_on, 'closed_on', closed_on)
FROM goal WHERE goal_id = {{seeded}}

-- name: seed_incident
{{insert_seed}}
SELECT workspace_id, 'incident', incident_id, declared_at, '', 'given', '', known_on,
       NULL, jsonb_strip_nulls(jsonb_build_object('title', title))
FROM incident WHERE incident_id = {{seeded}}
UNION ALL
SELECT workspace_id, 'incident', incident_id, ended_at, '', 'ended', '',
       coalesce(ended_known_on, known_on), NULL, '{}'
FROM incident WHERE incident_id = {{seeded}} AND ended_at IS NOT NULL
UNION ALL
SELECT a.workspace_id, 'incident', a.incident_id, i.declared_at, '', 'affected', a.account_id,
       a.known_on, NULL, '{"is_affected": true}'
FROM incident_account a JOIN incident i
    ON i.workspace_id = a.workspace_id AND i.incident_id = a.incident_id
    AND i.known_until = a.known_until
WHERE a.incident_id = {{seeded_rows}} AND a.workspace_id = :workspace_id
  AND a.known_until = '9999-12-31'
UNION ALL
SELECT workspace_id, 'incident', incident_id, apology_sent_at, '', 'apology', account_id,
       coalesce(apology_known_on, known_on), NULL, '{}'
FROM incident_account WHERE incident_id = {{seeded}} AND apology_sent_at IS NOT NULL

-- name: insert_seed
INSERT INTO engagement_fact (
    workspace_id, object_kind, object_id, at, message_id, kind, account_id, known_on, user_id,
    fields)

-- name: seeded_rows
ANY(CAST(:ids AS text[]))

-- name: seeded
{{seeded_rows}} AND workspace_id = :workspace_id AND known_until = '9999-12-31'
