"""The product on one page: compute everything that follows from new data, a set at a time."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from time import perf_counter

from sqlalchemy.orm import Session

from app.accounts import refresh_queue
from app.accounts.refresh_queue import (
    FAILURES_UNTIL_PARKED,
    ClaimedAccount,
    Priority,
    claim_due,
    mark_all_due,
)
from app.alerts import service as alerts
from app.churn.scoring import service as churn
from app.core import metrics
from app.core.db import SessionFactory, transaction
from app.core.logs import get_logger
from app.core.outages import is_outage
from app.engagement import onboarding
from app.health.definition.benchmark_queries import list_workspaces_to_check
from app.health.scoring import scoring_context
from app.health.scoring import service as health
from app.interventions import suggestion_service as suggestions
from app.lifecycle.queries import list_accounts_in_transition
from app.workspaces.queries import find_workspace, lock_workspaces_to_sweep

log = get_logger()

SET_SIZE, SWEEP_SIZE = 500, 150


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
    """Recompute everything that is derived for a set of accounts, in one transaction.

    ``account_ids`` in key order. Alerts, suggestions and messages are written with the score that
    caused them, so they cannot contradict it. Notifications of ``swept`` accounts are sent when
    the sweep is complete, those of ``silent`` accounts after the next sweep. ``unchanged`` accounts
    have received nothing but usage of ``as_of`` since their last refresh.
    """
    onboarding.refresh(session, workspace_id, account_ids, as_of=as_of, unchanged=unchanged)
    assessments = health.refresh(session, workspace_id, account_ids, as_of=as_of, now=now)
    churn.refresh(session, workspace_id, account_ids, as_of=as_of, now=now)
    health.refresh_signals(
        session, workspace_id, assessments, as_of=as_of, now=now, unchanged=unchanged
    )
    alerts.refresh(
        session, assessments, alerts.EvaluationRun(workspace_id, as_of, now, swept, silent)
    )
    suggestions.refresh(session, workspace_id, account_ids, as_of=as_of, now=now, silent=silent)
    return len(assessments)


def sweep(session: Session, *, today: date) -> int:
    """Make every account due once a day: scores and signals change without new events too."""
    workspaces = lock_workspaces_to_sweep(session, today=today)
    for workspace in workspaces:
        mark_all_due(session, workspace.id, priority=Priority.SWEEP)
        workspace.swept_on = today
    return len(workspaces)


def refit_benchmarks(sessions: SessionFactory, *, now: datetime) -> int:
    """Fit benchmarks again where much data has come today; make the accounts due.

    Return in how many workspaces accounts have other peers now.
    """
    with transaction(sessions) as session:
        workspace_ids = list_workspaces_to_check(session, now=now)
    changed = 0
    for workspace_id in workspace_ids:
        with transaction(sessions) as session:
            if find_workspace(session, workspace_id) and scoring_context.refit_benchmarks(
                session, workspace_id, now=now
            ):
                mark_all_due(session, workspace_id, priority=Priority.SWEEP)
                changed += 1
    return changed


def refresh_due(
    sessions: SessionFactory,
    *,
    now: datetime,
    limit: int = SET_SIZE,
    background_limit: int = SWEEP_SIZE,
    from_priority: Priority = Priority.LIVE,
) -> int:
    """Refresh the most urgent due accounts and return how many. A rollback returns the claim.

    ``limit`` bounds the queue entries of live accounts, ``background_limit`` all others. Entries
    more urgent than ``from_priority`` are skipped.
    """
    claimed: Sequence[ClaimedAccount] = ()
    started = perf_counter()
    try:
        with transaction(sessions) as session:
            claimed = claim_due(
                session,
                limit=limit,
                background_limit=background_limit,
                from_priority=from_priority,
            )
            _refresh_claimed(session, claimed, now)
    except Exception as error:
        if is_outage(error) or not claimed:
            raise
        log.exception("refresh_failed", accounts=len(claimed))
        _bisect(sessions, claimed, now)
    if claimed:  # a look at an empty queue is no refresh
        metrics.REFRESH_SECONDS.observe(perf_counter() - started)
        metrics.REFRESHED.inc(len(claimed))
    return len(claimed)


def _refresh_claimed(session: Session, claimed: Sequence[ClaimedAccount], now: datetime) -> None:
    """Refresh claimed accounts by workspace, without those whose id is changing.

    The id change makes those due again when it is complete.
    """
    today = now.date()
    for workspace_id, members in groupby(claimed, key=lambda each: each.workspace_id):
        in_transition = list_accounts_in_transition(session, workspace_id)
        accounts = [each for each in members if each.account_id not in in_transition]
        if not accounts or find_workspace(session, workspace_id) is None:
            continue  # the workspace was deleted, and its accounts with it
        swept = {each.account_id for each in accounts if each.priority is Priority.SWEEP}
        refresh(
            session,
            workspace_id,
            [each.account_id for each in accounts],
            as_of=today,
            now=now,
            swept=swept,
            silent={each.account_id for each in accounts if not each.notify} - swept,
            unchanged={
                each.account_id for each in accounts if each.used_since and each.used_since >= today
            },
        )


def _bisect(sessions: SessionFactory, claimed: Sequence[ClaimedAccount], now: datetime) -> None:
    """Find the accounts that make a set fail, so that all others are scored."""
    middle = len(claimed) // 2
    for half in (claimed[:middle], claimed[middle:]):
        if not half:
            continue
        try:
            with transaction(sessions) as session:
                refresh_queue.remove_due(session, half)
                # In the order of a claim: before the score rows are locked.
                refresh_queue.clear_failures(session, half)
                _refresh_claimed(session, [replace(each, used_since=None) for each in half], now)
        except Exception as error:
            if is_outage(error):
                raise
            if len(half) > 1:
                _bisect(sessions, half, now)
            else:
                _record_failure(sessions, half[0], error, now)


def _record_failure(
    sessions: SessionFactory, account: ClaimedAccount, error: Exception, now: datetime
) -> None:
    """Count a failure; park the account at the third one, until it is made due again."""
    name = type(error).__name__
    with transaction(sessions) as session:
        failures = refresh_queue.record_failure(session, account, error=name, now=now)
        if failures >= FAILURES_UNTIL_PARKED:
            refresh_queue.remove_due(session, [account])
            metrics.PARKED.inc()
            log.error(
                "account_parked",
                workspace_id=account.workspace_id,
                account_id=account.account_id,
                error=name,
            )
