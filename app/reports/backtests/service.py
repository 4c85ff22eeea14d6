"""Backtests as durable jobs: models, scorecards and alert rules over days that are over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session
from threadpoolctl import threadpool_limits

from app.alerts import rule_service
from app.alerts.backtest import backtest_rule as follow_rule
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.levels import LEVELS, risk_levels
from app.churn.model.preprocessing import Floats
from app.churn.model.training import train
from app.churn.registry import model_queries
from app.churn.training import observation_queries, observations
from app.churn.training.observations import ObservedPanel
from app.core.db import SessionFactory, transaction
from app.core.query_helpers import advisory_lock
from app.features.table_queries import AccountDay
from app.health.definition import scorecard_queries
from app.health.scoring import scoring_context
from app.health.scoring import service as health
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.jobs.tables import Job
from app.reports.backtests import backtest_queries
from app.reports.backtests.ranking_metrics import RankedRows, evaluate_ranking
from app.workspaces.queries import get_workspace, list_workspaces
from app.workspaces.service import Actor

KIND = "backtest"
AUTOMATIC = "service"
MAX_RULE_DAYS = 365


@dataclass(frozen=True, slots=True)
class BacktestSubject:
    """``kind``: model, scorecard or alert_rule; ``key``: its version, or the key of the rule."""

    kind: str
    key: str


def enqueue_backtest(
    session: Session, by: Actor, subjects: Sequence[BacktestSubject], *, since: date | None
) -> Job:
    """Have subjects tried, side by side on the same rows as far as they are of one kind."""
    for each in subjects:
        _check(session, by.workspace_id, each)
    config = {
        "subjects": [{"kind": each.kind, "key": each.key} for each in subjects],
        "since": since.isoformat() if since else None,
        "until": (by.at.date() - timedelta(days=1)).isoformat(),
    }
    job = jobs.enqueue(session, by.workspace_id, KIND, config, actor=by.actor, now=by.at)
    job.position = {"subject": 0, "day": 0, "rows": []}
    return job


def _check(session: Session, workspace_id: str, subject: BacktestSubject) -> None:
    """Raise NotFoundError for what there is not."""
    match subject.kind:
        case "model":
            model_queries.get_model(session, workspace_id, int(subject.key))
        case "scorecard":
            scorecard_queries.get_scorecard_config(session, workspace_id, int(subject.key))
        case _:
            rule_service.get(session, workspace_id, subject.key)


def enqueue_activated(session: Session, *, now: datetime) -> None:
    """Have what somebody has activated tried once, in every workspace."""
    for workspace in list_workspaces(session):
        _order_activated(session, workspace.id, now=now)


def _order_activated(session: Session, workspace_id: str, *, now: datetime) -> None:
    advisory_lock(session, "backtests", workspace_id)
    wanted = backtest_queries.list_active_subjects(session, workspace_id)
    tried = backtest_queries.list_tested_subjects(session, workspace_id, KIND)
    news = [BacktestSubject(kind, key) for kind, key in wanted if (kind, key) not in tried]
    if news:
        enqueue_backtest(session, Actor(workspace_id, AUTOMATIC, now), news, since=None)


def run_backtest_page(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
    """Try one subject; of a scorecard one observation day. Returns whether there is more."""
    subjects = work.config["subjects"]
    place = work.position["subject"]
    if place >= len(subjects):
        return False
    with transaction(sessions) as session:
        found, position = _page(session, work, BacktestSubject(**subjects[place]), now)
        results = [*work.progress.get("results", []), *found]
        progress = {"subjects": len(subjects), "done": len(results), "results": results}
        jobs.checkpoint(session, work, position=position, progress=progress, now=now)
    return bool(position["subject"] < len(subjects))


def _page(
    session: Session, work: ClaimedJob, subject: BacktestSubject, now: datetime
) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    following = {"subject": work.position["subject"] + 1, "day": 0, "rows": []}
    if subject.kind == "alert_rule":
        return [_said(subject, _of_rule(session, work, subject, now))], following
    setting = _setting(session, work, subject)
    if subject.kind == "model":
        return [_said(subject, _of_model(session, work, subject, setting))], following
    days = sorted({day for _, day in setting.moments})
    place, rows = work.position["day"], list(work.position["rows"])
    if place < len(days):
        rows += _scored(session, work, subject, setting, day=days[place], now=now)
        return [], {"subject": work.position["subject"], "day": place + 1, "rows": rows}
    result = {"horizon_days": setting.horizon.days, **evaluate_ranking(_rows(rows))}
    return [_said(subject, result)], following


def _said(subject: BacktestSubject, result: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": subject.kind, "key": subject.key, **result}


@dataclass(frozen=True, slots=True)
class ObservationPlan:
    horizon: Horizon
    moments: Sequence[AccountDay]


def _setting(session: Session, work: ClaimedJob, subject: BacktestSubject) -> ObservationPlan:
    """A model is tried over its own horizon, a scorecard over that of the workspace."""
    until = date.fromisoformat(work.config["until"])
    days = None
    if subject.kind == "model":
        days = model_queries.get_model(session, work.workspace_id, int(subject.key)).horizon_days
    horizon = observation_queries.load_horizon(session, work.workspace_id, as_of=until, days=days)
    moments = observations.list_observation_days(
        session, work.workspace_id, until=until, horizon=horizon
    )
    since = work.config["since"]
    if since:
        moments = [each for each in moments if each[1] >= date.fromisoformat(since)]
    return ObservationPlan(horizon, moments)


def _observed(
    session: Session,
    workspace_id: str,
    moments: Sequence[AccountDay],
    horizon: Horizon,
    until: date,
) -> ObservedPanel:
    lens = observations.build_table_spec(session, workspace_id, as_of=until, horizon=horizon)
    return observations.observe_accounts(session, workspace_id, moments, horizon=horizon, lens=lens)


def _of_model(
    session: Session, work: ClaimedJob, subject: BacktestSubject, setting: ObservationPlan
) -> dict[str, Any]:
    """Train again and again on what lay before, as the model was, and judge what came after.

    No row is judged by who had learnt from it. Takes seconds of processor.
    """
    row = model_queries.get_model(session, work.workspace_id, int(subject.key))
    moments = [each for each in setting.moments if each[1] <= row.data_through]
    until = date.fromisoformat(work.config["until"])
    seen = _observed(session, work.workspace_id, moments, setting.horizon, until)
    with threadpool_limits(1):
        unseen = train(seen.panel, seed=row.card["seed"]).unseen if moments else None
    if unseen is None:
        return {"horizon_days": setting.horizon.days, **evaluate_ranking(_rows([]))}
    usual = float(unseen.base.mean())
    kept = [seen.moments[place] for place in unseen.places]
    recency = _silent(seen.panel.x[unseen.places, seen.panel.names.index("recency")])
    left = _days_left(session, work, kept, setting.horizon, y=unseen.y, recency=recency)
    levels = [LEVELS[level] for level in risk_levels(unseen.p, usual)]
    rows = RankedRows(unseen.account, unseen.y, unseen.p, levels, recency, left)
    return {"horizon_days": setting.horizon.days, **evaluate_ranking(rows)}


def _scored(
    session: Session,
    work: ClaimedJob,
    subject: BacktestSubject,
    setting: ObservationPlan,
    *,
    day: date,
    now: datetime,
) -> list[list[Any]]:
    """Score the accounts of one day as a version would have, beside what came of them."""
    moments = [each for each in setting.moments if each[1] == day]
    until = date.fromisoformat(work.config["until"])
    seen = _observed(session, work.workspace_id, moments, setting.horizon, until)
    ids = [account_id for account_id, _ in seen.moments]
    card = scorecard_queries.get_scorecard_config(session, work.workspace_id, int(subject.key))
    against, lens = scoring_context.load_context(
        session,
        get_workspace(session, work.workspace_id),
        as_of=day,
        now=now,
        candidate=(int(subject.key), card),
    )
    found = {
        each.account_id: each
        for each in health.load_assessments(
            session, work.workspace_id, ids, against, lens, as_of=day, now=now
        )
    }
    recency = _silent(seen.panel.x[:, seen.panel.names.index("recency")])
    left = _days_left(session, work, seen.moments, setting.horizon, y=seen.panel.y, recency=recency)
    return [
        [key, int(y), found[key].score, found[key].band, float(silent), _number(days)]
        for key, y, silent, days in zip(ids, seen.panel.y, recency, left, strict=True)
        if found[key].score is not None
    ]


def _rows(rows: Sequence[Sequence[Any]]) -> RankedRows:
    ids = {key: place for place, key in enumerate(sorted({row[0] for row in rows}))}
    return RankedRows(
        np.array([ids[row[0]] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=float),
        np.array([100 - row[2] for row in rows], dtype=float),
        [row[3] for row in rows],
        np.array([row[4] for row in rows], dtype=float),
        np.array([row[5] for row in rows], dtype=float),
    )


def _silent(recency: Floats) -> Floats:
    """Who was never seen has been silent for longest."""
    return np.nan_to_num(recency, nan=observations.YEAR_DAYS)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _days_left(
    session: Session,
    work: ClaimedJob,
    moments: Sequence[AccountDay],
    horizon: Horizon,
    *,
    y: Floats,
    recency: Floats,
) -> Floats:
    """Say how many days after each day an account had left, nan where it did not."""
    if horizon.basis is HorizonBasis.SILENCE:
        return np.where(y > 0, horizon.days - recency, np.nan)
    ids = sorted({key for key, _ in moments})
    ends = backtest_queries.load_subscription_ends(session, work.workspace_id, ids)
    found = []
    for (key, day), left in zip(moments, y, strict=True):
        days = [(end - day).days for end in ends.get(key, ())]
        within = [each for each in days if 0 < each <= horizon.days]
        found.append(max(within) if left and within else np.nan)
    return np.array(found, dtype=float)


def _of_rule(
    session: Session, work: ClaimedJob, subject: BacktestSubject, now: datetime
) -> dict[str, Any]:
    """Follow the rule through the scores as they were written."""
    _, rule = rule_service.get(session, work.workspace_id, subject.key)
    since = work.config["since"]
    days = (now.date() - date.fromisoformat(since)).days + 1 if since else MAX_RULE_DAYS
    found = follow_rule(session, work.workspace_id, rule, days=min(days, MAX_RULE_DAYS), now=now)
    warned = found.accounts_alerted
    return {
        "accounts": found.accounts,
        "alerts": found.alerts,
        "accounts_alerted": warned,
        "churned_accounts": found.churned,
        "caught": found.caught,
        "false_alarms": found.false_alarms,
        "precision": round(found.caught / warned, 4) if warned else None,
        "recall": round(found.caught / found.churned, 4) if found.churned else None,
        "lead_days_median": found.days_before_median,
    }
