"""Train a workspace's model: gather, judge, store; let it take over only if it earned that."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.churn import (
    artifacts,
    card,
    drift,
    model_queries,
    model_service,
    observations,
    promotion,
    queries,
    store,
)
from app.churn.artifacts import Artifact, UnfitArtifactError
from app.churn.levels import moved_share
from app.churn.model import Model, Stage
from app.churn.observations import Treatments, can_churn
from app.churn.panel import Panel
from app.churn.preparing import Floats
from app.churn.promotion import Champion
from app.churn.tables import ChurnModel
from app.churn.training import Trained, train
from app.features.table_queries import feature_table
from app.workspaces.service import Actor

SEED = 1337


@dataclass(frozen=True, slots=True)
class Holder:
    """The model that holds, and what decides how it is judged."""

    version: int
    model: Model
    data_through: date
    known_through: date
    profile: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """All that training asks of the database. ``today``: the rows of those who can churn now."""

    panel: Panel
    today: Floats
    holder: Holder | None


@dataclass(frozen=True, slots=True)
class Candidate:
    trained: Trained
    stage: Stage
    takes_over: bool
    card: dict[str, Any]
    artifact: Artifact
    data_through: date
    known_through: date


def gather(
    session: Session, workspace_id: str, *, today: date, treatments: Treatments | None = None
) -> Material:
    """Observe the past as it was known, and those who are there now."""
    until = today - timedelta(days=1)
    horizon = queries.horizon(session, workspace_id, as_of=until)
    lens = observations.lens(session, workspace_id, as_of=until, horizon=horizon)
    panel = observations.build(
        session, workspace_id, until=until, horizon=horizon, lens=lens, treatments=treatments
    )
    there = queries.living(session, workspace_id, day=until, horizon=horizon)
    table = feature_table(session, workspace_id, [(each, until) for each in there], lens=lens)
    x = table.x[can_churn(table, horizon)]
    return Material(panel, x, _holder(session, workspace_id, horizon.days))


def _holder(session: Session, workspace_id: str, horizon_days: int) -> Holder | None:
    """Find the model that holds; one that does not fit, or looks elsewhere, holds nothing up."""
    row = model_queries.active(session, workspace_id)
    if row is None or row.horizon_days != horizon_days:
        return None
    try:
        model = store.model_of(session, row)
    except UnfitArtifactError:
        return None
    return Holder(row.version, model, row.data_through, row.known_through, row.card["profile"])


def judge(
    material: Material,
    *,
    seed: int = SEED,
    progress: Callable[[str], None] = lambda _: None,
) -> Candidate | str:
    """Train and decide; a sentence where there is nothing to train. Takes seconds of processor."""
    started = time.monotonic()
    panel, holder = material.panel, material.holder
    trained = train(panel, seed=seed, progress=progress)
    if trained.model is None:
        return trained.why
    found = promotion.checks(trained, _champion(material, trained), seed=seed)
    stage = promotion.stage_of(trained, found, panel.rows(~panel.treated).churned_accounts)
    artifact = artifacts.dump(trained.model)
    through = date.fromordinal(int(panel.day.max()))
    described = card.card_of(
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


def _champion(material: Material, trained: Trained) -> Champion | None:
    holder, unseen, model = material.holder, trained.unseen, trained.model
    if holder is None or unseen is None or model is None:
        return None
    names = material.panel.names
    rows = np.flatnonzero(unseen.day >= holder.known_through.toordinal())
    x = material.panel.rows(~material.panel.treated).x[unseen.places[rows]]
    today = holder.model.predict(aligned(holder.model, names, material.today))
    return Champion(
        rows,
        holder.model.predict(aligned(holder.model, names, x)),
        moved_share(today, model.predict(material.today)),
    )


def aligned(model: Model, names: Sequence[str], x: Floats) -> Floats:
    """Give a model its columns, missing where there are none of the name."""
    found = np.full((len(x), len(model.names)), np.nan)
    for place, name in enumerate(model.names):
        if name in names:
            found[:, place] = x[:, names.index(name)]
    return found


def watch(material: Material) -> list[str]:
    """Say why the model that holds should not be relied on any more; empty: it may."""
    holder, panel = material.holder, material.panel
    if holder is None:
        return []
    later = panel.rows(~panel.treated & (panel.day > holder.data_through.toordinal()))
    later = replace(later, names=holder.model.names, x=aligned(holder.model, panel.names, later.x))
    x = aligned(holder.model, panel.names, material.today)
    found = drift.shifts(holder.profile, holder.model.names, x, holder.model.predict(x))
    return drift.reasons(found, drift.outcome(holder.model, later))


def settle(
    session: Session,
    change: Actor,
    candidate: Candidate | str,
    degraded: Sequence[str],
    *,
    over: Holder | None,
) -> dict[str, Any]:
    """Store what came of it, in one transaction. Returns what to tell whoever asked for it."""
    model_queries.lock_models(session, change.workspace_id)
    holds = model_queries.active(session, change.workspace_id)
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
    return model_queries.add(
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
