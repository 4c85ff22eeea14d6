-- name: erase_moments
UPDATE ticket_moment m SET subject = NULL FROM ticket t
WHERE t.workspace_id = :workspace_id AND t.user_id = ANY(CAST(:user_ids AS text[]))
AND m.workspace_id = t.workspace_id AND m.ticket_id = t.ticket_id

-- name: erase_tickets
UPDATE ticket SET user_id = :pseudonym, subject = NULL WHERE {{of_users}}

-- name: erase_facts
-- After the versions, which are found by it. All facts of the objects of these users lose their
-- texts: other facts may repeat the texts.
UPDATE engagement_fact f SET
    fields = f.fields - CAST('{text,comment,answer}' AS text[]),
    user_id = CASE WHEN f.user_id = ANY(CAST(:user_ids AS text[]))
                   THEN CAST(:pseudonym AS text) ELSE f.user_id END
FROM (SELECT DISTINCT object_kind, object_id FROM engagement_fact WHERE {{of_users}}) AS o
WHERE f.workspace_id = :workspace_id
  AND f.object_kind = o.object_kind AND f.object_id = o.object_id

-- name: erase_responses
-- All versions of the objects of these users: one without the user may have the same text.
UPDATE survey_response SET comment = NULL, user_id = {{user_or_pseudonym}}
WHERE workspace_id = :workspace_id AND response_id IN (
    SELECT response_id FROM survey_response WHERE {{of_users}}
    UNION SELECT object_id FROM engagement_fact
    WHERE {{of_users}} AND object_kind = 'survey_response')

-- name: erase_feedback
UPDATE feedback_item SET text = NULL, answer = NULL, user_id = {{user_or_pseudonym}}
WHERE workspace_id = :workspace_id AND feedback_id IN (
    SELECT feedback_id FROM feedback_item WHERE {{of_users}}
    UNION SELECT object_id FROM engagement_fact
    WHERE {{of_users}} AND object_kind = 'feedback_item')

-- name: user_or_pseudonym
CASE WHEN user_id = ANY(CAST(:user_ids AS text[])) THEN CAST(:pseudonym AS text) ELSE user_id END

-- name: erase_completions
-- Without a pseudonym each row gets its own.
UPDATE onboarding_completion SET user_id = coalesce(
    CAST(:pseudonym AS text), 'erased-' || replace(CAST(gen_random_uuid() AS text), '-', ''))
WHERE {{of_users}}

-- name: erase_roles
DELETE FROM person_role WHERE {{of_users}}

-- name: of_users
workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
