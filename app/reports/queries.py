from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, TextClause, select
from sqlalchemy.orm import Session

from app.accounts.tables import ProductFeature
from app.core.sql import SqlFile, load_sql
from app.engagement.tables import OnboardingStep
from app.features.queries import CENTS_IN_BASE_CURRENCY, PLAN_FOR_MANY_ROWS
from app.reports.kpi import ReportQuery

SQL = load_sql(__file__)


def load_names(
    session: Session, workspace_id: str, table: type[ProductFeature] | type[OnboardingStep]
) -> dict[str, str]:
    """Return the names of product features or onboarding steps by key, in key order."""
    rows = select(table.key, table.name).where(table.workspace_id == workspace_id)
    return {row.key: row.name for row in session.execute(rows.order_by(table.key))}


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
    parameters = {
        "workspace_id": workspace_id,
        "since": query.since,
        "until": query.until,
        "known_on": query.known_on,
        "base_currency": query.currency,
        "grace_days": query.grace_days,
        "known_before": query.known_before,
    }
    return session.execute(_statement(sql, name), parameters | values).all()


@cache
def _statement(sql: SqlFile, name: str) -> TextClause:
    """Return a statement with the parts that all reports share filled in."""
    shared = {part: SQL.sections[part] for part in ("is_excluded", "has_no_rate", "terms")}
    return sql.compose(name, **shared, cents=CENTS_IN_BASE_CURRENCY)
