"""The SQL of moves and erasures, one page at a time (docs/adr/0009)."""

from sqlalchemy import text

# The oldest open change of a workspace, once every transaction that began before its fence is done:
# from then on all writers know of the change.
CLAIM_CHANGE = text("""
SELECT c.workspace_id, c.id FROM id_change c
WHERE c.step IS NOT NULL AND c.ready_at <= :now
  AND NOT EXISTS (
      SELECT FROM id_change o
      WHERE o.workspace_id = c.workspace_id AND o.step IS NOT NULL AND o.number < c.number)
  AND (c.fenced_at IS NULL OR c.ready_at <= :patience OR NOT EXISTS (
      SELECT FROM pg_stat_activity a
      WHERE a.datname = current_database() AND a.backend_type = 'client backend'
        AND a.pid <> pg_backend_pid() AND a.xact_start <= c.fenced_at))
ORDER BY c.number LIMIT 1
FOR UPDATE OF c SKIP LOCKED
""")

DATABASE_TIME = text("SELECT clock_timestamp()")

# Accounts of open changes: their data is incomplete, so that they must not be scored.
ACCOUNTS_IN_TRANSITION = text("""
SELECT account_id FROM id_change
WHERE workspace_id = :workspace_id AND step IS NOT NULL AND account_id IS NOT NULL
UNION SELECT target_id FROM id_change
WHERE workspace_id = :workspace_id AND step IS NOT NULL AND target_id IS NOT NULL
UNION SELECT jsonb_array_elements_text(private -> 'ids') FROM id_change
WHERE workspace_id = :workspace_id AND step IS NOT NULL AND private ? 'ids'
""")

# ``event`` has no index on accounts or users: it is processed in windows of its key, the time.
NEXT_EVENT_WINDOW = text("""
SELECT max(client_at) FROM (
    SELECT client_at FROM event
    WHERE workspace_id = :workspace_id AND client_at > CAST(:after AS timestamptz)
    ORDER BY client_at LIMIT :limit
) AS page
""")

WINDOW = """workspace_id = :workspace_id AND client_at > CAST(:after AS timestamptz)
  AND client_at <= CAST(:upto AS timestamptz)"""

MOVE_EVENTS = text(f"""
UPDATE event SET account_id = :target_id WHERE {WINDOW} AND account_id = :account_id
""")  # noqa: S608 - made of the text above

DELETE_EVENTS = text(f"""
DELETE FROM event WHERE {WINDOW} AND account_id = ANY(CAST(:ids AS text[]))
""")  # noqa: S608 - made of the text above

# The user's anonymous ids become pseudonyms; an anonymous id without an alias becomes null. An
# event of another user on the same device keeps its user.
PSEUDONYMIZE_EVENTS = text(f"""
UPDATE event SET
    user_id = CASE WHEN user_id = :user_id THEN :pseudonym ELSE user_id END,
    anonymous_id = CASE WHEN coalesce(user_id, :user_id) = :user_id
                        THEN CAST(:anonymous AS jsonb) ->> anonymous_id END,
    properties = CASE WHEN coalesce(user_id, :user_id) = :user_id THEN '{{}}' ELSE properties END,
    fingerprint = CASE WHEN coalesce(user_id, :user_id) = :user_id THEN 0 ELSE fingerprint END
WHERE {WINDOW} AND (user_id = :user_id OR anonymous_id = ANY(CAST(:anonymous_ids AS text[])))
""")  # noqa: S608 - made of the text above

NEXT_ACCOUNT_WINDOW = text("""
SELECT max(account_id) FROM (
    SELECT account_id FROM daily_usage
    WHERE workspace_id = :workspace_id AND account_id > :after
    ORDER BY account_id LIMIT :limit
) AS page
""")

PSEUDONYMIZE_USAGE = text("""
UPDATE daily_usage SET
    user_id = CASE WHEN is_anonymous THEN CAST(:anonymous AS jsonb) ->> user_id ELSE :pseudonym END
WHERE workspace_id = :workspace_id AND account_id > :after AND account_id <= :upto
  AND ((NOT is_anonymous AND user_id = :user_id)
       OR (is_anonymous AND user_id = ANY(CAST(:anonymous_ids AS text[]))))
""")

MOVE_USAGE = text("""
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
""")

MOVE_REACH = text("""
WITH gone AS (
    DELETE FROM daily_reach
    WHERE (workspace_id, account_id, day, known_on, end_customer_id) IN (
        SELECT workspace_id, account_id, day, known_on, end_customer_id
        FROM daily_reach WHERE workspace_id = :workspace_id AND account_id = :account_id
        ORDER BY 3, 4, 5 LIMIT :limit)
    RETURNING *
),
added AS (
    INSERT INTO daily_reach (workspace_id, account_id, day, known_on, end_customer_id)
    SELECT workspace_id, :target_id, day, known_on, end_customer_id FROM gone ORDER BY 3, 4, 5
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM gone
""")

MOVE_FIRST_USE = text("""
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
""")

# Delete a first use if another one was known earlier and is not later.
PRUNE_FIRST_USE = text("""
DELETE FROM first_use f USING first_use x
WHERE f.workspace_id = :workspace_id AND f.account_id = :target_id
  AND x.workspace_id = f.workspace_id AND x.account_id = f.account_id
  AND x.known_on < f.known_on AND x.day <= f.day
""")

MOVE_USERS = text("""
UPDATE "user" SET account_id = :target_id
WHERE workspace_id = :workspace_id AND user_id IN (
    SELECT user_id FROM "user" WHERE workspace_id = :workspace_id AND account_id = :account_id
    ORDER BY user_id LIMIT :limit)
""")

# In key order, as all writers of accounts lock them, and before the advisory lock on parents.
LOCK_HIERARCHY = text("""
SELECT FROM account
WHERE workspace_id = :workspace_id
  AND (account_id = ANY(CAST(:ids AS text[])) OR parent_id = ANY(CAST(:ids AS text[])))
ORDER BY account_id
FOR NO KEY UPDATE
""")

MOVE_CHILDREN = text("""
UPDATE account SET parent_id = :target_id
WHERE workspace_id = :workspace_id AND parent_id = :account_id AND account_id <> :target_id
""")

DETACH_CHILDREN = text("""
UPDATE account SET parent_id = NULL
WHERE workspace_id = :workspace_id AND parent_id = ANY(CAST(:ids AS text[]))
""")

# The history of a merged account stays under its old id, with a reference to the new one.
MARK_HISTORY_MERGED = text("""
UPDATE health_history
SET details = details || jsonb_build_object('merged_into', CAST(:target_id AS text))
WHERE workspace_id = :workspace_id AND account_id = :account_id AND NOT details ? 'merged_into'
""")

END_OVERRIDES = text("""
UPDATE score_override SET ended_at = :now, ended_by = 'merge'
WHERE workspace_id = :workspace_id AND account_id = :account_id AND ended_at IS NULL
""")

LIST_ANONYMOUS_IDS = text("""
SELECT anonymous_id FROM user_alias WHERE workspace_id = :workspace_id AND user_id = :user_id
""")

# Both aliases exist until usage has moved from one to the other, account by account.
INSERT_PSEUDONYM_ALIASES = text("""
INSERT INTO user_alias (workspace_id, anonymous_id, user_id, known_on)
SELECT a.workspace_id, CAST(:anonymous AS jsonb) ->> a.anonymous_id, :pseudonym, a.known_on
FROM user_alias a
WHERE a.workspace_id = :workspace_id AND a.user_id = :user_id
  AND CAST(:anonymous AS jsonb) ? a.anonymous_id
ON CONFLICT DO NOTHING
""")

DELETE_ALIASES = text("""
DELETE FROM user_alias WHERE workspace_id = :workspace_id AND user_id = :user_id
""")

# Only an excluded user needs a row: else their usage would count from now on.
INSERT_EXCLUDED_PSEUDONYM = text("""
INSERT INTO "user" (workspace_id, user_id, account_id, excluded)
SELECT workspace_id, :pseudonym, account_id, true FROM "user"
WHERE workspace_id = :workspace_id AND user_id = :user_id AND excluded
ON CONFLICT DO NOTHING
""")

CLEAR_USER = text("""
UPDATE "user" SET email = NULL, name = NULL, role = NULL, traits = '{}', traits_at = NULL
WHERE workspace_id = :workspace_id AND user_id = :user_id
""")

DELETE_UNATTRIBUTED = text("""
DELETE FROM unattributed_event WHERE workspace_id = :workspace_id
  AND (user_id = ANY(CAST(:user_ids AS text[]))
       OR (user_id IS NULL AND anonymous_id = ANY(CAST(:anonymous_ids AS text[]))))
""")

# The users of an account and whether they used other accounts too.
LIST_MEMBERS = text("""
WITH page AS (
    SELECT user_id, email FROM "user"
    WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))
      AND user_id > :after
    ORDER BY user_id LIMIT :limit
)
SELECT p.user_id, p.email,
       array(SELECT a.anonymous_id FROM user_alias a
             WHERE a.workspace_id = :workspace_id AND a.user_id = p.user_id) AS anonymous_ids,
       p.user_id IN (
           SELECT u.user_id FROM daily_usage u
           WHERE u.workspace_id = :workspace_id AND NOT u.is_anonymous
             AND u.user_id = ANY(array(SELECT user_id FROM page))
             AND u.account_id <> ALL(CAST(:ids AS text[]))) AS uses_other_accounts
FROM page p ORDER BY p.user_id
""")

DETACH_USERS = text("""
UPDATE "user" SET account_id = NULL, account_since = NULL
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
""")

DELETE_USERS = text("""
DELETE FROM "user"
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
""")

DELETE_USER_ALIASES = text("""
DELETE FROM user_alias
WHERE workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))
""")

LIST_QUARANTINED = text("""
SELECT number, payload, message_id FROM quarantined_event
WHERE workspace_id = :workspace_id AND number > :after ORDER BY number LIMIT :limit
""")

DELETE_QUARANTINED = text("""
DELETE FROM quarantined_event
WHERE workspace_id = :workspace_id AND number = ANY(CAST(:numbers AS bigint[]))
""")

# The audit keeps the actor and the time of a change, and loses the ids that it names.
REDACT_AUDIT = text("""
UPDATE audit_entry SET details = '{}', subject = CASE
    WHEN subject = ANY(CAST(:ids AS text[])) THEN :erasure_id ELSE subject END
WHERE workspace_id = :workspace_id
  AND split_part(action, '.', 1) <> ALL(CAST(:others AS text[]))
  AND (subject = ANY(CAST(:ids AS text[])) OR EXISTS (
      SELECT FROM unnest(CAST(:ids AS text[])) AS i (id)
      WHERE position(CAST(to_jsonb(i.id) AS text) IN CAST(details AS text)) > 0))
""")

DELETE_BINDINGS = text("""
DELETE FROM due_attribution WHERE workspace_id = :workspace_id
  AND (user_id = ANY(CAST(:user_ids AS text[]))
       OR anonymous_id = ANY(CAST(:anonymous_ids AS text[])))
""")

# A finished move of an erased account loses its ids.
CLEAR_MOVE_IDS = text("""
UPDATE id_change SET account_id = NULL, target_id = NULL
WHERE workspace_id = :workspace_id AND step IS NULL
  AND (account_id = ANY(CAST(:ids AS text[])) OR target_id = ANY(CAST(:ids AS text[])))
""")

DELETE_ACTIVITY = text("""
DELETE FROM account_activity
WHERE workspace_id = :workspace_id AND activity ->> 'user_id' = ANY(CAST(:user_ids AS text[]))
""")

# Without a pseudonym each row gets its own.
PSEUDONYMIZE_SIGNALS = text("""
UPDATE account_signal
SET evidence = jsonb_set(evidence, '{user_id}', to_jsonb(coalesce(
    CAST(:pseudonym AS text), 'erased-' || replace(CAST(gen_random_uuid() AS text), '-', ''))))
WHERE workspace_id = :workspace_id AND evidence ->> 'user_id' = ANY(CAST(:user_ids AS text[]))
""")
