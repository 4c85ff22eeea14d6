"""What was expected to churn at the beginning of each month, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.renewals import grace_days
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.intervals import poisson_interval
from app.churn.training.queries import load_outcomes
from app.core.months import add_months
from app.reports.at_risk import queries
from app.reports.at_risk.schemas import CalibrationMonth, RevenueAtRiskCalibrationOut
from app.reports.kpi import ReportQuery

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class _Expectation:
    """The risks at the beginning of a month. ``has_churned``: in their order; None: not known."""

    starts_on: date
    known_from: date
    risks: Sequence[Row[Any]]
    has_churned: Sequence[bool] | None

    @property
    def churned(self) -> list[Row[Any]]:
        outcomes = zip(self.risks, self.has_churned or (), strict=False)
        return [risk for risk, has_churned in outcomes if has_churned]


def calibration_report(session: Session, query: ReportQuery) -> RevenueAtRiskCalibrationOut:
    """Compare the probabilities of past months with the outcomes of their horizons."""
    rows = queries.load_risks_of_months(
        session, query.workspace_id, query, months=_first_days(query)
    )
    counted = [row for row in rows if not row.excluded]
    expectations = [
        _expectation(session, query, month, list(risks))
        for month, risks in groupby(counted, key=lambda row: row.starts_on)
    ]
    over = [each for each in expectations if each.has_churned is not None]
    shared: dict[str, Any] = {
        "unit": "ratio",
        "n": sum(len(each.risks) for each in over),
        "exclusions": {
            "excluded": len({row.account_id for row in rows if row.excluded}),
            "no_rate": len({row.account_id for row in counted if not row.mrr_cents}),
        },
        "changed_by": queries.load_changes_of_risks(session, query.workspace_id, query),
    }
    return RevenueAtRiskCalibrationOut(
        churn=query.kpi(
            "churned_over_expected",
            "churned accounts / sum of probabilities, of the months whose outcomes are known",
            numerator=sum(len(each.churned) for each in over),
            denominator=sum(risk.probability for each in over for risk in each.risks) or None,
            **shared,
        ),
        revenue=query.kpi(
            "churned_mrr_over_expected",
            "MRR of churned accounts / sum of MRR x probability, of the same months",
            numerator=sum(risk.mrr_cents or 0 for each in over for risk in each.churned),
            denominator=sum(_expected_mrr(each.risks) for each in over) or None,
            currency=query.currency,
            **shared,
        ),
        months=[_month(each) for each in expectations],
    )


def _first_days(query: ReportQuery) -> list[date]:
    """List the first days of the months that begin within the period."""
    first = query.since.replace(day=1)
    count = 12 * (query.until.year - first.year) + query.until.month - first.month
    days = (add_months(first, n) for n in range(count + 1))
    return [day for day in days if query.since <= day <= query.until]


def _expectation(
    session: Session, query: ReportQuery, starts_on: date, risks: Sequence[Row[Any]]
) -> _Expectation:
    """Load the outcomes of a month, once all of them are final: also those of late renewals."""
    as_of = starts_on - timedelta(days=1)
    days = max(risk.horizon_days for risk in risks)
    basis = HorizonBasis(risks[0].basis)
    grace = grace_days(session) if basis is HorizonBasis.SUBSCRIPTION else 0
    expectation = _Expectation(starts_on, as_of + timedelta(days=days + grace), risks, None)
    if expectation.known_from > query.known_on:
        return expectation
    outcomes = load_outcomes(
        session,
        query.workspace_id,
        [(risk.account_id, as_of) for risk in risks],
        horizon=Horizon(days, basis),
        until=query.known_on,
    )
    return replace(expectation, has_churned=[each.has_churned for each in outcomes])


def _expected_mrr(risks: Sequence[Row[Any]], bound: str = "probability") -> int:
    expected = sum((risk.mrr_cents or 0) * float(getattr(risk, bound)) for risk in risks)
    return round(expected)


def _month(each: _Expectation) -> CalibrationMonth:
    expected = float(sum(risk.probability for risk in each.risks))
    expected_mrr = _expected_mrr(each.risks)
    month = CalibrationMonth(
        month=f"{each.starts_on:%Y-%m}",
        outcomes_known_on=each.known_from,
        accounts=len(each.risks),
        expected=expected,
        expected_low=float(sum(risk.low for risk in each.risks)),
        expected_high=float(sum(risk.high for risk in each.risks)),
        expected_mrr_cents=expected_mrr,
        expected_mrr_low_cents=_expected_mrr(each.risks, "low"),
        expected_mrr_high_cents=_expected_mrr(each.risks, "high"),
    )
    if each.has_churned is None:
        return month
    churned = each.churned
    month.churned = len(churned)
    month.churned_mrr_cents = sum(risk.mrr_cents or 0 for risk in churned)
    if expected > 0:
        month.churned_over_expected = len(churned) / expected
        bounds = poisson_interval(len(churned), expected, CONFIDENCE)
        month.ratio_low, month.ratio_high = bounds
    if expected_mrr:
        month.churned_mrr_over_expected = month.churned_mrr_cents / expected_mrr
    return month
