"""The route of the accounts whose score moved the most."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.schemas import problem_responses
from app.portfolio.endpoints import OwnerQuery
from app.reports.movers import service
from app.reports.movers.schemas import MoversOut
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1/reports",
    tags=["reports"],
    responses=problem_responses(401, 403, 422),
    route_class=DeclaredRoute,
)

DaysQuery = Annotated[
    Literal["7", "28", "90"], Query(description="Over how many days the scores are compared.")
]
LimitQuery = Annotated[int, Query(ge=1, le=50, description="The most accounts up, and down.")]


@router.get("/movers", summary="Get the accounts whose score moved the most")
def get_movers(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    language: LanguageDep,
    days: DaysQuery = "7",
    owner: OwnerQuery = None,
    limit: LimitQuery = 10,
) -> MoversOut:
    """Return the accounts that rose or fell the most, by at least a point, with the main reason.

    The reason is the effect with the most points in the explanation of the change.
    """
    return service.load_movers(
        session,
        caller.workspace_id,
        days=int(days),
        owner=owner,
        limit=limit,
        now=now,
        language=language,
    )
