"""Routes of the health envelope: the health of an account together with its churn risk."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts import queries as accounts
from app.accounts.refresh_queue import mark_due
from app.churn.scoring import service as churn
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.language import LanguageDep
from app.core.languages import Language
from app.core.pagination import Page, PagingDep
from app.core.schemas import IdFilter, ResponseModel
from app.health.schemas import AccountId, ParkedAccountOut
from app.health.scoring import queries, service
from app.portfolio.envelope import AccountHealthOut, build_envelope, read_envelope
from app.portfolio.envelope_queries import load_envelopes
from app.workspaces.auth import AccountWriter, Reader
from app.workspaces.idempotency import IdempotentRoute

MAX_ACCOUNT_IDS = 500

router = APIRouter(prefix="/api/v1", tags=["health"], route_class=IdempotentRoute)


class HealthScoresOut(ResponseModel):
    """The health of several accounts. Unknown ids have no item and are listed in `unknown`."""

    items: list[AccountHealthOut]
    renamed: dict[str, str] = Field(
        description="The current id of each requested id that was renamed or merged.",
        examples=[{"acme-ltd": "acme"}],
    )
    unknown: list[str] = Field(examples=[["nobody"]])


def _envelope(
    session: Session, workspace_id: str, account_id: str, language: Language
) -> AccountHealthOut:
    return read_envelope(session, workspace_id, account_id, language)[1]


@router.get(
    "/accounts/{account_id}/health",
    summary="Get the health of an account",
    response_model=AccountHealthOut,
)
def get_account_health(
    session: ReadSessionDep, caller: Reader, language: LanguageDep, account_id: AccountId
) -> Response:
    """Return the health score, churn risk and, for a parent, the rollup of an account."""
    envelope = _envelope(session, caller.workspace_id, account_id, language)
    return Response(envelope.model_dump_json(), media_type="application/json")


@router.post("/accounts/{account_id}/health/refresh", summary="Refresh the health of an account")
def refresh_account_health(
    *,
    session: SessionDep,
    caller: AccountWriter,
    now: Now,
    language: LanguageDep,
    account_id: AccountId,
) -> AccountHealthOut:
    """Compute the score and the churn risk (as of yesterday) now.

    The worker does the same within seconds of a change. Alerts and suggestions follow after the
    request.
    """
    queries.get_account_health(session, caller.workspace_id, account_id)
    for each in (service, churn):
        each.refresh(session, caller.workspace_id, [account_id], as_of=now.date(), now=now)
    mark_due(session, caller.workspace_id, [account_id])  # for signals, alerts and suggestions
    return _envelope(session, caller.workspace_id, account_id, language)


@router.get("/health-scores", summary="List the health of several accounts")
def list_health_scores(
    session: ReadSessionDep,
    caller: Reader,
    language: LanguageDep,
    account_id: Annotated[
        list[IdFilter],
        Query(min_length=1, max_length=MAX_ACCOUNT_IDS, description="Repeat it for each account."),
    ],
) -> HealthScoresOut:
    """Return the health of up to 500 accounts: repeat `account_id` for each."""
    renamed = aliases.current_ids(session, caller.workspace_id, account_id)
    current_ids = {renamed.get(key, key) for key in account_id}
    rows = load_envelopes(session, caller.workspace_id, current_ids)
    items = [build_envelope(row, language) for row in rows]
    known = {item.account_id for item in items}
    unknown = sorted({key for key in account_id if renamed.get(key, key) not in known})
    return HealthScoresOut(items=items, renamed=renamed, unknown=unknown)


@router.get("/parked-accounts", summary="List parked accounts")
def list_parked_accounts(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ParkedAccountOut]:
    """List accounts that are not scored because their refresh failed three times, with reasons.

    They are tried again when new data arrives, and at the latest with the daily sweep.
    """
    rows = accounts.list_parked(session, caller.workspace_id, paging)
    return rows.to_page(ParkedAccountOut.from_parked)
