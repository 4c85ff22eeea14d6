"""Store the next deadlines of accounts, and mark accounts due whose deadline has passed."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority
from app.core.sql import load_sql

LIMIT = 1_000
"""How many deadlines one statement takes."""

SQL = load_sql(__file__)


class DeadlineKind(StrEnum):
    """What ends at the deadline. Each kind is stored by one stage of a refresh.

    REPLY: the time for the first reply to a ticket. PLAYBOOK: the time for which a playbook is not
    suggested again.
    """

    REPLY = "reply"
    PLAYBOOK = "playbook"


def schedule(
    session: Session,
    workspace_id: str,
    kind: DeadlineKind,
    deadlines: Mapping[str, datetime | None],
) -> None:
    """Store the next deadline of accounts; None: the account has none of this kind.

    The caller holds the locks on the score rows of the accounts.
    """
    if not deadlines:
        return
    ids = sorted(deadlines)
    values = {"account_ids": ids, "due_at": [deadlines[key] for key in ids]}
    session.execute(SQL.schedule, {"workspace_id": workspace_id, "kind": kind.value} | values)


def mark_overdue_accounts_due(session: Session, *, now: datetime) -> int:
    """Mark accounts of all workspaces due whose deadline has passed; return how many deadlines.

    The deadline is deleted with the mark, in one statement: after a crash it is still there, and
    of two workers one takes it.
    """
    values = {"now": now, "limit": LIMIT, "priority": int(Priority.LIVE)}
    return int(session.scalar(SQL.mark_overdue, values) or 0)
