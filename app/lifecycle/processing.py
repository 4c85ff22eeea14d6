"""Doing what was asked: one page of one change at a time, by whichever worker comes first."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, run_with_retries, transaction
from app.lifecycle import statements
from app.lifecycle.account_moves import MOVE_STEPS
from app.lifecycle.erasure import ERASE_ACCOUNT_STEPS, ERASE_USER_STEPS
from app.lifecycle.kinds import IdChangeKind
from app.lifecycle.steps import Step
from app.lifecycle.tables import IdChange

log = structlog.get_logger()

MAX_FENCE_WAIT = timedelta(minutes=10)
"""How long a transaction that somebody forgot can hold a change up."""

RETRY_DELAY = timedelta(minutes=1)

STEPS: Mapping[IdChangeKind, Mapping[str, Step]] = {
    IdChangeKind.ERASE_USER: ERASE_USER_STEPS,
    IdChangeKind.ERASE_ACCOUNT: ERASE_ACCOUNT_STEPS,
    IdChangeKind.RENAME: MOVE_STEPS,
    IdChangeKind.MERGE: MOVE_STEPS,
}


def first_step(kind: IdChangeKind) -> str:
    return next(iter(STEPS[kind]))


def process_next_page(sessions: SessionFactory, *, now: datetime) -> bool:
    """Do one page of the oldest change that is ready; whether there may be more at once.

    The row is locked while a page is done, and says in the same transaction where the next one
    begins: whoever is killed, the next worker goes on from there.
    """
    claimed: list[tuple[str, str]] = []
    try:
        return run_with_retries(sessions, lambda session: _work(session, claimed, now))
    except OperationalError:
        raise
    except Exception as error:
        if not claimed:
            raise
        log.exception("id_change_failed", id=claimed[-1][1], error=type(error).__name__)
        with transaction(sessions) as session:
            _postpone(session, claimed[-1], now)
        return False


def _work(session: Session, claimed: list[tuple[str, str]], now: datetime) -> bool:
    patience = now - MAX_FENCE_WAIT
    row = session.execute(statements.CLAIM_CHANGE, {"now": now, "patience": patience}).one_or_none()
    if row is None:
        return False
    claimed.append((row.workspace_id, row.id))
    change = session.get_one(IdChange, (row.workspace_id, row.id), populate_existing=True)
    _page(session, change, now)
    return True


def _page(session: Session, change: IdChange, now: datetime) -> None:
    steps = STEPS[IdChangeKind(change.kind)]
    name = change.step or ""
    page = steps[name](session, change, change.position)
    if page.rows:
        change.rows = {**change.rows, name: change.rows.get(name, 0) + page.rows}
    change.position = page.next
    if page.next is None:
        names = list(steps)
        following = names.index(name) + 1
        change.step = names[following] if following < len(names) else None
        change.finished_at = None if change.step else now


def _postpone(session: Session, claimed: tuple[str, str], now: datetime) -> None:
    session.get_one(IdChange, claimed).ready_at = now + RETRY_DELAY
