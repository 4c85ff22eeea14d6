"""Train a workspace's model: gather, judge, store; let it take over only if it earned that."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.churn.model import artifacts, card, drift, promotion
from app.churn.model.artifacts import Artifact, UnusableArtifactError
from app.churn.model.levels import changed_level_share
from app.churn.model.model import Model, ModelStage
from app.churn.model.panel import Panel
from app.churn.model.preprocessing import Floats
from app.churn.model.promotion import IncumbentModel
from app.churn.model.training import TrainingResult, train
from app.churn.registry import model_queries, model_service, store
from app.churn.tables import ChurnModel
from app.churn.training import observation_queries, observations
from app.churn.training.observations import Treatments, can_churn
from app.features.table_queries import load_feature_table
from app.workspaces.service import Actor

SEED = 1337


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """The model that holds, and what decides how it is judged."""

    version: int
    model: Model
    data_through: date
    known_through: date
    profile: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that training asks of the database. ``today``: the rows of those who can churn now."""

    panel: Panel
    today: Floats
    active_model: ActiveModel | None


@dataclass(frozen=True, slots=True)
class Candidate:
    trained: TrainingResult
    stage: ModelStage
    takes_over: bool
    card: dict[str, Any]
    artifact: Artifact
    data_through: date
    known_through: date


def load_training_data(
    session: Session, workspace_id: str, *, today: date, treatments: Treatments | None = None
) -> TrainingData:
    """Observe the past as it was known, and those who are there now."""
    until = today - timedelta(days=1)
    horizon = observation_queries.load_horizon(session, workspace_id, as_of=until)
    lens = observations.build_table_spec(session, workspace_id, as_of=until, horizon=horizon)
    panel = observations.build_panel(
        session, workspace_id, until=until, horizon=horizon, lens=lens, treatments=treatments
    )
    there = observation_queries.list_active_accounts(
        session, workspace_id, day=until, horizon=horizon
    )
    table = load_feature_table(session, workspace_id, [(each, until) for each in there], lens=lens)
    x = table.x[can_churn(table, horizon)]
    return TrainingData(panel, x, _find_active_model(session, workspace_id, horizon.days))


def _find_active_model(
    session: Session, workspace_id: str, horizon_days: int
) -> ActiveModel | None:
    """Find the model that holds; one that does not fit, or looks elsewhere, holds nothing up."""
    row = model_queries.find_active_model(session, workspace_id)
    if row is None or row.horizon_days != horizon_days:
        return None
    try:
        model = store.load_model(session, row)
    except UnusableArtifactError:
        return None
    return ActiveModel(row.version, model, row.data_through, row.known_through, row.card["profile"])


def train_candidate(
    material: TrainingData,
    *,
    seed: int = SEED,
    progress: Callable[[str], None] = lambda _: None,
) -> Candidate | str:
    """Train and decide; a sentence where there is nothing to train. Takes seconds of processor."""
    started = time.monotonic()
    panel, holder = material.panel, material.active_model
    trained = train(panel, seed=seed, progress=progress)
    if trained.model is None:
        return trained.why
    found = promotion.run_checks(trained, _build_incumbent(material, trained), seed=seed)
    stage = promotion.decide_stage(trained, found, panel.rows(~panel.treated).churned_accounts)
    artifact = artifacts.dump(trained.model)
    through = date.fromordinal(int(panel.day.max()))
    described = card.build_card(
        panel,
        trained,
        found,
        today=material.today,
        seed=seed,
        sha256=artifact.sha256,
        seconds=time.monotonic() - started,
    )
    return Candidate(
        trained,
        stage,
        promotion.may_take_over(stage, found, over=holder.model.stage if holder else None),
        described,
        artifact,
        through,
        through + timedelta(days=panel.horizon_days),
    )


def _build_incumbent(material: TrainingData, trained: TrainingResult) -> IncumbentModel | None:
    holder, unseen, model = material.active_model, trained.unseen, trained.model
    if holder is None or unseen is None or model is None:
        return None
    names = material.panel.names
    rows = np.flatnonzero(unseen.day >= holder.known_through.toordinal())
    x = material.panel.rows(~material.panel.treated).x[unseen.places[rows]]
    today = holder.model.predict(align_columns(holder.model, names, material.today))
    return IncumbentModel(
        rows,
        holder.model.predict(align_columns(holder.model, names, x)),
        changed_level_share(today, model.predict(material.today)),
    )


def align_columns(model: Model, names: Sequence[str], x: Floats) -> Floats:
    """Give a model its columns, missing where there are none of the name."""
    found = np.full((len(x), len(model.names)), np.nan)
    for place, name in enumerate(model.names):
        if name in names:
            found[:, place] = x[:, names.index(name)]
    return found


def check_active_model(material: TrainingData) -> list[str]:
    """Say why the model that holds should not be relied on any more; empty: it may."""
    holder, panel = material.active_model, material.panel
    if holder is None:
        return []
    later = panel.rows(~panel.treated & (panel.day > holder.data_through.toordinal()))
    later = replace(
        later, names=holder.model.names, x=align_columns(holder.model, panel.names, later.x)
    )
    x = align_columns(holder.model, panel.names, material.today)
    found = drift.column_shifts(holder.profile, holder.model.names, x, holder.model.predict(x))
    return drift.reasons(found, drift.observed_churn(holder.model, later))


def record_training_result(
    session: Session,
    change: Actor,
    candidate: Candidate | str,
    degraded: Sequence[str],
    *,
    over: ActiveModel | None,
) -> dict[str, Any]:
    """Store what came of it, in one transaction. Returns what to tell whoever asked for it."""
    model_queries.lock_models(session, change.workspace_id)
    holds = model_queries.find_active_model(session, change.workspace_id)
    is_as_judged = holds is None or over is None or holds.version == over.version
    row = None
    if isinstance(candidate, Candidate):
        row = _store(session, change, candidate)
        if candidate.takes_over and is_as_judged:
            model_service.activate(session, change, row)
    if degraded and holds is not None and is_as_judged and holds.state == "active":
        model_service.degrade(session, holds, degraded, now=change.at)
    if row is None:
        return {"step": "done", "method": "rules", "why": candidate}
    return {"step": "done", "version": row.version, "stage": row.stage, "state": row.state}


def _store(session: Session, change: Actor, candidate: Candidate) -> ChurnModel:
    model = candidate.trained.model
    return model_queries.insert_model(
        session,
        change.workspace_id,
        state="shadow",
        stage=candidate.stage,
        horizon_days=model.horizon_days if model else 0,
        data_through=candidate.data_through,
        known_through=candidate.known_through,
        card=candidate.card,
        head=candidate.artifact.head,
        trees=candidate.artifact.trees,
        sha256=candidate.artifact.sha256,
        created_at=change.at,
        created_by=change.actor,
    )
