"""Backtests over HTTP."""

from fastapi import APIRouter

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.jobs import queries
from app.reports.backtests import service
from app.reports.backtests.schemas import BacktestIn, BacktestOut
from app.workspaces.auth import AccountActor, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    tags=["reports"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=IdempotentRoute,
)


@router.post(
    "/backtests",
    status_code=202,
    summary="Start a backtest",
    responses=problem_responses(400),
)
def create_backtest(body: BacktestIn, session: SessionDep, actor: AccountActor) -> BacktestOut:
    """Test one or two models, scorecards or alert rules on past days, in the background.

    Poll `GET /api/v1/backtests/{backtest_id}` for the results.
    """
    subjects = [service.BacktestSubject(each.kind, each.key) for each in body.subjects]
    job = service.enqueue_backtest(session, actor, subjects, since=body.since)
    return BacktestOut.from_job(job)


@router.get("/backtests", summary="List backtests")
def list_backtests(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[BacktestOut]:
    """List backtests, newest first. Finished ones are deleted after 30 days."""
    jobs = queries.list_jobs(session, caller.workspace_id, paging, kinds=[service.KIND])
    return jobs.to_page(BacktestOut.from_job)


@router.get("/backtests/{backtest_id}", summary="Get a backtest")
def get_backtest(backtest_id: Id, session: ReadSessionDep, caller: Reader) -> BacktestOut:
    """Return a backtest with the results that are complete so far."""
    job = queries.get_job(
        session, caller.workspace_id, backtest_id, kinds=[service.KIND], noun="backtest"
    )
    return BacktestOut.from_job(job)
