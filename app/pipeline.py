"""The product on one page: what follows when accounts are due, for a set at a time."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.accounts import refresh_queue
from app.accounts.due import Priority
from app.accounts.queries import ClaimedAccount, claim_due, mark_all_due
from app.alerts import service as alerts
from app.churn.scoring import service as churn
from app.core import metrics
from app.core.db import SessionFactory, transaction
from app.engagement import onboarding
from app.health.scoring import service as health
from app.health.scoring import signal_sync
from app.interventions import suggestion_service as suggestions
from app.lifecycle.queries import list_accounts_in_transition
from app.workspaces.queries import find_workspace, lock_workspaces_to_sweep

log = structlog.get_logger()

SET_SIZE, SWEEP_SIZE = 500, 150
FAILURES_UNTIL_PARKED = 3


def refresh(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    now: datetime,
    swept: Collection[str] = (),
    silent: Collection[str] = (),
    unchanged: Collection[str] = (),
) -> int:
    """Bring everything that is derived of a set of accounts up to date, in one transaction.

    ``account_ids`` in key order. Alerts, suggestions and messages follow the score here, so that
    none of them can say anything else than the score that was committed with them. Of the alerts of
    ``swept`` accounts nobody hears before their sweep is through, of ``silent`` ones not before the
    next one. Of ``unchanged`` accounts nothing has come since they were last refreshed but use of
    ``as_of``.
    """
    onboarding.refresh(session, workspace_id, account_ids, as_of=as_of, unchanged=unchanged)
    assessments = health.refresh(session, workspace_id, account_ids, as_of=as_of, now=now)
    churn.refresh(session, workspace_id, account_ids, as_of=as_of, now=now)
    signal_sync.refresh(
        session, workspace_id, assessments, as_of=as_of, now=now, unchanged=unchanged
    )
    alerts.refresh(
        session, assessments, alerts.EvaluationRun(workspace_id, as_of, now, swept, silent)
    )
    suggestions.refresh(session, workspace_id, account_ids, as_of=as_of, now=now, silent=silent)
    return len(assessments)


def sweep(session: Session, *, today: date) -> int:
    """Once a day make every account due: windows slide, and silence is a signal."""
    workspaces = lock_workspaces_to_sweep(session, today=today)
    for workspace in workspaces:
        mark_all_due(session, workspace.id, priority=Priority.SWEEP)
        workspace.swept_on = today
    return len(workspaces)


def refresh_due(
    sessions: SessionFactory,
    *,
    now: datetime,
    limit: int = SET_SIZE,
    few: int = SWEEP_SIZE,
    least: Priority = Priority.LIVE,
) -> int:
    """Refresh the most urgent due accounts. A rollback gives the claim back: it is the retry.

    What is more urgent than ``least`` is left for another time.
    """
    claimed: Sequence[ClaimedAccount] = ()
    try:
        with metrics.REFRESH_SECONDS.time(), transaction(sessions) as session:
            claimed = claim_due(session, limit=limit, few=few, least=least)
            _refresh_claimed(session, claimed, now)
    except OperationalError:
        raise
    except Exception:
        if not claimed:
            raise
        log.exception("refresh_failed", accounts=len(claimed))
        _bisect(sessions, claimed, now)
    metrics.REFRESHED.inc(len(claimed))
    return len(claimed)


def _refresh_claimed(session: Session, claimed: Sequence[ClaimedAccount], now: datetime) -> None:
    today = now.date()
    for workspace_id, members in groupby(claimed, key=lambda each: each.workspace_id):
        held = list_accounts_in_transition(
            session, workspace_id
        )  # marked again when they are whole
        some = [each for each in members if each.account_id not in held]
        swept = {each.account_id for each in some if each.priority is Priority.SWEEP}
        if not some or find_workspace(session, workspace_id) is None:
            continue  # it was deleted, and its accounts with it
        refresh(
            session,
            workspace_id,
            [each.account_id for each in some],
            as_of=today,
            now=now,
            swept=swept,
            silent={each.account_id for each in some if not each.notify} - swept,
            unchanged={
                each.account_id for each in some if each.used_since and each.used_since >= today
            },
        )


def _bisect(sessions: SessionFactory, claimed: Sequence[ClaimedAccount], now: datetime) -> None:
    """Find the accounts that spoil a set, so that the others get their scores."""
    middle = len(claimed) // 2
    for half in (claimed[:middle], claimed[middle:]):
        if not half:
            continue
        try:
            with transaction(sessions) as session:
                refresh_queue.remove_due(session, half)
                refresh_queue.clear_failures(
                    session, half
                )  # in the order of a claim, ahead of scores
                _refresh_claimed(session, [replace(each, used_since=None) for each in half], now)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it spoils this account only
            if len(half) > 1:
                _bisect(sessions, half, now)
            else:
                _note_failure(sessions, half[0], error, now)


def _note_failure(
    sessions: SessionFactory, claimed: ClaimedAccount, error: Exception, now: datetime
) -> None:
    """Count a failure of an account alone; after the third it is parked until marked again."""
    with transaction(sessions) as session:
        failures = refresh_queue.record_failure(
            session, claimed, error=type(error).__name__, now=now
        )
        if failures >= FAILURES_UNTIL_PARKED:
            refresh_queue.remove_due(session, [claimed])
            metrics.PARKED.inc()
            log.error(
                "account_parked",
                workspace_id=claimed.workspace_id,
                account_id=claimed.account_id,
                error=type(error).__name__,
            )
