"""Worker task: evaluate completed interventions and the assignments of experiments."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from app.accounts.renewals import grace_days
from app.accounts.subscription_queries import load_mrr_cents
from app.core.db import SessionFactory, transaction
from app.interventions import queries
from app.interventions.experiments import queries as experiments
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.intervention_service import publish_state_change
from app.interventions.outcome import (
    OUTCOME_DAYS,
    AccountSnapshot,
    describe_outcome,
    succeeded,
)
from app.interventions.playbooks import service as playbook_service
from app.interventions.playbooks.definition import RETAINED, SuccessCriterion
from app.interventions.states import InterventionState
from app.interventions.tables import Assignment, Intervention
from app.signals.queries import load_open_signals

DueRow = TypeVar("DueRow", Intervention, Assignment)
FALLBACK_SUCCESS = SuccessCriterion(measure=RETAINED)
"""The criterion of interventions whose playbook no longer exists."""


def evaluate_outcomes(sessions: SessionFactory, *, now: datetime) -> int:
    """Evaluate a page of interventions and one of assignments; return how many there were."""
    with transaction(sessions) as session:
        done = queries.claim_due_interventions(session, today=now.date())
        for workspace_id, interventions in _by_workspace(done).items():
            _evaluate_interventions(session, workspace_id, interventions, now)
    with transaction(sessions) as session:
        due = experiments.claim_due_assignments(session, today=now.date())
        for workspace_id, assignments in _by_workspace(due).items():
            _evaluate_assignments(session, workspace_id, assignments)
    return len(done) + len(due)


def _by_workspace(rows: Sequence[DueRow]) -> dict[str, list[DueRow]]:
    grouped: dict[str, list[DueRow]] = defaultdict(list)
    for row in rows:
        grouped[row.workspace_id].append(row)
    return grouped


def _evaluate_interventions(
    session: Session, workspace_id: str, rows: Sequence[Intervention], now: datetime
) -> None:
    playbooks = playbook_service.load_playbooks(session, workspace_id)
    periods = [(row.account_id, _baseline_on(row), _due_on(row)) for row in rows]
    history = _History(session, workspace_id, periods)
    for row in rows:
        success = playbooks[row.playbook].success if row.playbook in playbooks else FALLBACK_SUCCESS
        before, after = history.snapshots(row.account_id, _baseline_on(row), _due_on(row))
        is_open = history.is_open(row.account_id, row.signal, _due_on(row))
        outcome = describe_outcome(success, before, after, signal_is_open=is_open)
        outcome["label"] = "experimental" if row.experiment_id else "observational"
        passed = next(days for days in OUTCOME_DAYS if str(days) not in row.outcomes)
        row.outcomes = {**row.outcomes, str(passed): outcome}
        later = [days for days in OUTCOME_DAYS if days > passed]
        row.outcome_due_on = _due_on(row) + timedelta(days=later[0] - passed) if later else None
        if not later:
            row.state, row.changed_at = InterventionState.EVALUATED, now
            publish_state_change(session, row, InterventionState.DONE, now)


def _baseline_on(row: Intervention) -> date:
    return row.baseline_on or row.created_at.date()


def _due_on(row: Intervention) -> date:
    if row.outcome_due_on is None:
        raise ValueError("No outcome of the intervention is due.")
    return row.outcome_due_on


def _evaluate_assignments(session: Session, workspace_id: str, rows: Sequence[Assignment]) -> None:
    """Evaluate by intention to treat: all assigned accounts count, unknown outcomes as failures."""
    playbooks = playbook_service.load_playbooks(session, workspace_id)
    periods = [(row.account_id, row.assigned_on, row.due_on) for row in rows]
    history = _History(session, workspace_id, periods)
    touched = {}
    for row in rows:
        experiment = experiments.get_experiment(session, workspace_id, row.experiment_id)
        touched[experiment.id] = experiment
        playbook = playbooks.get(experiment.playbook)
        has_own = ExperimentDesign.model_validate(experiment.config).metric == "success"
        success = playbook.success if playbook and has_own else FALLBACK_SUCCESS
        before, after = history.snapshots(row.account_id, row.assigned_on, row.due_on)
        is_open = history.is_open(row.account_id, row.signal, row.due_on)
        row.success = succeeded(success, before, after, signal_is_open=is_open) or False
    session.flush()
    for key in sorted(touched):
        touched[key].tally = experiments.load_tally(session, workspace_id, key)


class _History:
    """Snapshots of accounts on the first and last day of their period; signals open on the last.

    An account whose contract had ended on the last day, and was renewed within the grace, has not
    churned: the day on which the grace ends stands for the last day.
    """

    def __init__(
        self, session: Session, workspace_id: str, periods: Iterable[tuple[str, date, date]]
    ) -> None:
        periods = list(periods)
        days = sorted({(key, day) for key, *both in periods for day in both})
        self._snapshots = queries.load_snapshots(session, workspace_id, days)
        self._last_days = _renewed_days(
            session,
            workspace_id,
            {(key, last): self._snapshots.get((key, last)) for key, _, last in periods},
        )
        later = sorted({(key, day) for (key, _), day in self._last_days.items()})
        self._snapshots |= queries.load_snapshots(session, workspace_id, later)
        ids: dict[date, list[str]] = defaultdict(list)
        for key, _, last in periods:
            ids[self._last_day(key, last)].append(key)
        self._open = {
            (key, day, stored.signal.name)
            for day, account_ids in ids.items()
            for key, signals in load_open_signals(
                session, workspace_id, account_ids, at=_end_of(day)
            ).items()
            for stored in signals
        }

    def snapshots(
        self, account_id: str, first: date, last: date
    ) -> tuple[AccountSnapshot | None, AccountSnapshot | None]:
        day = self._last_day(account_id, last)
        return self._snapshots.get((account_id, first)), self._snapshots.get((account_id, day))

    def is_open(self, account_id: str, signal: str | None, day: date) -> bool:
        return (account_id, self._last_day(account_id, day), signal) in self._open

    def _last_day(self, account_id: str, day: date) -> date:
        return self._last_days.get((account_id, day), day)


def _renewed_days(
    session: Session,
    workspace_id: str,
    snapshots: Mapping[tuple[str, date], AccountSnapshot | None],
) -> dict[tuple[str, date], date]:
    """Return the ends of the grace of accounts that were renewed by then, by account and day.

    ``snapshots``: what was known on the day.
    """
    renewed, grace = {}, timedelta(days=grace_days(session))
    for (account_id, day), snapshot in snapshots.items():
        if snapshot is None or snapshot.paid_until is None:
            continue
        ends_on = snapshot.paid_until + grace
        if ends_on > day and any(
            load_mrr_cents(session, workspace_id, account_id, on=day, known_on=ends_on).values()
        ):
            renewed[account_id, day] = ends_on
    return renewed


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, UTC)
