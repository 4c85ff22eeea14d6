"""Compute the lifetime value of accounts: from how long they pay, and from what they buy."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.arrays import np
from app.core.months import total_months
from app.reports.kpi import ReportQuery
from app.reports.kpis.lifetime import Lifetimes, estimate_value
from app.reports.kpis.schemas import LifetimeValueOut, PurchaseValueOut, SegmentLifetimeValue
from app.reports.kpis.service import SQL, load_changes_of_payments, older_accounts
from app.reports.queries import load_later_changes, load_report_rows


def lifetime_value(
    session: Session, query: ReportQuery, *, margin: float, months: int, cost_cents: float | None
) -> LifetimeValueOut:
    """Estimate the value of all accounts, and of the accounts of each segment."""
    rows = load_report_rows(session, query.workspace_id, SQL, "lifetimes", query)
    changed_by = load_changes_of_payments(session, query, by_segment=True)

    def value_of(name: str, members: Sequence[Row[Any]]) -> SegmentLifetimeValue:
        counted = [row for row in members if not row.excluded and not row.no_rate]
        exclusions = {
            "excluded": sum(row.excluded for row in members),
            "no_rate": sum(row.no_rate and not row.excluded for row in members),
        }
        estimate = estimate_value(_lifetimes(counted), margin=margin, months=months)
        facts = {
            "numerator": estimate.cents,
            "n": estimate.accounts,
            "exclusions": exclusions,
            "changed_by": changed_by,
            "since": None,
        }
        clv = query.kpi(
            "clv",
            f"{margin} x mean MRR of paying accounts x expected paid months within {months}",
            unit="cents",
            value=estimate.cents,
            denominator=1,
            currency=query.currency,
            **facts,
        )
        to_cost = query.kpi(
            "clv_to_cost",
            "CLV / cost of value",
            unit="ratio",
            denominator=cost_cents,
            currency=query.currency,
            **facts,
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

    by_segment = groupby(sorted(rows, key=attrgetter("segment")), attrgetter("segment"))
    segments = [value_of(name, list(members)) for name, members in by_segment if name]
    return LifetimeValueOut(
        horizon_months=months, margin=margin, segments=[value_of("", rows), *segments]
    )


def _lifetimes(rows: Sequence[Row[Any]]) -> Lifetimes:
    return Lifetimes(
        np.array([total_months(_days_of(row.spans)) for row in rows], dtype=np.float64),
        np.array([row.ended for row in rows], dtype=np.bool_),
        np.array([float(row.cents) for row in rows], dtype=np.float64),
    )


def _days_of(spans: Iterable[Any]) -> list[tuple[date, date]]:
    return [(span.lower, span.upper) for span in spans]


def purchase_value(
    session: Session,
    query: ReportQuery,
    *,
    margin: float,
    months: int,
    event_names: list[str],
    amount: str,
) -> PurchaseValueOut:
    """Add up what an account spends on average in each month since its first purchase.

    Each month is the mean over the accounts observed to its end. ``amount``: the event property
    with the amount of a purchase. The value is None if no account was observed for all ``months``.
    """
    values = {"months": months, "event_names": event_names, "property": amount}
    rows = load_report_rows(session, query.workspace_id, SQL, "purchase_value", query, **values)
    observed = [row for row in rows if row.observed]
    value = sum(float(row.amount) / row.observed for row in observed)
    clv = query.kpi(
        "clv",
        f"{margin} x mean {amount} of an account in each month of its age, over {months} months",
        unit="amount",
        value=margin * value if len(observed) == months else None,
        numerator=margin * value,
        denominator=1,
        n=rows[0].observed,
        since=None,
        exclusions={"excluded": rows[0].excluded} | older_accounts(rows[0].is_older),
        changed_by=load_later_changes(
            session, query.workspace_id, SQL, "purchases_of_events", query, event_names=event_names
        ),
    )
    return PurchaseValueOut(clv=clv, months=observed)
