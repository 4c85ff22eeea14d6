"""What accounts are worth: by contracts, or by what they buy."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.reports import queries
from app.reports.kpi import ReportQuery
from app.reports.kpis.lifetime import Lifetimes, estimate_value
from app.reports.schemas import (
    LifetimeValueOut,
    PurchaseMonth,
    PurchaseValueOut,
    SegmentLifetimeValue,
)


def lifetime_value(
    session: Session, asked: ReportQuery, *, margin: float, months: int, cost_cents: float | None
) -> LifetimeValueOut:
    lived = queries.load_lifetimes(session, asked.workspace_id, asked)
    left_out = {"excluded": lived.excluded, "no_rate": lived.no_rate}
    named = {name: some for name, some in sorted(lived.by_segment.items()) if name}
    groups = {"": _together(lived.by_segment.values()), **named}
    return LifetimeValueOut(
        horizon_months=months,
        margin=margin,
        segments=[
            _segment(asked, name, some, margin, months, cost_cents, left_out)
            for name, some in groups.items()
        ],
    )


def _together(parts: Iterable[Lifetimes]) -> Lifetimes:
    some = list(parts)
    empty = np.array([])
    return Lifetimes(
        np.concatenate([empty, *(each.days for each in some)]),
        np.concatenate([empty.astype(np.bool_), *(each.ended for each in some)]),
        np.concatenate([empty, *(each.cents for each in some)]),
    )


def _segment(  # noqa: PLR0917 - one thing after the other, as they are named above
    asked: ReportQuery,
    name: str,
    lifetimes: Lifetimes,
    margin: float,
    months: int,
    cost_cents: float | None,
    left_out: Mapping[str, int],
) -> SegmentLifetimeValue:
    found = estimate_value(lifetimes, margin=margin, months=months)
    counted = {"n": found.accounts, "exclusions": left_out}
    clv = asked.kpi(
        "clv",
        f"{margin} x mean MRR of who pays x expected paid months within {months}",
        unit="cents",
        value=found.cents,
        numerator=found.cents,
        denominator=1,
        currency=asked.currency,
        **counted,
    )
    to_cost = asked.kpi(
        "clv_to_cost",
        "CLV / cost of value",
        unit="ratio",
        numerator=found.cents,
        denominator=cost_cents,
        currency=asked.currency,
        **counted,
    )
    return SegmentLifetimeValue(
        segment=name,
        clv=clv,
        clv_to_cost=to_cost if cost_cents else None,
        monthly_cents=found.monthly_cents,
        survival=[round(share, 6) for share in found.survival],
        paying=found.paying,
        ended=found.ended,
    )


def purchase_value(
    session: Session,
    asked: ReportQuery,
    *,
    margin: float,
    months: int,
    event_names: Sequence[str],
    amount: str,
) -> PurchaseValueOut:
    """Add up, month of age by month of age, the mean amount of the accounts seen to its end."""
    rows = queries.load_purchase_value(
        session,
        asked.workspace_id,
        asked,
        months=months,
        event_names=event_names,
        amount=amount,
    )
    value = sum(float(row.amount) / row.observed for row in rows)
    clv = asked.kpi(
        "clv",
        f"{margin} x mean {amount} of an account in each month of its age, over {months} months",
        unit="amount",
        value=margin * value if len(rows) == months else None,
        numerator=margin * value,
        denominator=1,
        n=rows[0].observed if rows else 0,
    )
    return PurchaseValueOut(clv=clv, months=[PurchaseMonth.model_validate(row) for row in rows])
