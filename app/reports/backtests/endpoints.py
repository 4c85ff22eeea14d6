"""Trying models, scorecards and rules on the past."""

from fastapi import APIRouter

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.jobs import queries
from app.reports.backtests import service
from app.reports.backtests.schemas import BacktestIn, BacktestOut
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(prefix="/api/v1", tags=["reports"])


@router.post("/backtests", status_code=202, responses=problem_responses(400, 401, 403, 404, 422))
def create_backtest(body: BacktestIn, session: SessionDep, change: AccountActor) -> BacktestOut:
    """Have a model, a scorecard or an alert rule tried over days that are over, or two of them."""
    subjects = [service.BacktestSubject(each.kind, each.key) for each in body.subjects]
    return BacktestOut.of(service.enqueue_backtest(session, change, subjects, since=body.since))


@router.get("/backtests", responses=problem_responses(401, 403, 404, 422))
def list_backtests(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[BacktestOut]:
    """List backtests, newest first; those that have ended are kept for 30 days."""
    found = queries.list_jobs(session, caller.workspace_id, paging, kinds=[service.KIND])
    return found.to_page(BacktestOut.of)


@router.get("/backtests/{backtest_id}", responses=problem_responses(401, 403, 404, 422))
def get_backtest(backtest_id: Id, session: ReadSessionDep, caller: Reader) -> BacktestOut:
    """Show one, and what has come of it so far."""
    job = queries.get_job(
        session, caller.workspace_id, backtest_id, kinds=[service.KIND], called="backtest"
    )
    return BacktestOut.of(job)
