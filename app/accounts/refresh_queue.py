"""The refresh queue: which accounts must be scored again, how urgently, and which keep failing.

A mark is a row of the table ``due``. Marks are only inserted, so marking an account never waits for
a lock. A worker claims the most urgent marks; the claim deletes them in the worker's transaction,
so that a rollback returns them. An account whose refresh fails alone is counted in
``parked_account``; after the third failure it is left out until it is marked again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from app.accounts.tables import Due

CLAIM_LOCK_SEED = 0x5C0E
"""Keeps the advisory locks of claims apart from other advisory locks."""

MARK_ALL_DUE = text("""
INSERT INTO due (workspace_id, account_id, priority, notify)
SELECT workspace_id, account_id, CAST(:priority AS int), false
FROM account WHERE workspace_id = :workspace_id ORDER BY account_id
""")

# An account that another worker has claimed is left for later: its scores are locked. Marks of a
# claimed account that wait further behind are claimed with it if they are live: it would be scored
# again for them.
CLAIM_DUE = text("""
WITH picked AS MATERIALIZED (
    SELECT priority, id, workspace_id, account_id FROM due WHERE priority >= :from_priority
    ORDER BY priority, id LIMIT :limit FOR UPDATE SKIP LOCKED
),
most_urgent AS (
    SELECT *, row_number() OVER (ORDER BY id) AS place
    FROM picked WHERE priority = (SELECT min(priority) FROM picked)
),
wanted AS (SELECT * FROM most_urgent WHERE priority = 0 OR place <= :background_limit),
free AS MATERIALIZED (
    SELECT workspace_id, account_id
    FROM (SELECT DISTINCT workspace_id, account_id FROM wanted) AS one
    WHERE pg_try_advisory_xact_lock(
        hashtextextended(workspace_id || chr(31) || account_id, :lock_seed))
),
behind AS MATERIALIZED (
    SELECT priority, id FROM due JOIN free USING (workspace_id, account_id)
    WHERE priority = 0
    FOR UPDATE OF due SKIP LOCKED
),
claimed AS (
    DELETE FROM due USING (
        SELECT priority, id FROM wanted JOIN free USING (workspace_id, account_id)
        UNION SELECT priority, id FROM behind) AS c
    WHERE (due.priority, due.id) = (c.priority, c.id)
    RETURNING due.workspace_id, due.account_id, due.priority, due.notify, due.used_since
),
unparked AS (
    DELETE FROM parked_account p USING claimed c
    WHERE p.workspace_id = c.workspace_id AND p.account_id = c.account_id
)
SELECT workspace_id, account_id, min(priority) AS priority, bool_or(notify) AS notify,
       CASE WHEN bool_and(used_since IS NOT NULL) THEN min(used_since) END AS used_since
FROM claimed GROUP BY workspace_id, account_id ORDER BY workspace_id, account_id
""")

REMOVE_DUE = text("""
DELETE FROM due USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE due.workspace_id = t.workspace_id AND due.account_id = t.account_id
""")

RECORD_FAILURE = text("""
INSERT INTO parked_account AS p (workspace_id, account_id, failures, error, failed_at)
VALUES (:workspace_id, :account_id, 1, :error, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    failures = p.failures + 1, error = excluded.error, failed_at = excluded.failed_at
RETURNING failures
""")

CLEAR_FAILURES = text("""
DELETE FROM parked_account p
USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE p.workspace_id = t.workspace_id AND p.account_id = t.account_id
""")


class Priority(IntEnum):
    """How urgent a refresh is; the smaller number is claimed first.

    LIVE: data of the account arrived. SILENT: follow-up work that nobody waits for. SWEEP: every
    account of a workspace, once a day or after a change of settings.
    """

    LIVE = 0
    SILENT = 1
    SWEEP = 2


@dataclass(frozen=True, slots=True)
class ClaimedAccount:
    """An account to score now. ``notify``: whether messages may be sent about what changes.

    ``used_since``: the earliest day of new usage if nothing but usage has changed, else None.
    """

    workspace_id: str
    account_id: str
    priority: Priority
    notify: bool
    used_since: date | None = None


def mark_due(
    session: Session,
    workspace_id: str,
    account_ids: Collection[str],
    *,
    priority: Priority = Priority.LIVE,
    notify: bool = True,
) -> None:
    """Queue accounts to be scored again."""
    rows = [
        {
            "workspace_id": workspace_id,
            "account_id": account_id,
            "priority": priority,
            "notify": notify,
        }
        for account_id in sorted(set(account_ids))
    ]
    if rows:
        session.execute(insert(Due), rows)


def mark_all_due(session: Session, workspace_id: str, *, priority: Priority) -> None:
    """Queue every account of a workspace to be scored again, without notifications."""
    values = {"workspace_id": workspace_id, "priority": int(priority)}
    session.execute(MARK_ALL_DUE, values)


def claim_due(
    session: Session,
    *,
    limit: int,
    background_limit: int | None = None,
    from_priority: Priority = Priority.LIVE,
) -> Sequence[ClaimedAccount]:
    """Remove accounts of the most urgent priority from the queue; return each once, in key order.

    ``limit`` is the largest number of marks that are read. ``background_limit`` is the largest
    number of marks below LIVE, so that live ones need not wait long (None: ``limit``). Marks that
    are more urgent than ``from_priority`` are skipped. A rollback returns the marks. A parked
    account that was marked again is unparked.
    """
    values = {
        "limit": limit,
        "background_limit": limit if background_limit is None else background_limit,
        "from_priority": from_priority,
        "lock_seed": CLAIM_LOCK_SEED,
    }
    return [
        ClaimedAccount(
            row.workspace_id, row.account_id, Priority(row.priority), row.notify, row.used_since
        )
        for row in session.execute(CLAIM_DUE, values)
    ]


def remove_due(session: Session, accounts: Sequence[ClaimedAccount]) -> None:
    """Remove every mark of the given accounts from the queue."""
    session.execute(REMOVE_DUE, _keys(accounts))


def record_failure(session: Session, account: ClaimedAccount, *, error: str, now: datetime) -> int:
    """Count a failed refresh of one account; return the number of failures so far."""
    values = {
        "workspace_id": account.workspace_id,
        "account_id": account.account_id,
        "error": error,
        "now": now,
    }
    return int(session.scalar(RECORD_FAILURE, values) or 0)


def clear_failures(session: Session, accounts: Sequence[ClaimedAccount]) -> None:
    """Reset the failure count of accounts that were refreshed."""
    session.execute(CLEAR_FAILURES, _keys(accounts))


def _keys(accounts: Sequence[ClaimedAccount]) -> dict[str, list[str]]:
    return {
        "workspace_ids": [each.workspace_id for each in accounts],
        "account_ids": [each.account_id for each in accounts],
    }
