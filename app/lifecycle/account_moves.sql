-- name: move_children
UPDATE account SET parent_id = :target_id
WHERE workspace_id = :workspace_id AND parent_id = :account_id AND account_id <> :target_id

-- name: mark_history_merged
-- The history of a merged account stays under its old id, with a reference to the new one.
UPDATE health_history
SET details = details || jsonb_build_object('merged_into', CAST(:target_id AS text))
WHERE workspace_id = :workspace_id AND account_id = :account_id AND NOT details ? 'merged_into'

-- name: keep_assignments
-- Both accounts of a merge stay in their arms of an experiment: the rows get a key of their own.
UPDATE assignment SET merge_id = CAST(gen_random_uuid() AS text)
WHERE workspace_id = :workspace_id AND account_id = :account_id AND merge_id = ''

-- name: end_overrides
UPDATE score_override SET ended_at = :now, ended_by = 'merge'
WHERE workspace_id = :workspace_id AND account_id = :account_id AND ended_at IS NULL

-- name: move_users
UPDATE "user" SET account_id = :target_id
WHERE workspace_id = :workspace_id AND user_id IN (
    SELECT user_id FROM "user" WHERE workspace_id = :workspace_id AND account_id = :account_id
    ORDER BY user_id LIMIT :limit)

-- name: move_usage
WITH gone AS (
    DELETE FROM daily_usage
    WHERE (workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name) IN (
        SELECT workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name
        FROM daily_usage WHERE workspace_id = :workspace_id AND account_id = :account_id
        ORDER BY 3, 4, 5, 6, 7 LIMIT :limit)
    RETURNING *
),
added AS (
    INSERT INTO daily_usage AS u (
        workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name, events, quantity
    )
    SELECT workspace_id, :target_id, day, known_on, user_id, is_anonymous, event_name, events,
           quantity
    FROM gone ORDER BY 3, 4, 5, 6, 7
    ON CONFLICT (workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name)
    DO UPDATE SET events = u.events + excluded.events, quantity = u.quantity + excluded.quantity
)
SELECT count(*) FROM gone

-- name: move_reach
WITH gone AS (
    DELETE FROM daily_reach
    WHERE (workspace_id, account_id, day, known_on, end_customer_id, user_id, is_anonymous) IN (
        SELECT workspace_id, account_id, day, known_on, end_customer_id, user_id, is_anonymous
        FROM daily_reach WHERE workspace_id = :workspace_id AND account_id = :account_id
        ORDER BY 3, 4, 5, 6, 7 LIMIT :limit)
    RETURNING *
),
added AS (
    INSERT INTO daily_reach (
        workspace_id, account_id, day, known_on, end_customer_id, user_id, is_anonymous
    )
    SELECT workspace_id, :target_id, day, known_on, end_customer_id, user_id, is_anonymous
    FROM gone ORDER BY 3, 4, 5, 6, 7
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM gone

-- name: move_first_use
WITH gone AS (
    DELETE FROM first_use WHERE workspace_id = :workspace_id AND account_id = :account_id
    RETURNING *
),
added AS (
    INSERT INTO first_use AS f (workspace_id, account_id, known_on, day)
    SELECT workspace_id, :target_id, known_on, day FROM gone ORDER BY known_on
    ON CONFLICT (workspace_id, account_id, known_on)
    DO UPDATE SET day = least(f.day, excluded.day)
)
SELECT count(*) FROM gone

-- name: prune_first_use
-- Delete a first use if another one was known earlier and is not later.
DELETE FROM first_use f USING first_use x
WHERE f.workspace_id = :workspace_id AND f.account_id = :target_id
  AND x.workspace_id = f.workspace_id AND x.account_id = f.account_id
  AND x.known_on < f.known_on AND x.day <= f.day

-- name: move_events
UPDATE event SET account_id = :target_id WHERE {{window}} AND account_id = :account_id

-- name: window
workspace_id = :workspace_id AND client_at > CAST(:after AS timestamptz)
  AND client_at <= CAST(:upto AS timestamptz)

-- name: copy_account
-- Return no row if the account exists.
INSERT INTO account (account_id, {{columns}}) SELECT :target_id, {{columns}} FROM account
WHERE workspace_id = :workspace_id AND account_id = :account_id
ON CONFLICT DO NOTHING RETURNING account_id

-- name: merge_account
UPDATE account t SET {{merged}} FROM account s
WHERE t.workspace_id = :workspace_id AND t.account_id = :target_id
  AND s.workspace_id = :workspace_id AND s.account_id = :account_id

-- name: delete_account
DELETE FROM account WHERE workspace_id = :workspace_id AND account_id = :account_id

-- name: keep_accounts
-- Reports of days before the merge see both accounts as they were. Of several merges and changes on
-- one day the first one counts.
INSERT INTO account_before_merge AS b (workspace_id, account_id, merged_on, is_source, {{columns}})
SELECT workspace_id, account_id, :day, account_id = :account_id, {{columns}} FROM account
WHERE workspace_id = :workspace_id AND account_id IN (:account_id, :target_id)
ORDER BY account_id
ON CONFLICT (workspace_id, account_id, merged_on) DO UPDATE SET
    is_source = b.is_source OR excluded.is_source, is_change = false

-- name: note_merge
-- Reports of days before the merge see the rows under the old id.
UPDATE {{table}} SET
    merged_from = array_append(merged_from, CAST(account_id AS text)),
    merged_on = array_append(merged_on, CAST(:day AS date))
WHERE workspace_id = :workspace_id AND account_id = :account_id

-- name: move_subscriptions
-- An id that the target has too gets the old account id as prefix. ``first`` is false when the
-- worker repeats the move: a period that was written under the old id in the last moment then joins
-- its subscription, which may have the prefix. ``own_id``: the id that in each account stands for what
-- events state of that account; in a merge it always gets the prefix.
WITH theirs AS (
    SELECT DISTINCT subscription_id FROM subscription
    WHERE workspace_id = :workspace_id AND account_id = :target_id
),
gone AS (
    DELETE FROM subscription
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    RETURNING *, {{prefixed}} AS prefixed
),
moved AS (
    INSERT INTO subscription (account_id, subscription_id, {{columns}})
    SELECT :target_id, CASE
        WHEN prefixed IN (SELECT subscription_id FROM theirs) THEN prefixed
        WHEN subscription_id = :own_id THEN prefixed
        WHEN :first AND subscription_id IN (SELECT subscription_id FROM theirs)
        THEN prefixed ELSE subscription_id END, {{columns}}
    FROM gone
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM gone

-- name: move_rows
-- Rows whose key the target has already stay.
UPDATE {{table}} SET account_id = :target_id
WHERE workspace_id = :workspace_id AND account_id = :account_id {{unless_taken}}

-- name: unless_taken
AND NOT EXISTS (SELECT FROM {{table}} x WHERE x.account_id = :target_id AND {{same_key}})
