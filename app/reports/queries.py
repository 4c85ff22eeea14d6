from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, TextClause, select
from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.accounts.renewals import grace_days, renewals
from app.core.sql import SqlFile, load_sql
from app.features.queries import CENTS_IN_BASE_CURRENCY, PLAN_FOR_MANY_ROWS
from app.reports.kpi import ReportQuery

SQL = load_sql(__file__)


def list_product_events(session: Session, workspace_id: str) -> list[str]:
    """List the event names of all configured product features."""
    rows = select(ProductFeature.event_names).where(ProductFeature.workspace_id == workspace_id)
    return sorted({name for names in session.scalars(rows) for name in names})


def load_report_rows(
    session: Session,
    workspace_id: str,
    sql: SqlFile,
    name: str,
    query: ReportQuery,
    **values: object,
) -> Sequence[Row[Any]]:
    """Execute the statement of a report, a section of its SQL file, over all accounts.

    Its parameters are the period and currency of the query, and ``values``.
    """
    session.execute(PLAN_FOR_MANY_ROWS)
    values = _parameters(session, workspace_id, query) | values
    return session.execute(_statement(sql, name), values).all()


def load_later_changes(
    session: Session,
    workspace_id: str,
    sql: SqlFile,
    counted: str,
    query: ReportQuery,
    *,
    apart: bool = False,
    of_fields: bool = False,
    **values: object,
) -> Mapping[str, int]:
    """Return how many later changes may have changed the figures of a past day, by kind.

    ``counted``: the section with the accounts and people that the report counts. ``apart``: whether
    its rows know to which account they belonged before a merge. ``of_fields``: whether the report
    depends on the segments or the starts of accounts.
    """
    values = (
        _parameters(session, workspace_id, query)
        | {"apart": apart, "of_fields": of_fields}
        | values
    )
    changes = session.execute(_later_changes(sql, counted), values).one()._asdict()
    return {kind: number for kind, number in changes.items() if number}


def _parameters(session: Session, workspace_id: str, query: ReportQuery) -> dict[str, object]:
    return {
        "workspace_id": workspace_id,
        "since": query.since,
        "until": query.until,
        "known_on": query.known_on,
        "base_currency": query.currency,
        "grace_days": grace_days(session),
        "known_before": query.known_before,
    }


@cache
def _statement(sql: SqlFile, name: str) -> TextClause:
    return sql.compose(name, **_shared_parts())


@cache
def _later_changes(sql: SqlFile, counted: str) -> TextClause:
    shared = _shared_parts()
    return SQL.compose("later_changes", **shared, counted=sql.fill(counted, **shared))


def _shared_parts() -> Mapping[str, str]:
    """Return the parts of statements that all reports share."""
    names = (
        "is_excluded",
        "has_no_rate",
        "account_then",
        "account_columns",
        "is_of_first_day",
        "payments",
        "terms",
    )
    shared = {part: SQL.sections[part] for part in names}
    shared["renewals"] = renewals(later="later_period")
    account = SQL.fill("account_at", row="s")
    return {**shared, "cents": CENTS_IN_BASE_CURRENCY, "account_at_subscription": account}
