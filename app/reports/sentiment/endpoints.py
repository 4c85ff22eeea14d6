"""The route of disagreements between the sentiment of owners and the bands of scores."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.routes import DeclaredRoute
from app.core.schemas import problem_responses
from app.portfolio.endpoints import OwnerQuery
from app.reports.sentiment import service
from app.reports.sentiment.schemas import SentimentReport
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1/reports",
    tags=["reports"],
    responses=problem_responses(401, 403, 422),
    route_class=DeclaredRoute,
)

HorizonQuery = Annotated[
    int,
    Query(ge=7, le=730, description="Days after a statement in which the account stays or leaves."),
]
LimitQuery = Annotated[int, Query(ge=1, le=1000, description="The most disagreements to list.")]


@router.get(
    "/sentiment-disagreements", summary="Get where owners and scores disagree, and who was right"
)
def get_sentiment_disagreements(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    horizon_days: HorizonQuery = 90,
    owner: OwnerQuery = None,
    limit: LimitQuery = 100,
) -> SentimentReport:
    """List the accounts about which the owner and the score disagree now, most revenue first.

    `optimistic` and `pessimistic` count who was right in earlier disagreements of the workspace:
    whether the account had left at the end of the horizon. A renewal within the grace counts as
    staying, so a disagreement is counted once both are over.
    """
    return service.load_report(
        session, caller.workspace_id, horizon=horizon_days, owner=owner, limit=limit, now=now
    )
