"""What the list of accounts shows, from the services of the API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.alerts.queries import load_open_alerts
from app.alerts.tables import Alert
from app.core.filters.tree import And, Condition, Filter, Op, Or
from app.core.pagination import Page, Paging
from app.core.row_queries import list_all_rows, load_names
from app.health.scoring.history_queries import load_recent_scores
from app.interventions.queries import list_account_suggestions
from app.interventions.schemas import SuggestionOut
from app.portfolio.account_list import load_account_page
from app.portfolio.account_queries import AccountTotal, load_totals
from app.portfolio.schemas import AccountListItem
from app.portfolio.segment_service import resolve_filter_query
from app.portfolio.tables import SavedSegment
from app.signals import queries as signals
from app.signals.schemas import SignalOut
from app.web.accounts.list_state import ListState
from app.web.charts.lines import ScoredDays
from app.web.frame.visits import Visit

PAGE_SIZE, CSV_PAGE_SIZE = 50, 1000
LINE_DAYS = 90
ALL = Paging(100, None)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why an account needs attention, and what to do: shown where a row is open in place."""

    signals: Sequence[SignalOut]
    suggestions: Sequence[SuggestionOut]
    feature_names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AccountList:
    """``total``: of the whole list, on its first page only."""

    page: Page[AccountListItem]
    total: AccountTotal | None
    segments: Sequence[SavedSegment]
    lines: Mapping[str, ScoredDays]
    alerts: Mapping[str, Sequence[Alert]]
    opened: Reasons | None
    first_day: date
    last_day: date


def load_list(session: Session, visit: Visit, state: ListState) -> AccountList:
    """Read one page of the list."""
    workspace_id, today = visit.workspace_id, visit.now.date()
    segments = list_all_rows(session, workspace_id, SavedSegment)
    filter_ = list_filter(session, workspace_id, state)
    paging = Paging(PAGE_SIZE, state.cursor or None)
    page = load_account_page(session, workspace_id, filter_, state.sort, paging, now=visit.now)
    total = None
    if not state.cursor:
        [total] = load_totals(session, workspace_id, [filter_], today=today)
    ids = [item.account_id for item in page.items]
    first = today - timedelta(days=LINE_DAYS)
    alerts: dict[str, list[Alert]] = {key: [] for key in ids}
    for alert in load_open_alerts(session, workspace_id, ids):
        alerts[alert.account_id].append(alert)
    return AccountList(
        page=page,
        total=total,
        segments=segments,
        lines=load_recent_scores(session, workspace_id, ids, since=first),
        alerts=alerts,
        opened=load_reasons(session, visit, state.open) if state.open in ids else None,
        first_day=first,
        last_day=today,
    )


def list_filter(session: Session, workspace_id: str, state: ListState) -> Filter:
    """Return the filter, the saved segment and the search as one filter."""
    parts = [
        resolve_filter_query(session, workspace_id, state.filter or None, state.segment or None)
    ]
    if state.q:
        fields = ("name", "account_id")
        parts.append(Or(tuple(Condition(field, Op.CONTAINS, state.q) for field in fields)))
    return And(tuple(parts))


def load_reasons(session: Session, visit: Visit, account_id: str) -> Reasons:
    """Return the open signals of an account, newest first, and its suggestions, best first."""
    workspace_id = visit.workspace_id
    page = signals.list_account_signals(session, workspace_id, account_id, ALL, everything=False)
    names = signals.load_evidence_names(session, workspace_id, page.rows)
    features = names.features
    if not page.rows:  # else they are loaded with the names of the evidence
        features = load_names(session, workspace_id, ProductFeature)
    rows = list_account_suggestions(session, workspace_id, account_id)
    return Reasons(
        [SignalOut.of(row, visit.language, names) for row in page.rows],
        [
            SuggestionOut.from_intervention(row, visit.language)
            for row in sorted(rows, key=lambda row: row.rank or 0)
        ],
        features,
    )


def load_rows(
    session: Session, workspace_id: str, state: ListState, now: datetime
) -> Iterator[Mapping[str, Any]]:
    """Yield all accounts of the list, for a file."""
    filter_, cursor = list_filter(session, workspace_id, state), None
    while True:
        paging = Paging(CSV_PAGE_SIZE, cursor)
        page = load_account_page(session, workspace_id, filter_, state.sort, paging, now=now)
        for item in page.items:
            yield item.model_dump(mode="json")
        cursor = page.next_cursor
        if cursor is None:
            return
