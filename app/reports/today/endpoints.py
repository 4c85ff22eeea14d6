"""The route of the accounts that need something now."""

from fastapi import APIRouter

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.portfolio.endpoints import OwnerQuery
from app.reports.today import service
from app.reports.today.schemas import TodayAccount
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["reports"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)


@router.get("/today", summary="List the accounts that need something now")
def list_today(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    owner: OwnerQuery = None,
) -> Page[TodayAccount]:
    """List accounts that need something, the most revenue at risk first.

    These have an open alert that nobody has acknowledged or snoozed, a breach that waits for its
    hold time, a suggestion, or a task that is due. Each has one sentence why, and the next step.
    With `owner` the list has the accounts of this person, and those on which a task of this person
    is due. An empty list is a quiet day.
    """
    return service.load_page(
        session, caller.workspace_id, owner=owner, paging=paging, now=now, language=language
    )
