"""The churn risk of a set of accounts, out of their features and a model or the rules. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.churn.model import rules
from app.churn.model.drivers import RiskDriver, top_drivers
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.levels import LEVELS, risk_levels
from app.churn.model.model import Model, ModelStage
from app.churn.model.preprocessing import Floats
from app.churn.scoring.revenue import revenue_at_risk
from app.features.table import FeatureTable


class ChurnStatus(StrEnum):
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
class RiskScorer:
    """What judges: a model, or the rules (None)."""

    model: Model | None
    horizon: Horizon
    peers: Mapping[str, float]

    @property
    def stage(self) -> ModelStage:
        return self.model.stage if self.model else ModelStage.RULES

    @property
    def version(self) -> int | None:
        return self.model.version if self.model else None


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """``risk`` orders accounts: the probability, or a hundredth of the points of the rules."""

    account_id: str
    status: ChurnStatus
    level: str | None
    probability: float | None
    risk: float | None
    stage: ModelStage
    model_version: int | None
    horizon_days: int
    mrr_cents: int
    revenue_at_risk_cents: int
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Assessment:
    level: str | None
    probability: float | None
    risk: float | None
    drivers: Sequence[RiskDriver]


NO_ASSESSMENT = _Assessment(None, None, None, ())


def score_accounts(
    scorer: RiskScorer, table: FeatureTable, before: FeatureTable, lives: NDArray[np.bool_]
) -> list[AccountRisk]:
    """Judge accounts as of one day. ``before``: those who are there, four weeks earlier."""
    places = np.flatnonzero(lives)
    x = table.x[places]
    score = _by_model if scorer.model else _by_rules
    said = dict(zip(places.tolist(), score(scorer, table, x, before.x), strict=True))
    return [
        _risk(scorer, table, place, said.get(place, NO_ASSESSMENT)) for place in range(len(table.x))
    ]


def _by_model(
    scorer: RiskScorer, table: FeatureTable, x: Floats, before: Floats
) -> list[_Assessment]:
    model = scorer.model
    if model is None or not len(x):
        return []
    p = model.predict(x)
    told = top_drivers(table.names, x, model.contributions(x), before, scorer.peers)
    return [
        _Assessment(LEVELS[level], float(chance), float(chance), each)
        for level, chance, each in zip(risk_levels(p, model.usual), p, told, strict=True)
    ]


def _by_rules(
    scorer: RiskScorer, table: FeatureTable, x: Floats, before: Floats
) -> list[_Assessment]:
    days = scorer.horizon.days
    of = {name: x[:, place] for place, name in enumerate(table.names)}
    found = rules.points(of, days)
    told = top_drivers(
        table.names, x, rules.contributions(of, days, table.names), before, scorer.peers
    )
    return [
        NO_ASSESSMENT
        if np.isnan(points)
        else _Assessment(rules.risk_level(points), None, float(points) / 100, each)
        for points, each in zip(found, told, strict=True)
    ]


def _risk(scorer: RiskScorer, table: FeatureTable, place: int, said: _Assessment) -> AccountRisk:
    mrr = table.standing.mrr_cents[place]
    mrr_cents = 0 if np.isnan(mrr) else int(mrr)
    at_risk = revenue_at_risk(mrr_cents, said.probability)
    renews_in = float(table.column("days_to_renewal")[place])
    is_later = renews_in > scorer.horizon.days
    return AccountRisk(
        account_id=table.account_ids[place],
        status=ChurnStatus.OK if said.level else _status(scorer.horizon, table, place),
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


def _status(horizon: Horizon, table: FeatureTable, place: int) -> ChurnStatus:
    """Say why nothing is said."""
    standing = table.standing
    if standing.excluded[place]:
        return ChurnStatus.EXCLUDED
    if horizon.basis is HorizonBasis.SUBSCRIPTION and not standing.pays[place]:
        return ChurnStatus.CHURNED if standing.has_paid[place] else ChurnStatus.NOT_PAYING
    if np.isnan(table.column("recency")[place]):
        return ChurnStatus.NEVER_USED
    return ChurnStatus.CHURNED
