"""Look back at what was done and at who was assigned, once their time has passed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.interventions import intervention_queries as queries
from app.interventions.experiments import queries as experiments
from app.interventions.experiments.design import ExperimentDesign
from app.interventions.intervention_service import publish_state_change
from app.interventions.outcome import (
    OUTCOME_DAYS,
    RETAINED,
    AccountSnapshot,
    describe_outcome,
    succeeded,
)
from app.interventions.playbooks import service
from app.interventions.playbooks.definition import SuccessCriterion
from app.interventions.states import InterventionState
from app.interventions.tables import Assignment, Intervention
from app.signals.queries import load_open_signals

DueRow = TypeVar("DueRow", Intervention, Assignment)
FALLBACK_SUCCESS = SuccessCriterion(measure=RETAINED)
"""Of a playbook that is no longer there."""


def evaluate_outcomes(sessions: SessionFactory, *, now: datetime) -> int:
    """Evaluate a page of interventions and one of assignments; return how many there were."""
    with transaction(sessions) as session:
        done = queries.claim_due_interventions(session, today=now.date())
        for workspace_id, some in _by_workspace(done).items():
            _evaluate_done(session, workspace_id, some, now)
    with transaction(sessions) as session:
        decided = queries.claim_due_assignments(session, today=now.date())
        for workspace_id, those in _by_workspace(decided).items():
            _decide(session, workspace_id, those)
    return len(done) + len(decided)


def _by_workspace(rows: Sequence[DueRow]) -> dict[str, list[DueRow]]:
    found: dict[str, list[DueRow]] = defaultdict(list)
    for row in rows:
        found[row.workspace_id].append(row)
    return found


def _evaluate_done(
    session: Session, workspace_id: str, rows: Sequence[Intervention], now: datetime
) -> None:
    playbooks = service.load_playbooks(session, workspace_id)
    look = _Look(session, workspace_id, [(r.account_id, _baseline(r), _due(r)) for r in rows])
    for row in rows:
        success = playbooks[row.playbook].success if row.playbook in playbooks else FALLBACK_SUCCESS
        before, after = look.both(row.account_id, _baseline(row), _due(row))
        said = describe_outcome(
            success,
            before,
            after,
            signal_is_open=look.is_open(row.account_id, row.signal, _due(row)),
        )
        said["label"] = "experimental" if row.experiment_id else "observational"
        passed = next(days for days in OUTCOME_DAYS if str(days) not in row.outcomes)
        row.outcomes = {**row.outcomes, str(passed): said}
        later = [days for days in OUTCOME_DAYS if days > passed]
        row.outcome_due_on = _due(row) + timedelta(days=later[0] - passed) if later else None
        if not later:
            row.state, row.changed_at = InterventionState.EVALUATED, now
            publish_state_change(session, row, InterventionState.DONE, now)


def _baseline(row: Intervention) -> date:
    return row.baseline_on or row.created_at.date()


def _due(row: Intervention) -> date:
    if row.outcome_due_on is None:
        raise ValueError("no outcome of it is due")
    return row.outcome_due_on


def _decide(session: Session, workspace_id: str, rows: Sequence[Assignment]) -> None:
    """By intention to treat: whoever was assigned counts, also where nothing more is known."""
    playbooks = service.load_playbooks(session, workspace_id)
    look = _Look(session, workspace_id, [(r.account_id, r.assigned_on, r.due_on) for r in rows])
    touched = {}
    for row in rows:
        experiment = experiments.get_experiment(session, workspace_id, row.experiment_id)
        touched[experiment.id] = experiment
        held = playbooks.get(experiment.playbook)
        by_own = ExperimentDesign.model_validate(experiment.config).metric == "success"
        success = held.success if held and by_own else FALLBACK_SUCCESS
        before, after = look.both(row.account_id, row.assigned_on, row.due_on)
        is_open = look.is_open(row.account_id, row.signal, row.due_on)
        row.success = succeeded(success, before, after, signal_is_open=is_open) or False
    session.flush()
    for key in sorted(touched):
        touched[key].tally = experiments.load_tally(session, workspace_id, key)


class _Look:
    """How accounts stood on two days each, and which signals were open on the later."""

    def __init__(
        self, session: Session, workspace_id: str, asked: Iterable[tuple[str, date, date]]
    ) -> None:
        spans = list(asked)
        days = sorted({(key, day) for key, *both in spans for day in both})
        self._stands = queries.load_snapshots(session, workspace_id, days)
        ids: dict[date, list[str]] = defaultdict(list)
        for key, _, due in spans:
            ids[due].append(key)
        self._open = {
            (key, day, kept.signal.name)
            for day, some in ids.items()
            for key, signals in load_open_signals(session, workspace_id, some, at=_end(day)).items()
            for kept in signals
        }

    def both(
        self, account_id: str, first: date, last: date
    ) -> tuple[AccountSnapshot | None, AccountSnapshot | None]:
        return self._stands.get((account_id, first)), self._stands.get((account_id, last))

    def is_open(self, account_id: str, signal: str | None, day: date) -> bool:
        return (account_id, day, signal) in self._open


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, UTC)
