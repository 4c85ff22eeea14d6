"""Complaints and requests by topic, with the revenue of the accounts behind them."""

from sqlalchemy.orm import Session

from app.reports.kpi import ReportQuery
from app.reports.kpis import feedback_statements as statements
from app.reports.kpis.schemas import FeedbackReport, FeedbackTopicOut
from app.reports.queries import load_report_rows


def feedback_report(session: Session, query: ReportQuery, *, limit: int) -> FeedbackReport:
    rows = load_report_rows(session, query.workspace_id, statements.FEEDBACK, query, limit=limit)
    return FeedbackReport(
        since=query.since,
        until=query.until,
        currency=query.currency,
        topics=[FeedbackTopicOut.model_validate(row) for row in rows],
    )
