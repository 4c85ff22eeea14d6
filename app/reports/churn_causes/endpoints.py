from typing import Annotated

from fastapi import APIRouter, Query

from app.core.db import SessionDep
from app.core.schemas import problem_responses
from app.reports.churn_causes import service
from app.reports.churn_causes.schemas import ArrAtRiskOut, ChurnCausesOut, FeedbackReport
from app.reports.kpis import feedback_service
from app.reports.kpis.endpoints import ReportQueryDep

router = APIRouter(
    prefix="/api/v1/reports", tags=["reports"], responses=problem_responses(401, 403, 422)
)


@router.get("/churn-causes")
def get_churn_causes(session: SessionDep, asked: ReportQueryDep) -> ChurnCausesOut:
    """When accounts leave, what goes with it, and the reasons that they gave.

    All findings are associations: they say where to look, not what would have kept an account.
    """
    return service.churn_causes(session, asked)


@router.get("/feedback")
def get_feedback(
    session: SessionDep, asked: ReportQueryDep, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> FeedbackReport:
    """Complaints and requests by topic: the revenue behind them, and how they were answered."""
    return feedback_service.feedback_report(session, asked, limit=limit)


@router.get("/arr-at-risk")
def get_arr_at_risk(session: SessionDep, asked: ReportQueryDep) -> ArrAtRiskOut:
    """Show the yearly revenue of accounts at risk by the quarter in which they renew."""
    return feedback_service.arr_at_risk_report(session, asked)
