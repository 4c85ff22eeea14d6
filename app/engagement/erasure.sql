-- name: erase_moments
UPDATE ticket_moment m SET subject = NULL FROM ticket t
WHERE t.workspace_id = :workspace_id AND t.user_id = ANY(CAST(:user_ids AS text[]))
AND m.workspace_id = t.workspace_id AND m.ticket_id = t.ticket_id

-- name: erase_tickets
UPDATE ticket SET user_id = :pseudonym, subject = NULL WHERE {{of_users}}

-- name: erase_responses
UPDATE survey_response SET user_id = :pseudonym, comment = NULL WHERE {{of_users}}

-- name: erase_feedback
UPDATE feedback_item SET user_id = :pseudonym, text = NULL, answer = NULL
WHERE {{of_users}}

-- name: erase_completions
-- Without a pseudonym each row gets its own.
UPDATE onboarding_completion SET user_id = coalesce(
    CAST(:pseudonym AS text), 'erased-' || replace(CAST(gen_random_uuid() AS text), '-', ''))
WHERE {{of_users}}

-- name: erase_roles
DELETE FROM person_role WHERE {{of_users}}

-- name: of_users
workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
