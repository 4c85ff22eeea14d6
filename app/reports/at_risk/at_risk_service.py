"""Accounts at risk, the most revenue first, each with what is known to act on."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.churn.scoring.revenue import revenue_at_risk
from app.core.filters.matching import And, Filter, parse_filter
from app.core.pagination import Page, Paging
from app.health.definition.benchmark_queries import find_definition
from app.health.definition.score_definition import Definition
from app.health.explanations.catalogue import Language
from app.health.explanations.sentences import level_sentence
from app.portfolio.account_list import AccountListRequest
from app.portfolio.fields import CHOICES, FIELDS
from app.portfolio.schemas import AccountListItem
from app.reports.at_risk import queries
from app.reports.at_risk.schemas import (
    AccountAtRiskOut,
    OpenAlertOut,
    TopDriverOut,
    TopSuggestionOut,
)

AT_RISK_FILTER = {
    "or": [{"band": "at_risk"}, {"field": "churn_risk.level", "op": "eq", "value": "high"}]
}


def load_page(
    session: Session,
    workspace_id: str,
    wanted: Filter,
    *,
    paging: Paging,
    today: date,
    language: Language,
) -> Page[AccountAtRiskOut]:
    """One page; what is added to its accounts is read in one query for each kind."""
    at_risk = And((parse_filter(AT_RISK_FILTER, FIELDS, choices=CHOICES), wanted))
    found = AccountListRequest(at_risk, "-revenue_at_risk", paging).page(
        session, workspace_id, today
    )
    ids = [item.account_id for item in found.items]
    drivers = _drivers(session, workspace_id, ids, language)
    alerts = queries.load_open_alerts(session, workspace_id, ids)
    proposed = queries.load_suggestions(session, workspace_id, ids)
    items = [
        _item(item, drivers.get(key), alerts.get(key), proposed.get(key))
        for key, item in zip(ids, found.items, strict=True)
    ]
    return Page(items=items, next_cursor=found.next_cursor)


def _item(
    standing: AccountListItem, driver: TopDriverOut | None, alert: Any, proposed: Any
) -> AccountAtRiskOut:  # noqa: ANN401 - rows or None
    at_stake = revenue_at_risk(standing.mrr_cents, standing.churn_risk.probability)
    return AccountAtRiskOut(
        **dict(standing),
        revenue_at_risk_cents=at_stake.cents,
        revenue_basis=at_stake.basis,
        top_driver=driver,
        open_alert=OpenAlertOut.model_validate(alert) if alert else None,
        suggestion=TopSuggestionOut.model_validate(proposed) if proposed else None,
    )


def _drivers(
    session: Session, workspace_id: str, ids: Sequence[str], language: Language
) -> dict[str, TopDriverOut]:
    """Name the measure of each account that leaves out the most points."""
    meanings: dict[str, Definition | None] = {}
    found = {}
    for row in queries.load_measures(session, workspace_id, ids):
        if row.definition is None or not row.measures:
            continue
        if row.definition not in meanings:
            meanings[row.definition] = find_definition(session, workspace_id, row.definition)
        meaning = meanings[row.definition]
        measure = max(row.measures, key=_missed)
        if meaning is not None and _missed(measure) > 0:
            found[row.account_id] = _driver(measure, meaning, language)
    return found


def _missed(measure: Mapping[str, Any]) -> float:
    return float(measure.get("points_missed") or 0)


def _driver(measure: Mapping[str, Any], meaning: Definition, language: Language) -> TopDriverOut:
    return TopDriverOut(
        measure=measure["name"],
        points_missed=_missed(measure),
        sentence=level_sentence(measure, meaning, language),
    )
