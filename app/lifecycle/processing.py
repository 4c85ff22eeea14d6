"""Process id changes in the worker: one page of one change at a time."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, run_with_retries, transaction
from app.core.logs import get_logger
from app.core.outages import is_outage
from app.core.sql import load_sql
from app.lifecycle.account_moves import MOVE_STEPS
from app.lifecycle.erasure import ERASE_ACCOUNT_STEPS, ERASE_USER_STEPS
from app.lifecycle.steps import Step
from app.lifecycle.tables import IdChange, IdChangeKind

SQL = load_sql(__file__)
log = get_logger()

MAX_FENCE_WAIT = timedelta(minutes=10)
"""How long an open transaction, such as a forgotten session, can delay an id change."""

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
    """Process one page of the oldest id change that is ready; return whether to call again now.

    The row of the change is locked while a page is processed and stores the position of the next
    page in the same transaction: if the worker is killed, the next worker goes on from there. A
    change that fails waits for ``RETRY_DELAY``.
    """
    claimed: list[tuple[str, str]] = []
    try:
        return run_with_retries(sessions, lambda session: _process(session, claimed, now))
    except Exception as error:
        if is_outage(error) or not claimed:
            raise
        log.exception("id_change_failed", id=claimed[-1][1], error=type(error).__name__)
        with transaction(sessions) as session:
            session.get_one(IdChange, claimed[-1]).ready_at = now + RETRY_DELAY
        return False


def _process(session: Session, claimed: list[tuple[str, str]], now: datetime) -> bool:
    """Claim the next id change and process a page; append the key of the change to ``claimed``."""
    session.execute(SQL.renew_future_fences)
    values = {"now": now, "longest_wait": now + 2 * RETRY_DELAY, "patience": now - MAX_FENCE_WAIT}
    row = session.execute(SQL.claim_change, values).one_or_none()
    if row is None:
        return False
    claimed.append((row.workspace_id, row.id))
    change = session.get_one(IdChange, (row.workspace_id, row.id), populate_existing=True)
    _process_page(session, change, now)
    return True


def _process_page(session: Session, change: IdChange, now: datetime) -> None:
    steps = STEPS[IdChangeKind(change.kind)]
    name = change.step or ""
    result = steps[name](session, change, change.position)
    if result.rows:
        change.rows = {**change.rows, name: change.rows.get(name, 0) + result.rows}
    change.position = result.next
    if result.next is None:
        names = [*steps, None]
        change.step = names[names.index(name) + 1]
        change.finished_at = None if change.step else now
