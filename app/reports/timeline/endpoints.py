"""The route of the timeline of an account."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.health.schemas import AccountId
from app.reports.timeline import service
from app.reports.timeline.kinds import EntryKind
from app.reports.timeline.schemas import TimelineEntry
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["collaboration"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)

KindsQuery = Annotated[
    list[EntryKind],
    Query(description="Only entries of this kind. Repeat it for several.", max_length=50),
]


@router.get("/accounts/{account_id}/timeline", summary="Get the timeline of an account")
def get_timeline(
    account_id: AccountId,
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    kind: KindsQuery = [],  # noqa: B006 - FastAPI copies it
) -> Page[TimelineEntry]:
    """Return what happened to an account and what people did, newest first.

    It merges alerts, interventions, changes of the contract, versions of the scorecard, tickets,
    answers, feedback, goals, incidents, onboarding, use, people and signals with notes, tasks and
    the owner's sentiment. Each entry has one sentence.
    """
    return service.load_page(
        session,
        caller.workspace_id,
        account_id,
        kinds=kind,
        paging=paging,
        now=now,
        language=language,
    )
