"""The churn risk of a set of accounts, out of their features and a model or the rules. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.churn import rules
from app.churn.drivers import Driver, drivers
from app.churn.horizon import Basis, Horizon
from app.churn.levels import LEVELS, levels_of
from app.churn.model import Model, Stage
from app.churn.preparing import Floats
from app.churn.revenue import revenue_at_risk
from app.features.table import FeatureTable


class Status(StrEnum):
    """Whether anything is said of an account, and why not."""

    OK = "ok"
    NOT_PAYING = "not_paying"
    CHURNED = "churned"
    NEVER_USED = "never_used"
    EXCLUDED = "excluded"


class Outlook(StrEnum):
    """A contract that renews after the horizon cannot end within it: its risk is of the renewal."""

    WITHIN_HORIZON = "within_horizon"
    AT_RENEWAL = "at_renewal"


@dataclass(frozen=True, slots=True)
class Scorer:
    """What judges: a model, or the rules (None)."""

    model: Model | None
    horizon: Horizon
    peers: Mapping[str, float]

    @property
    def stage(self) -> Stage:
        return self.model.stage if self.model else Stage.RULES

    @property
    def version(self) -> int | None:
        return self.model.version if self.model else None


@dataclass(frozen=True, slots=True)
class Risk:
    """``risk`` orders accounts: the probability, or a hundredth of the points of the rules."""

    account_id: str
    status: Status
    level: str | None
    probability: float | None
    risk: float | None
    stage: Stage
    model_version: int | None
    horizon_days: int
    mrr_cents: int
    revenue_at_risk_cents: int
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Said:
    level: str | None
    probability: float | None
    risk: float | None
    drivers: Sequence[Driver]


NOTHING = _Said(None, None, None, ())


def judge(
    scorer: Scorer, table: FeatureTable, before: FeatureTable, lives: NDArray[np.bool_]
) -> list[Risk]:
    """Judge accounts as of one day. ``before``: those who are there, four weeks earlier."""
    places = np.flatnonzero(lives)
    x = table.x[places]
    score = _by_model if scorer.model else _by_rules
    said = dict(zip(places.tolist(), score(scorer, table, x, before.x), strict=True))
    return [_risk(scorer, table, place, said.get(place, NOTHING)) for place in range(len(table.x))]


def _by_model(scorer: Scorer, table: FeatureTable, x: Floats, before: Floats) -> list[_Said]:
    model = scorer.model
    if model is None or not len(x):
        return []
    p = model.predict(x)
    told = drivers(table.names, x, model.contributions(x), before, scorer.peers)
    return [
        _Said(LEVELS[level], float(chance), float(chance), each)
        for level, chance, each in zip(levels_of(p, model.usual), p, told, strict=True)
    ]


def _by_rules(scorer: Scorer, table: FeatureTable, x: Floats, before: Floats) -> list[_Said]:
    days = scorer.horizon.days
    of = {name: x[:, place] for place, name in enumerate(table.names)}
    found = rules.points(of, days)
    told = drivers(table.names, x, rules.contributions(of, days, table.names), before, scorer.peers)
    return [
        NOTHING
        if np.isnan(points)
        else _Said(rules.level_of(points), None, float(points) / 100, each)
        for points, each in zip(found, told, strict=True)
    ]


def _risk(scorer: Scorer, table: FeatureTable, place: int, said: _Said) -> Risk:
    mrr = table.standing.mrr_cents[place]
    mrr_cents = 0 if np.isnan(mrr) else int(mrr)
    at_risk = revenue_at_risk(mrr_cents, said.probability)
    renews_in = float(table.column("days_to_renewal")[place])
    is_later = renews_in > scorer.horizon.days
    return Risk(
        account_id=table.account_ids[place],
        status=Status.OK if said.level else _status(scorer.horizon, table, place),
        level=said.level,
        probability=said.probability,
        risk=said.risk,
        stage=scorer.stage,
        model_version=scorer.version,
        horizon_days=scorer.horizon.days,
        mrr_cents=mrr_cents,
        revenue_at_risk_cents=at_risk.cents,
        details={
            "horizon_basis": scorer.horizon.basis,
            "outlook": Outlook.AT_RENEWAL if is_later else Outlook.WITHIN_HORIZON,
            "renewal_on": _renewal(table.days[place], renews_in),
            "revenue_basis": at_risk.basis,
            "drivers": said.drivers,
        },
    )


def _renewal(day: date, days: float) -> date | None:
    return None if np.isnan(days) else day + timedelta(days=int(days))


def _status(horizon: Horizon, table: FeatureTable, place: int) -> Status:
    """Say why nothing is said."""
    standing = table.standing
    if standing.excluded[place]:
        return Status.EXCLUDED
    if horizon.basis is Basis.SUBSCRIPTION and not standing.pays[place]:
        return Status.CHURNED if standing.has_paid[place] else Status.NOT_PAYING
    if np.isnan(table.column("recency")[place]):
        return Status.NEVER_USED
    return Status.CHURNED
