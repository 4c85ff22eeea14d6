"""SQL that finds waiting events whose account has become known."""

from sqlalchemy import text

# Marks the users of a batch, and their anonymous ids, for which events wait. The aliases of the
# batch must be written first.
MARK_DUE_ATTRIBUTIONS = text("""
INSERT INTO due_attribution (workspace_id, user_id, anonymous_id)
SELECT :workspace_id, batch.user_id, NULL
FROM unnest(CAST(:user_ids AS text[])) AS batch (user_id)
WHERE (SELECT 1 FROM unattributed_event w
       WHERE w.workspace_id = :workspace_id AND w.user_id = batch.user_id LIMIT 1) IS NOT NULL
UNION ALL
SELECT :workspace_id, NULL, a.anonymous_id FROM user_alias a
WHERE a.workspace_id = :workspace_id AND a.user_id = ANY(CAST(:user_ids AS text[]))
  AND (SELECT 1 FROM unattributed_event w
       WHERE w.workspace_id = :workspace_id AND w.anonymous_id = a.anonymous_id
         AND w.user_id IS NULL LIMIT 1) IS NOT NULL
""")

LOCK_DUE_ATTRIBUTIONS = text("""
SELECT id FROM due_attribution ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")

DROP_DUE_ATTRIBUTIONS = text("DELETE FROM due_attribution WHERE id = ANY(CAST(:ids AS bigint[]))")

_TAKE = """
DELETE FROM unattributed_event WHERE (workspace_id, client_at, message_id) IN (
    SELECT w.workspace_id, w.client_at, w.message_id
    FROM {waiting}
    LEFT JOIN user_alias a ON a.workspace_id = w.workspace_id AND w.user_id IS NULL
        AND a.anonymous_id = w.anonymous_id
    JOIN "user" u ON u.workspace_id = w.workspace_id
        AND u.user_id = coalesce(w.user_id, a.user_id)
    WHERE u.account_id IS NOT NULL
    {order}
    LIMIT :limit
    FOR UPDATE OF w SKIP LOCKED)
RETURNING workspace_id, key_id, received_at, row
"""

# Examines all waiting events: this also finds users who were marked before the waiting event was
# visible to that transaction.
TAKE_ATTRIBUTABLE = text(_TAKE.format(waiting="unattributed_event w", order="ORDER BY 1, 2, 3"))

TAKE_MARKED = text(
    _TAKE.format(
        waiting="""due_attribution m
    JOIN unattributed_event w ON w.workspace_id = m.workspace_id AND (
        w.user_id = m.user_id OR (w.anonymous_id = m.anonymous_id AND w.user_id IS NULL))""",
        order="",
    ).replace("WHERE u.account_id", "WHERE m.id = ANY(CAST(:ids AS bigint[])) AND u.account_id")
)
