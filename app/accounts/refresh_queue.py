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

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.accounts.tables import Due
from app.core.sql import load_sql

CLAIM_LOCK_SEED = 0x5C0E
"""Keeps the advisory locks of claims apart from other advisory locks."""

LOOKED_THROUGH = 100_000
"""How many marks a claim looks through, in equal shares of its workspaces, for further marks of
claimed accounts: an account whose marks lie deeper is scored again for them."""

FAILURES_UNTIL_PARKED = 3
OUT_OF_RANGE = "A value of the account is too large, or has a form that cannot be computed with."
PARKED_REASONS = {
    "DataError": OUT_OF_RANGE,
    "OverflowError": OUT_OF_RANGE,
    "FloatingPointError": OUT_OF_RANGE,
    "IntegrityError": "Two rows of the account contradict each other.",
}
"""Reasons in words, by the class of the error."""

SQL = load_sql(__file__)


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
    mark = {"workspace_id": workspace_id, "priority": priority, "notify": notify}
    if rows := [mark | {"account_id": account_id} for account_id in sorted(set(account_ids))]:
        session.execute(insert(Due), rows)


def mark_all_due(session: Session, workspace_id: str, *, priority: Priority) -> None:
    """Queue every account of a workspace to be scored again, without notifications."""
    session.execute(SQL.mark_all_due, {"workspace_id": workspace_id, "priority": int(priority)})


def claim_due(
    session: Session,
    *,
    limit: int,
    background_limit: int | None = None,
    from_priority: Priority = Priority.LIVE,
) -> Sequence[ClaimedAccount]:
    """Remove accounts of the most urgent priority from the queue; return each once, in key order.

    ``limit`` is the largest number of marks that choose accounts, shared equally by the workspaces
    that have marks; ``background_limit`` is that of priorities less urgent than LIVE, so that LIVE
    marks wait less. Further marks of these accounts are removed with them. Marks more urgent than
    ``from_priority`` are skipped. A rollback returns the marks. A parked account that was marked
    again is unparked.
    """
    background_limit = min(limit, background_limit or limit)
    priorities = [int(each) for each in Priority if each >= from_priority]
    for priority in session.scalars(SQL.waiting_priorities, {"priorities": priorities}).all():
        values = {
            "priority": priority,
            "limit": limit if priority == Priority.LIVE else background_limit,
            "looked_through": LOOKED_THROUGH,
            "lock_seed": CLAIM_LOCK_SEED,
        }
        if rows := session.execute(SQL.claim_due, values).all():
            return [
                ClaimedAccount(
                    row.workspace_id,
                    row.account_id,
                    Priority(row.priority),
                    row.notify,
                    row.used_since,
                )
                for row in rows
            ]
    return []


def remove_due(session: Session, accounts: Sequence[ClaimedAccount]) -> None:
    """Remove every mark of the given accounts from the queue."""
    session.execute(SQL.remove_due, _keys(accounts))


def record_failure(session: Session, account: ClaimedAccount, *, error: str, now: datetime) -> int:
    """Count a failed refresh of one account; return the number of failures so far."""
    key = {"workspace_id": account.workspace_id, "account_id": account.account_id}
    return int(session.scalar(SQL.record_failure, key | {"error": error, "now": now}) or 0)


def parked_reason(error: str) -> str:
    """Return why an account is parked, without any value of its rows."""
    known = PARKED_REASONS.get(error, "The computation of the score fails by an error in it.")
    return f"{known} The log of the worker has the {error} under account_parked."


def clear_failures(session: Session, accounts: Sequence[ClaimedAccount]) -> None:
    """Reset the failure count of accounts that were refreshed."""
    session.execute(SQL.clear_failures, _keys(accounts))


def _keys(accounts: Sequence[ClaimedAccount]) -> dict[str, list[str]]:
    return {
        "workspace_ids": [each.workspace_id for each in accounts],
        "account_ids": [each.account_id for each in accounts],
    }
