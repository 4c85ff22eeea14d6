"""What accounts ask for, and the revenue at risk by the quarter in which it renews."""

from sqlalchemy.orm import Session

from app.reports.churn_causes.schemas import (
    ArrAtRiskOut,
    FeedbackReport,
    FeedbackTopicOut,
    RenewalQuarter,
)
from app.reports.kpi import ReportQuery
from app.reports.kpis import feedback_statements as statements
from app.reports.queries import load_arr_at_risk_by_quarter, load_report_rows


def feedback_report(session: Session, asked: ReportQuery, *, limit: int) -> FeedbackReport:
    rows = load_report_rows(session, asked.workspace_id, statements.FEEDBACK, asked, limit=limit)
    return FeedbackReport(
        since=asked.since,
        until=asked.until,
        currency=asked.currency,
        topics=[FeedbackTopicOut.model_validate(row) for row in rows],
    )


def arr_at_risk_report(session: Session, asked: ReportQuery) -> ArrAtRiskOut:
    rows = load_arr_at_risk_by_quarter(session, asked.workspace_id, asked.until)
    at_risk = sum(row.arr_cents for row in rows)
    return ArrAtRiskOut(
        arr_at_risk=asked.kpi(
            "arr_at_risk",
            "12 x MRR of the accounts at risk / 12 x MRR of all that are scored",
            numerator=at_risk,
            denominator=sum(row.arr_of_all for row in rows) or None,
            n=sum(row.accounts for row in rows),
            currency=asked.currency,
        ),
        quarters=[RenewalQuarter.model_validate(row) for row in rows if row.accounts],
    )
