"""Accounts at risk with driver, alert and suggestion, and the ARR at risk by renewal quarter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy.orm import Session

from app.churn.schemas import RevenueAtRiskTotal
from app.core.filters.parser import parse_filter
from app.core.filters.tree import And, Filter
from app.core.languages import Language
from app.core.pagination import Page, Paging
from app.health.definition.benchmark_queries import find_definition
from app.health.explanations.sentences import level_sentence
from app.portfolio.account_list import load_account_page
from app.portfolio.fields import CHOICES, FIELDS
from app.reports.at_risk import queries
from app.reports.at_risk.schemas import AccountAtRiskOut, ArrAtRiskOut, TopDriverOut
from app.reports.kpi import ReportQuery, sum_exclusions

AT_RISK_FILTER = {
    "or": [{"band": "at_risk"}, {"field": "churn_risk.level", "op": "eq", "value": "high"}]
}


def load_page(
    session: Session,
    workspace_id: str,
    account_filter: Filter,
    *,
    paging: Paging,
    now: datetime,
    language: Language,
) -> Page[AccountAtRiskOut]:
    """Load one page of the accounts at risk that match a filter, most revenue first.

    Drivers, alerts and suggestions take one query each for the whole page.
    """
    at_risk = And((parse_filter(AT_RISK_FILTER, FIELDS, choices=CHOICES), account_filter))
    page = load_account_page(session, workspace_id, at_risk, "-revenue_at_risk", paging, now=now)
    ids = [item.account_id for item in page.items]
    drivers = _load_top_drivers(session, workspace_id, ids, language)
    alerts = queries.load_open_alerts(session, workspace_id, ids)
    suggestions = queries.load_suggestions(session, workspace_id, ids)
    items = []
    for key, account in zip(ids, page.items, strict=True):
        risk = account.churn_risk
        item = AccountAtRiskOut(
            **dict(account),
            revenue_at_risk_cents=risk.revenue_at_risk_cents,
            revenue_basis=risk.revenue_basis,
            top_driver=drivers.get(key),
            open_alert=alerts.get(key),
            suggestion=suggestions.get(key),
        )
        items.append(item)
    return Page(items=items, next_cursor=page.next_cursor)


def _load_top_drivers(
    session: Session, workspace_id: str, ids: Sequence[str], language: Language
) -> dict[str, TopDriverOut]:
    """Return the measure of each account that misses the most points."""
    find = cache(partial(find_definition, session, workspace_id))
    drivers = {}
    for row in queries.load_measures(session, workspace_id, ids):
        if row.definition is None or not row.measures:
            continue
        definition, measure = find(row.definition), max(row.measures, key=_points_missed)
        if definition is not None and _points_missed(measure) > 0:
            drivers[row.account_id] = TopDriverOut(
                measure=measure["name"],
                points_missed=_points_missed(measure),
                sentence=level_sentence(measure, definition, language),
            )
    return drivers


def _points_missed(measure: Mapping[str, Any]) -> float:
    return float(measure.get("points_missed") or 0)


def arr_at_risk_report(session: Session, query: ReportQuery) -> ArrAtRiskOut:
    rows = queries.load_arr_at_risk_by_quarter(session, query.workspace_id, query)
    return ArrAtRiskOut(
        arr_at_risk=query.kpi(
            "arr_at_risk",
            "12 x MRR of the accounts at risk / 12 x MRR of all scored accounts",
            numerator=sum(row.arr_cents for row in rows),
            denominator=sum(row.arr_of_all for row in rows) or None,
            n=sum(row.accounts for row in rows),
            exclusions=sum_exclusions(
                {"excluded": row.excluded, "no_rate": row.no_rate} for row in rows
            ),
            changed_by=queries.load_changes_of_scored(session, query.workspace_id, query),
            currency=query.currency,
        ),
        revenue_at_risk=RevenueAtRiskTotal.of_parts(
            sum(row.probability_cents for row in rows),
            sum(row.probability_low_cents for row in rows),
            sum(row.probability_high_cents for row in rows),
            sum(row.assumed_cents for row in rows),
        ),
        quarters=[row for row in rows if row.accounts],
    )
