"""The lifetime value of accounts, from subscriptions or from purchases."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.reports.kpi import ReportQuery
from app.reports.kpis import queries
from app.reports.kpis.lifetime import Lifetimes, estimate_value
from app.reports.kpis.schemas import (
    LifetimeValueOut,
    PurchaseMonth,
    PurchaseValueOut,
    SegmentLifetimeValue,
)


def lifetime_value(
    session: Session, query: ReportQuery, *, margin: float, months: int, cost_cents: float | None
) -> LifetimeValueOut:
    lifetimes = queries.load_lifetimes(session, query.workspace_id, query)
    left_out = {"excluded": lifetimes.excluded, "no_rate": lifetimes.no_rate}
    segments = {name: each for name, each in sorted(lifetimes.by_segment.items()) if name}
    groups = {"": _merge(lifetimes.by_segment.values()), **segments}
    return LifetimeValueOut(
        horizon_months=months,
        margin=margin,
        segments=[
            _segment_value(query, name, each, margin, months, cost_cents, left_out)
            for name, each in groups.items()
        ],
    )


def _merge(parts: Iterable[Lifetimes]) -> Lifetimes:
    lifetimes = list(parts)
    empty = np.array([])
    return Lifetimes(
        np.concatenate([empty, *(each.days for each in lifetimes)]),
        np.concatenate([empty.astype(np.bool_), *(each.ended for each in lifetimes)]),
        np.concatenate([empty, *(each.cents for each in lifetimes)]),
    )


def _segment_value(  # noqa: PLR0917 - the one caller passes them in this order
    query: ReportQuery,
    name: str,
    lifetimes: Lifetimes,
    margin: float,
    months: int,
    cost_cents: float | None,
    left_out: Mapping[str, int],
) -> SegmentLifetimeValue:
    estimate = estimate_value(lifetimes, margin=margin, months=months)
    counted = {"n": estimate.accounts, "exclusions": left_out}
    clv = query.kpi(
        "clv",
        f"{margin} x mean MRR of paying accounts x expected paid months within {months}",
        unit="cents",
        value=estimate.cents,
        numerator=estimate.cents,
        denominator=1,
        currency=query.currency,
        **counted,
    )
    to_cost = query.kpi(
        "clv_to_cost",
        "CLV / cost of value",
        unit="ratio",
        numerator=estimate.cents,
        denominator=cost_cents,
        currency=query.currency,
        **counted,
    )
    return SegmentLifetimeValue(
        segment=name,
        clv=clv,
        clv_to_cost=to_cost if cost_cents else None,
        monthly_cents=estimate.monthly_cents,
        survival=[round(share, 6) for share in estimate.survival],
        paying=estimate.paying,
        ended=estimate.ended,
    )


def purchase_value(
    session: Session,
    query: ReportQuery,
    *,
    margin: float,
    months: int,
    event_names: Sequence[str],
    amount: str,
) -> PurchaseValueOut:
    """Add up the mean amount of each month of age, over the accounts observed to its end.

    The value is None if no account was observed for all ``months``.
    """
    rows = queries.load_purchase_value(
        session,
        query.workspace_id,
        query,
        months=months,
        event_names=event_names,
        amount=amount,
    )
    value = sum(float(row.amount) / row.observed for row in rows)
    clv = query.kpi(
        "clv",
        f"{margin} x mean {amount} of an account in each month of its age, over {months} months",
        unit="amount",
        value=margin * value if len(rows) == months else None,
        numerator=margin * value,
        denominator=1,
        n=rows[0].observed if rows else 0,
    )
    return PurchaseValueOut(clv=clv, months=[PurchaseMonth.model_validate(row) for row in rows])
