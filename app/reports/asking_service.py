"""What accounts ask for, and the revenue at risk by the quarter in which it renews."""

from sqlalchemy.orm import Session

from app.reports import asking_statements as statements
from app.reports.asked import Asked
from app.reports.cause_schemas import ArrAtRiskOut, FeedbackReport, RenewalQuarter, TopicOut
from app.reports.queries import arr_at_risk_by_quarter, figures


def feedback(session: Session, asked: Asked, *, limit: int) -> FeedbackReport:
    rows = figures(session, asked.workspace_id, statements.FEEDBACK, asked, limit=limit)
    return FeedbackReport(
        since=asked.since,
        until=asked.until,
        currency=asked.currency,
        topics=[TopicOut.model_validate(row) for row in rows],
    )


def arr_at_risk(session: Session, asked: Asked) -> ArrAtRiskOut:
    rows = arr_at_risk_by_quarter(session, asked.workspace_id, asked.until)
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
