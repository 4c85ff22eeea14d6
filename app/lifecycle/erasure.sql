-- name: list_anonymous_ids
SELECT anonymous_id FROM user_alias WHERE workspace_id = :workspace_id AND user_id = :user_id

-- name: insert_pseudonym_aliases
-- Both aliases exist until usage has moved from one to the other, account by account.
INSERT INTO user_alias (workspace_id, anonymous_id, user_id, known_on)
SELECT a.workspace_id, CAST(:anonymous AS jsonb) ->> a.anonymous_id, :pseudonym, a.known_on
FROM user_alias a
WHERE a.workspace_id = :workspace_id AND a.user_id = :user_id
  AND CAST(:anonymous AS jsonb) ? a.anonymous_id
ON CONFLICT DO NOTHING

-- name: next_account_window
SELECT max(account_id) FROM (
    SELECT account_id FROM {{table}}
    WHERE workspace_id = :workspace_id AND account_id > :after
    ORDER BY account_id LIMIT :limit
) AS page

-- name: pseudonymize_days
-- {{table}}: daily_usage or daily_reach.
UPDATE {{table}} SET
    user_id = CASE WHEN is_anonymous THEN CAST(:anonymous AS jsonb) ->> user_id ELSE :pseudonym END
WHERE workspace_id = :workspace_id AND account_id > :after AND account_id <= :upto
  AND ((NOT is_anonymous AND user_id = :user_id)
       OR (is_anonymous AND user_id = ANY(CAST(:anonymous_ids AS text[]))))

-- name: pseudonymize_events
-- The user's anonymous ids become pseudonyms; an anonymous id without an alias becomes null. An
-- event of another user on the same device keeps its user.
UPDATE event SET
    user_id = CASE WHEN user_id = :user_id THEN :pseudonym ELSE user_id END,
    anonymous_id = CASE WHEN coalesce(user_id, :user_id) = :user_id
                        THEN CAST(:anonymous AS jsonb) ->> anonymous_id END,
    properties = CASE WHEN coalesce(user_id, :user_id) = :user_id THEN '{}' ELSE properties END,
    fingerprint = CASE WHEN coalesce(user_id, :user_id) = :user_id THEN 0 ELSE fingerprint END
WHERE {{window}} AND (user_id = :user_id OR anonymous_id = ANY(CAST(:anonymous_ids AS text[])))

-- name: delete_events
DELETE FROM event WHERE {{window}} AND account_id = ANY(CAST(:ids AS text[]))

-- name: window
workspace_id = :workspace_id AND client_at > CAST(:after AS timestamptz)
  AND client_at <= CAST(:upto AS timestamptz)

-- name: delete_unattributed
DELETE FROM unattributed_event WHERE workspace_id = :workspace_id
  AND (user_id = ANY(CAST(:user_ids AS text[]))
       OR (user_id IS NULL AND anonymous_id = ANY(CAST(:anonymous_ids AS text[]))))

-- name: list_quarantined
SELECT number, payload, message_id FROM quarantined_event
WHERE workspace_id = :workspace_id AND number > :after ORDER BY number LIMIT :limit

-- name: delete_quarantined
DELETE FROM quarantined_event
WHERE workspace_id = :workspace_id AND number = ANY(CAST(:numbers AS bigint[]))

-- name: redact_audit
-- The audit keeps the actor and the time of a change, and loses the ids that it names.
UPDATE audit_entry SET details = '{}', subject = CASE
    WHEN subject = ANY(CAST(:ids AS text[])) THEN :erasure_id ELSE subject END
WHERE workspace_id = :workspace_id
  AND split_part(action, '.', 1) <> ALL(CAST(:others AS text[]))
  AND (subject = ANY(CAST(:ids AS text[])) OR EXISTS (
      SELECT FROM unnest(CAST(:ids AS text[])) AS i (id)
      WHERE position(CAST(to_jsonb(i.id) AS text) IN CAST(details AS text)) > 0))

-- name: list_jobs
-- Ended jobs whose settings, position or error name one of the ids.
SELECT id, config, position FROM job
WHERE workspace_id = :workspace_id AND finished_at IS NOT NULL AND EXISTS (
    SELECT FROM unnest(CAST(:ids AS text[])) AS i (id)
    WHERE position(CAST(to_jsonb(i.id) AS text)
                   IN CAST(config AS text) || CAST(job.position AS text)) > 0
       OR position(i.id IN error) > 0)
FOR UPDATE

-- name: redact_job
UPDATE job SET config = CAST(:config AS jsonb), position = CAST(:position AS jsonb),
    error = CASE WHEN error IS NOT NULL THEN 'The message named an erased id.' END
WHERE workspace_id = :workspace_id AND id = :id

-- name: list_members
-- The users of an account and whether they used other accounts too.
WITH page AS (
    SELECT user_id, email, name FROM "user"
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))
      AND user_id > :after
    ORDER BY user_id LIMIT :limit
)
SELECT p.user_id, p.email, p.name,
       array(SELECT a.anonymous_id FROM user_alias a
             WHERE a.workspace_id = :workspace_id AND a.user_id = p.user_id) AS anonymous_ids,
       p.user_id IN (
           SELECT u.user_id FROM daily_usage u
           WHERE u.workspace_id = :workspace_id AND NOT u.is_anonymous
             AND u.user_id = ANY(array(SELECT user_id FROM page))
             AND u.account_id <> ALL(CAST(:ids AS text[]))) AS uses_other_accounts
FROM page p ORDER BY p.user_id

-- name: detach_users
UPDATE "user" SET account_id = NULL, account_since = NULL, field_times = field_times - 'account_id'
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))

-- name: delete_users
DELETE FROM "user"
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))

-- name: delete_user_aliases
DELETE FROM user_alias
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))

-- name: delete_aliases
DELETE FROM user_alias WHERE workspace_id = :workspace_id AND user_id = :user_id

-- name: delete_bindings
DELETE FROM due_attribution WHERE workspace_id = :workspace_id
  AND (user_id = ANY(CAST(:user_ids AS text[]))
       OR anonymous_id = ANY(CAST(:anonymous_ids AS text[])))

-- name: pseudonymize_signals
-- Without a pseudonym each row gets its own.
UPDATE account_signal
SET evidence = jsonb_set(evidence, '{user_id}', to_jsonb(coalesce(
    CAST(:pseudonym AS text), 'erased-' || replace(CAST(gen_random_uuid() AS text), '-', ''))))
WHERE workspace_id = :workspace_id AND evidence ->> 'user_id' = ANY(CAST(:user_ids AS text[]))

-- name: delete_activity
DELETE FROM account_activity
WHERE workspace_id = :workspace_id AND activity ->> 'user_id' = ANY(CAST(:user_ids AS text[]))

-- name: detach_children
UPDATE account SET parent_id = NULL
WHERE workspace_id = :workspace_id AND parent_id = ANY(CAST(:ids AS text[]))

-- name: clear_move_ids
-- A finished move of an erased account loses its ids.
UPDATE id_change SET account_id = NULL, target_id = NULL
WHERE workspace_id = :workspace_id AND step IS NULL
  AND (account_id = ANY(CAST(:ids AS text[])) OR target_id = ANY(CAST(:ids AS text[])))
