from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, case, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.alerts.tables import Alert
from app.churn.scoring.revenue import ASSUMED_PERCENT
from app.core.sql import load_sql
from app.health.tables import HealthScore
from app.interventions.tables import Intervention
from app.reports.kpi import ReportQuery
from app.reports.queries import load_later_changes, load_report_rows

SQL = load_sql(__file__)

SEVERITY_ORDER = case({"high": 0, "medium": 1}, value=Alert.severity, else_=2)


def load_measures(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[Row[Any]]:
    """Return the measures of the newest scores, and the digest of their score definition."""
    return session.execute(
        select(
            HealthScore.account_id,
            HealthScore.details["measures"].label("measures"),
            HealthScore.details["definition"].astext.label("definition"),
        ).where(HealthScore.workspace_id == workspace_id, HealthScore.account_id.in_(account_ids))
    ).all()


def load_open_alerts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Mapping[str, Row[*tuple[Any, ...]]]:
    """Return the most severe open alert of each account; of equally severe ones the oldest."""
    alerts = session.execute(
        select(Alert.account_id, Alert.id, Alert.rule_key, Alert.severity, Alert.opened_at)
        .ext(distinct_on(Alert.account_id))
        .where(
            Alert.workspace_id == workspace_id,
            Alert.account_id.in_(account_ids),
            Alert.resolved_at.is_(None),
        )
        .order_by(Alert.account_id, SEVERITY_ORDER, Alert.opened_at, Alert.id)
    )
    return {alert.account_id: alert for alert in alerts}


def load_suggestions(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Mapping[str, Row[*tuple[Any, ...]]]:
    """Return the first suggestion, by rank, of each account."""
    suggestions = session.execute(
        select(Intervention.account_id, Intervention.id, Intervention.playbook)
        .ext(distinct_on(Intervention.account_id))
        .where(
            Intervention.workspace_id == workspace_id,
            Intervention.account_id.in_(account_ids),
            Intervention.state == "suggested",
        )
        .order_by(Intervention.account_id, Intervention.rank, Intervention.id)
    )
    return {each.account_id: each for each in suggestions}


def load_arr_at_risk_by_quarter(
    session: Session, workspace_id: str, query: ReportQuery
) -> Sequence[Row[Any]]:
    """Return scored accounts, accounts at risk and their ARR by renewal quarter, as of a day."""
    return load_report_rows(
        session, workspace_id, SQL, "arr_at_risk", query, assumed_percent=ASSUMED_PERCENT
    )


def load_changes_of_scored(
    session: Session, workspace_id: str, query: ReportQuery
) -> Mapping[str, int]:
    """Return the later changes that may have changed the ARR at risk of a past day, by kind."""
    return load_later_changes(session, workspace_id, SQL, "scored_accounts", query)


def load_risks_of_months(
    session: Session, workspace_id: str, query: ReportQuery, *, months: Sequence[date]
) -> Sequence[Row[Any]]:
    """Return the probabilities known at the beginning of each month, by month and account."""
    return load_report_rows(session, workspace_id, SQL, "risks_of_months", query, months=months)


def load_changes_of_risks(
    session: Session, workspace_id: str, query: ReportQuery
) -> Mapping[str, int]:
    """Return the later changes that may have changed past risks or outcomes, by kind."""
    return load_later_changes(session, workspace_id, SQL, "accounts_with_risk", query)
