"""Train a workspace's model: load the data, train a candidate, check drift, store the results.

A training runs in a process of its own, with one thread and resource limits.
"""

import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.churn.model import artifacts, card, drift, promotion
from app.churn.model.artifacts import Artifact
from app.churn.model.candidates import FitKind, fit
from app.churn.model.levels import ModelStage, changed_level_share
from app.churn.model.model import Model
from app.churn.model.panel import Panel
from app.churn.model.promotion import IncumbentModel
from app.churn.model.recalibration import Recalibration, fit_recalibration, recalibrate
from app.churn.model.threads import one_thread
from app.churn.model.training import ReportProgress, UnseenPredictions, find_shortage, train
from app.churn.registry import model_queries, model_service
from app.churn.training import observations, queries
from app.churn.training.active_model import (
    ActiveModel,
    align_columns,
    align_panel,
    find_active_model,
)
from app.churn.training.observations import Treatments, can_churn
from app.core.arrays import Floats, np
from app.core.clock import Clock
from app.core.db import SessionFactory, transaction
from app.core.errors import ProblemError
from app.core.logs import get_logger
from app.features.table_queries import load_feature_table
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob, LostLeaseError
from app.workspaces.service import Actor

log = get_logger()

SEED = 1337
MAX_CPU_SECONDS = 600
MAX_BYTES = 4 * 2**30
NICENESS = 10

LoadTreatments = Callable[[Session, str], Treatments]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Everything that a training needs from the database.

    ``current_x``: the feature rows of the accounts that can churn now, by the panel's names.
    """

    panel: Panel
    current_x: Floats
    active_model: ActiveModel | None


@dataclass(frozen=True, slots=True)
class Candidate:
    model: Model
    stage: ModelStage
    takes_over: bool
    card: dict[str, Any]
    artifact: Artifact
    data_through: date
    recalibration: Recalibration | None = None


def limit_process_resources() -> None:
    """Limit the memory and CPU time of this process, and give other processes priority."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))


def run(
    sessions: SessionFactory,
    claimed: ClaimedJob,
    clock: Clock,
    *,
    load_treatments: LoadTreatments = lambda *_: {},
    fit_kind: FitKind = fit,
) -> None:
    """Run a claimed training job to its end. Its results are committed with the job's end.

    ``load_treatments`` returns a workspace's interventions on the risk. A lost lease discards the
    results. The active model is checked for drift even if the training fails.
    """
    try:
        with one_thread():
            _run(sessions, claimed, clock, load_treatments, fit_kind)
    except LostLeaseError:
        log.info("job_lost", job_id=claimed.id)
    except (ProblemError, MemoryError) as error:
        limit = f"The training needed more memory than {MAX_BYTES // 2**30} GiB."
        reason = getattr(error, "detail", limit)
        with transaction(sessions) as session:
            jobs.fail(session, claimed, reason, now=clock())


def _run(
    sessions: SessionFactory,
    claimed: ClaimedJob,
    clock: Clock,
    load_treatments: LoadTreatments,
    fit_kind: FitKind,
) -> None:
    def report_progress(step: str) -> None:
        with transaction(sessions) as session:
            jobs.checkpoint(session, claimed, position={}, progress={"step": step}, now=clock())

    report_progress("observing")
    with transaction(sessions) as session:
        treatments = load_treatments(session, claimed.workspace_id)
        data = load_training_data(
            session, claimed.workspace_id, today=clock().date(), treatments=treatments
        )
    degraded = check_active_model(data)
    record = partial(
        record_training_result,
        degraded=degraded,
        compared_with=data.active_model,
        recalibration=recalibrate_active_model(data),
    )

    def actor() -> Actor:
        return Actor(claimed.workspace_id, f"job:{claimed.id}", clock())

    try:
        candidate = train_candidate(data, report_progress=report_progress, fit_kind=fit_kind)
    except LostLeaseError:
        raise
    except Exception as error:
        with transaction(sessions) as session:
            record(session, actor(), str(error))
        raise
    with transaction(sessions) as session:
        progress = record(session, actor(), candidate)
        if shortage := find_shortage(data.panel):
            progress["shortage"] = asdict(shortage)
        jobs.checkpoint(session, claimed, position={}, progress=progress, now=clock())
        jobs.finish(session, claimed, now=clock())


def load_training_data(
    session: Session, workspace_id: str, *, today: date, treatments: Treatments | None = None
) -> TrainingData:
    """Load the training panel as it was known on past days, and the accounts of yesterday."""
    until = today - timedelta(days=1)
    horizon = queries.load_horizon(session, workspace_id, as_of=until)
    spec = observations.build_table_spec(session, workspace_id, as_of=until, horizon=horizon)
    panel = observations.build_panel(
        session, workspace_id, until=until, horizon=horizon, spec=spec, treatments=treatments
    )
    active = queries.list_active_accounts(session, workspace_id, day=until, horizon=horizon)
    table = load_feature_table(session, workspace_id, [(each, until) for each in active], spec=spec)
    current_x = table.x[can_churn(table, horizon)]
    return TrainingData(panel, current_x, find_active_model(session, workspace_id, horizon.days))


def train_candidate(
    data: TrainingData,
    *,
    report_progress: ReportProgress = lambda _: None,
    fit_kind: FitKind = fit,
) -> Candidate | str:
    """Train a model and decide whether it takes over. Uses seconds of CPU time.

    Returns a sentence with the reason if there is too little data to train a model.
    """
    started = time.monotonic()
    panel, active = data.panel, data.active_model
    trained = train(panel, seed=SEED, report_progress=report_progress, fit_kind=fit_kind)
    model = trained.model
    if model is None:
        return trained.reason
    checks = promotion.run_checks(trained, _incumbent(data, trained.unseen, model), seed=SEED)
    stage = promotion.decide_stage(trained, checks, panel.untreated.churned_accounts)
    takes_over = promotion.may_take_over(stage, checks, active.model.stage if active else None)
    artifact = artifacts.dump(model)
    model_card = card.build_card(
        panel,
        trained,
        checks,
        current_x=data.current_x,
        seed=SEED,
        sha256=artifact.sha256,
        seconds=time.monotonic() - started,
    )
    through = date.fromordinal(int(panel.day.max()))
    recalibration = fit_recalibration(model, panel)
    return Candidate(model, stage, takes_over, model_card, artifact, through, recalibration)


def _incumbent(
    data: TrainingData, unseen: UnseenPredictions | None, model: Model
) -> IncumbentModel | None:
    """Predict with the active model on the unseen rows that it had not learnt from either."""
    active = data.active_model
    if active is None or unseen is None:
        return None
    names = data.panel.names
    rows = np.flatnonzero(unseen.day >= active.known_through.toordinal())
    x = data.panel.untreated.x[unseen.row_index[rows]]
    current_p = active.model.predict(align_columns(active.model, names, data.current_x))
    return IncumbentModel(
        rows,
        active.model.predict(align_columns(active.model, names, x)),
        changed_level_share(current_p, model.predict(data.current_x)),
    )


def check_active_model(data: TrainingData) -> list[str]:
    """Return, as sentences, why the active model should no longer be used. Empty: it may be."""
    active, panel = data.active_model, data.panel
    if active is None:
        return []
    model = active.model
    later = panel.rows(~panel.treated & (panel.day > active.data_through.toordinal()))
    later = align_panel(model, later)
    x = align_columns(model, panel.names, data.current_x)
    shifts = drift.column_shifts(active.profile, model.names, x, model.predict(x))
    served = recalibrate(model, active.recalibration)
    is_worse = drift.is_worse_than_base_rate(served, later, seed=SEED)
    return drift.reasons(shifts, drift.observed_churn(served, later), is_worse=is_worse)


def recalibrate_active_model(data: TrainingData) -> Recalibration | None:
    """Compare the active model with the newest horizon that is over."""
    active = data.active_model
    if active is None:
        return None
    return fit_recalibration(active.model, align_panel(active.model, data.panel))


def record_training_result(
    session: Session,
    actor: Actor,
    candidate: Candidate | str,
    degraded: Sequence[str],
    *,
    compared_with: ActiveModel | None,
    recalibration: Recalibration | None = None,
) -> dict[str, Any]:
    """Store a candidate, activate it if it takes over, and degrade the active model if needed.

    ``degraded``: the sentences of ``check_active_model``. ``compared_with``: the model that was
    active when the candidate was trained; if another model is active by now, the candidate stays a
    shadow and nothing is degraded. ``recalibration``: of that model, from tomorrow's risks on, so
    that all accounts have the same level on a day. Returns the final progress of the job.
    """
    model_queries.lock_models(session, actor.workspace_id)
    active = model_queries.find_active_model(session, actor.workspace_id)
    is_unchanged = (
        active is None or compared_with is None or active.version == compared_with.version
    )
    if active is not None and compared_with is not None and is_unchanged and recalibration:
        model_service.recalibrate(active, recalibration, starts_on=actor.at.date())
    progress: dict[str, Any] = {"step": "done", "method": "rules", "why": candidate}
    if isinstance(candidate, Candidate):
        row = model_queries.insert_model(
            session,
            actor.workspace_id,
            state="shadow",
            stage=candidate.stage,
            horizon_days=candidate.model.horizon_days,
            data_through=candidate.data_through,
            known_through=candidate.data_through + timedelta(days=candidate.model.horizon_days),
            card=candidate.card,
            head=candidate.artifact.head,
            trees=candidate.artifact.trees,
            sha256=candidate.artifact.sha256,
            created_at=actor.at,
            created_by=actor.name,
        )
        if candidate.recalibration:
            yesterday = actor.at.date() - timedelta(days=1)
            model_service.recalibrate(row, candidate.recalibration, starts_on=yesterday)
        if candidate.takes_over and is_unchanged:
            model_service.activate(session, actor, row)
        progress = {"step": "done", "version": row.version, "stage": row.stage, "state": row.state}
    if degraded and active is not None and is_unchanged and active.state == "active":
        model_service.degrade(session, active, degraded, now=actor.at)
    return progress
