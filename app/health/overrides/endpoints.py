"""Overruling a score, and seeing where people and machine disagree."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.health.overrides import queries as override_queries
from app.health.overrides import service
from app.health.schemas import AccountId
from app.health.scoring import queries
from app.health.versions.schemas import DisagreementOut, OverrideIn, OverrideOut
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["health"], responses=problem_responses(400, 401, 403, 404, 422)
)


@router.put("/accounts/{account_id}/health/override", responses=problem_responses(409))
def put_override(
    account_id: AccountId, body: OverrideIn, session: SessionDep, change: AccountActor
) -> OverrideOut:
    """Let a person's value stand for the score until it expires. The machine's stays beside it."""
    queries.get_account_health(session, change.workspace_id, account_id)
    row = service.put_override(
        session,
        change,
        account_id,
        value=body.value,
        reason=body.reason,
        author=body.author or change.actor,
        expires_at=body.expires_at,
    )
    return OverrideOut.model_validate(row)


@router.delete("/accounts/{account_id}/health/override", status_code=204)
def end_override(account_id: AccountId, session: SessionDep, change: AccountActor) -> None:
    """Let the machine's score stand again."""
    service.end_override(session, change, account_id)


@router.get("/health-overrides")
def list_overrides(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    running: Annotated[bool, Query(description="Only those that hold.")] = True,
) -> Page[DisagreementOut]:
    """List overrides beside what the machine says now: where the two differ most first."""
    found = override_queries.list_overrides(
        session, caller.workspace_id, paging, running=running, now=now
    )
    return found.to_page(lambda row: DisagreementOut.of(*row[:4]))
