"""Compute the churn risk of a set of accounts from their features, by a model or rules. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.churn.model import rules
from app.churn.model.drivers import RiskDriver, top_drivers
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.levels import LEVELS, ModelStage, risk_levels
from app.churn.model.model import Model
from app.churn.scoring.revenue import revenue_at_risk
from app.core.arrays import Booleans, Floats, np
from app.features.table import FeatureTable


class ChurnStatus(StrEnum):
    """`ok`, or why an account has no churn risk."""

    OK = "ok"
    NOT_PAYING = "not_paying"
    CHURNED = "churned"
    NEVER_USED = "never_used"
    EXCLUDED = "excluded"


def current_status(status: ChurnStatus | None, last_used_on: object) -> ChurnStatus | None:
    """Return the status of a risk beside the use known now.

    A risk is as of the last day that is over. If the account has been used since then, or older use
    became known, ``never_used`` is outdated: the account has no risk yet.
    """
    return None if status == ChurnStatus.NEVER_USED and last_used_on else status


class Outlook(StrEnum):
    """Whether a contract renews within the horizon of its risk, if it renews at all, or later."""

    WITHIN_HORIZON = "within_horizon"
    AT_RENEWAL = "at_renewal"


@dataclass(frozen=True, slots=True)
class RiskScorer:
    """What accounts are scored with: a model, or the rules if it is None.

    ``peers``: the medians of the workspace's accounts, by column name.
    """

    model: Model | None
    horizon: Horizon
    peers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """One row of ``churn_risk``.

    ``risk`` orders accounts: the probability, or with rules a hundredth of the points.
    ``revenue_at_risk_cents``: by probability and level; the band of the score is not known here.
    """

    account_id: str
    status: ChurnStatus
    level: str | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
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
    range: tuple[float, float] | tuple[None, None] = (None, None)


NO_ASSESSMENT = _Assessment(None, None, None, ())


def score_accounts(
    scorer: RiskScorer, table: FeatureTable, before: FeatureTable, active: Booleans
) -> list[AccountRisk]:
    """Score the accounts of a table, all as of one day.

    ``active``: whether each account can churn; the others get a status and no risk. ``before``:
    the features of the active accounts four weeks earlier.
    """
    rows = np.flatnonzero(active)
    x = table.x[rows]
    if scorer.model is None:
        assessed = _assess_by_rules(scorer, table.names, x, before.x)
    else:
        assessed = _assess_by_model(scorer.model, scorer.peers, x, before.x) if len(x) else []
    assessments = dict(zip(rows.tolist(), assessed, strict=True))
    return [
        _build_risk(scorer, table, row, assessments.get(row, NO_ASSESSMENT))
        for row in range(len(table.x))
    ]


def _assess_by_model(
    model: Model, peers: Mapping[str, float], x: Floats, before: Floats
) -> list[_Assessment]:
    probabilities = model.predict(x)
    levels = risk_levels(probabilities, model.base_rate)
    drivers = top_drivers(
        model.names, x, model.contributions(x), before, peers, log_odds=model.margin
    )
    ranges = zip(*(each.tolist() for each in model.probability_range(x)), strict=True)
    return [
        _Assessment(LEVELS[level], probability, probability, each, range_)
        for level, probability, each, range_ in zip(
            levels, probabilities.tolist(), drivers, ranges, strict=True
        )
    ]


def _assess_by_rules(
    scorer: RiskScorer, names: Sequence[str], x: Floats, before: Floats
) -> list[_Assessment]:
    days = scorer.horizon.days
    columns = dict(zip(names, x.T, strict=True))
    contributions = rules.contributions(columns, days, names)
    drivers = top_drivers(names, x, contributions, before, scorer.peers)
    return [
        NO_ASSESSMENT
        if np.isnan(points)
        else _Assessment(rules.risk_level(points), None, float(points) / 100, each)
        for points, each in zip(rules.points(columns, days), drivers, strict=True)
    ]


def _build_risk(
    scorer: RiskScorer, table: FeatureTable, row: int, assessment: _Assessment
) -> AccountRisk:
    model, horizon = scorer.model, scorer.horizon
    mrr_cents = int(np.nan_to_num(table.eligibility.mrr_cents[row]))
    at_risk = revenue_at_risk(mrr_cents, assessment.probability, level=assessment.level)
    renews_in = float(table.column("days_to_renewal")[row])
    outlook = Outlook.AT_RENEWAL if renews_in > horizon.days else Outlook.WITHIN_HORIZON
    renewal_on = None
    if not np.isnan(renews_in):
        renewal_on = table.days[row] + timedelta(days=int(renews_in))
    return AccountRisk(
        account_id=table.account_ids[row],
        status=ChurnStatus.OK if assessment.level else _no_risk_status(horizon, table, row),
        level=assessment.level,
        probability=assessment.probability,
        probability_low=assessment.range[0],
        probability_high=assessment.range[1],
        risk=assessment.risk,
        stage=model.stage if model else ModelStage.RULES,
        model_version=model.version if model else None,
        horizon_days=horizon.days,
        mrr_cents=mrr_cents,
        revenue_at_risk_cents=at_risk.cents or 0,
        details={
            "horizon_basis": horizon.basis,
            "outlook": outlook,
            "renewal_on": renewal_on,
            "revenue_basis": at_risk.basis,
            "drivers": assessment.drivers,
        },
    )


def _no_risk_status(horizon: Horizon, table: FeatureTable, row: int) -> ChurnStatus:
    """Return why an account has no churn risk."""
    eligibility = table.eligibility
    if eligibility.excluded[row]:
        return ChurnStatus.EXCLUDED
    if horizon.basis is HorizonBasis.SUBSCRIPTION and not eligibility.pays[row]:
        return ChurnStatus.CHURNED if eligibility.has_paid[row] else ChurnStatus.NOT_PAYING
    if np.isnan(table.column("recency")[row]):
        return ChurnStatus.NEVER_USED
    return ChurnStatus.CHURNED
