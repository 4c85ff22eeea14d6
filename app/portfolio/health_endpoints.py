"""The whole answer about an account: its health, and its churn risk as an object of its own."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.queries import mark_due
from app.churn.scoring import service as churn
from app.churn.scoring.risk_queries import load_risks
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.schemas import problem_responses
from app.health.rollups.schemas import RollupOut
from app.health.rollups.service import roll_up_account
from app.health.schemas import AccountId, HealthOut
from app.health.scoring import queries, service
from app.portfolio.schemas import ChurnRiskSummary
from app.workspaces.auth import AccountWriter, Reader

MAX_ACCOUNT_IDS = 500

router = APIRouter(prefix="/api/v1", tags=["health"])


class AccountHealthOut(HealthOut):
    """How much value an account gets for what it pays, and how likely it is to leave."""

    churn_risk: ChurnRiskSummary = ChurnRiskSummary()


class HealthScoresOut(BaseModel):
    """Scores of several accounts; ids that name no account are left out and listed."""

    items: list[AccountHealthOut]
    renamed: dict[str, str] = Field(
        description="Of old ids that were asked for: the account's id of today.",
        examples=[{"acme-ltd": "acme"}],
    )
    unknown: list[str] = Field(examples=[["nobody"]])


def _envelopes(session: Session, workspace_id: str, found: Sequence[Any]) -> list[AccountHealthOut]:
    judged = load_risks(session, workspace_id, [row.account_id for row in found])
    answers = [AccountHealthOut.of(row) for row in found]
    for answer in answers:
        if answer.account_id in judged:
            answer.churn_risk = ChurnRiskSummary.model_validate(judged[answer.account_id])
    return answers


def _envelope(session: Session, workspace_id: str, account_id: str) -> AccountHealthOut:
    found = queries.get_account_health(session, workspace_id, account_id)
    [answer] = _envelopes(session, workspace_id, [found])
    if found.has_children:
        family = roll_up_account(session, workspace_id, account_id)
        answer.rollup = RollupOut.model_validate(family)
    return answer


@router.get(
    "/accounts/{account_id}/health",
    response_model=AccountHealthOut,
    responses=problem_responses(401, 403, 404, 422),
)
def get_account_health(session: ReadSessionDep, caller: Reader, account_id: AccountId) -> Response:
    """Say how much value an account gets for what it pays, fresh to the second."""
    answer = _envelope(session, caller.workspace_id, account_id)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/accounts/{account_id}/health/refresh", responses=problem_responses(401, 403, 404, 422)
)
def refresh_account_health(
    session: SessionDep, caller: AccountWriter, now: Now, account_id: AccountId
) -> AccountHealthOut:
    """Compute the score at once, instead of seconds later, and the churn risk as of yesterday."""
    queries.get_account_health(session, caller.workspace_id, account_id)
    for each in (service, churn):
        each.refresh(session, caller.workspace_id, [account_id], as_of=now.date(), now=now)
    mark_due(session, caller.workspace_id, [account_id])  # for what follows of the score
    return _envelope(session, caller.workspace_id, account_id)


@router.get("/health-scores", responses=problem_responses(401, 403, 422))
def list_health_scores(
    session: ReadSessionDep,
    caller: Reader,
    account_id: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]],
        Query(min_length=1, max_length=MAX_ACCOUNT_IDS),
    ],
) -> HealthScoresOut:
    """Read the scores of many accounts at once: repeat `account_id` up to 500 times."""
    renamed = aliases.current_ids(session, caller.workspace_id, account_id)
    asked = {renamed.get(key, key) for key in account_id}
    found = queries.list_account_health(session, caller.workspace_id, asked)
    items = _envelopes(session, caller.workspace_id, found)
    known = {item.account_id for item in items}
    unknown = sorted({key for key in account_id if renamed.get(key, key) not in known})
    return HealthScoresOut(items=items, renamed=renamed, unknown=unknown)
