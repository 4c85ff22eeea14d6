"""Routes of the owner's sentiment."""

from fastapi import APIRouter

from app.accounts.queries import get_account
from app.collaboration import queries, sentiment_service
from app.collaboration.agreement import compare
from app.collaboration.schemas import CurrentSentimentOut, MachineOut, SentimentIn, SentimentOut
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.query_helpers import find_row
from app.core.schemas import problem_responses
from app.health.definition.scorecard import Band
from app.health.schemas import AccountId
from app.health.tables import HealthScore
from app.workspaces.auth import AccountActor, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    tags=["collaboration"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)


@router.post(
    "/accounts/{account_id}/sentiment", status_code=201, summary="State the owner's sentiment"
)
def state_sentiment(
    account_id: AccountId, body: SentimentIn, session: SessionDep, actor: AccountActor
) -> SentimentOut:
    """State how the owner feels about an account, and why. Earlier statements stay.

    It is part of no score: it stands beside the score, and disagreements are listed.
    """
    row = sentiment_service.state_sentiment(
        session, actor, account_id, value=body.value, reason=body.reason, author=body.author
    )
    return SentimentOut.model_validate(row)


@router.get("/accounts/{account_id}/sentiment", summary="Get the owner's sentiment")
def get_sentiment(
    account_id: AccountId, session: ReadSessionDep, caller: Reader, now: Now
) -> CurrentSentimentOut:
    """Return the newest sentiment about an account, its age, and the score beside it."""
    row = sentiment_service.get_sentiment(session, caller.workspace_id, account_id)
    score = find_row(session, HealthScore, (caller.workspace_id, account_id))
    band = Band(score.band) if score else Band.UNKNOWN
    return CurrentSentimentOut.from_row(
        row,
        age_days=(now - row.at).days,
        machine=MachineOut(score=score.score if score else None, band=band),
        agreement=compare(row.value, band),
    )


@router.get(
    "/accounts/{account_id}/sentiment/versions", summary="List what the owner felt over time"
)
def list_sentiments(
    account_id: AccountId, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[SentimentOut]:
    """List all statements about an account, newest first."""
    get_account(session, caller.workspace_id, account_id)
    page = queries.list_sentiments(session, caller.workspace_id, account_id, paging)
    return page.to_page(SentimentOut.model_validate)
