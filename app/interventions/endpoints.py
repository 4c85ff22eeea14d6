"""Suggestions and interventions over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query

from app.accounts.queries import get_account
from app.core.db import ReadSessionDep, SessionDep
from app.core.languages import Language, preferred
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, responses
from app.health.schemas import AccountId
from app.interventions import intervention_queries as queries
from app.interventions import intervention_service as service
from app.interventions import suggestion_queries
from app.interventions.schemas import (
    Dismissal,
    InterventionIn,
    InterventionOut,
    SuggestionOut,
    Work,
)
from app.interventions.states import Act, State
from app.workspaces.auth import AccountChange, Reader
from app.workspaces.service import Change

router = APIRouter(
    prefix="/api/v1", tags=["interventions"], responses=responses(400, 401, 403, 404, 422)
)

InterventionId = Annotated[str, Path(max_length=255)]
Lang = Annotated[Language | None, Query(description="Else by `Accept-Language`.")]
Accept = Annotated[str, Header(max_length=1000)]
Asked = Annotated[Id | None, Query()]


@router.get("/accounts/{account_id}/suggestions", tags=["suggestions"])
def list_account_suggestions(
    account_id: AccountId,
    session: ReadSessionDep,
    caller: Reader,
    lang: Lang = None,
    accept_language: Accept = "",
) -> Page[SuggestionOut]:
    """Say what to do about an account: three things at most, what is worth most first."""
    get_account(session, caller.workspace_id, account_id)
    rows = suggestion_queries.suggestions(
        session, caller.workspace_id, account_id=account_id, limit=10
    )
    language = lang or preferred(accept_language)
    ordered = sorted((row for row, _ in rows), key=lambda row: row.rank or 0)
    return Page(items=[SuggestionOut.of(row, language) for row in ordered], next_cursor=None)


@router.get("/suggestions", tags=["suggestions"])
def list_suggestions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    playbook: Asked = None,
    owner: Annotated[Id | None, Query(description="Who looks after the account.")] = None,
    lang: Lang = None,
    accept_language: Accept = "",
) -> Page[SuggestionOut]:
    """List what to do about all accounts, what is worth most first."""
    rows = suggestion_queries.suggestions(
        session,
        caller.workspace_id,
        playbook=playbook,
        owner=owner,
        after=paging.after((float, int), str),
        limit=paging.fetch,
    )
    items, following = paging.cut(rows, lambda row: (row[0].value_cents, row[0].id))
    language = lang or preferred(accept_language)
    return Page(items=[SuggestionOut.of(row, language) for row, _ in items], next_cursor=following)


@router.get("/interventions")
def list_interventions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    state: State | None = None,
    account_id: Asked = None,
    assignee: Asked = None,
    playbook: Asked = None,
    lang: Lang = None,
    accept_language: Accept = "",
) -> Page[InterventionOut]:
    """List what is suggested, decided, being done and done, newest first."""
    rows = queries.interventions(
        session,
        caller.workspace_id,
        state=state,
        account_id=account_id,
        assignee=assignee,
        playbook=playbook,
        after=paging.after(datetime, str),
        limit=paging.fetch,
    )
    items, following = paging.cut(rows, lambda row: (row.created_at, row.id))
    language = lang or preferred(accept_language)
    return Page(items=[InterventionOut.of(row, language) for row in items], next_cursor=following)


@router.post("/interventions", status_code=201, responses=responses(409))
def begin_intervention(
    body: InterventionIn, session: SessionDep, change: AccountChange
) -> InterventionOut:
    """Take something on for an account, suggested or not."""
    said = body.model_dump(exclude={"account_id", "playbook"}, exclude_unset=True)
    row = service.begin(session, change, body.account_id, body.playbook, said)
    return InterventionOut.of(row, Language.EN)


@router.get("/interventions/{intervention_id}")
def get_intervention(
    intervention_id: InterventionId,
    session: ReadSessionDep,
    caller: Reader,
    lang: Lang = None,
    accept_language: Accept = "",
) -> InterventionOut:
    """Show an intervention."""
    row = queries.get(session, caller.workspace_id, intervention_id)
    return InterventionOut.of(row, lang or preferred(accept_language))


@router.patch("/interventions/{intervention_id}")
def change_intervention(
    intervention_id: InterventionId,
    body: Work,
    session: SessionDep,
    change: AccountChange,
) -> InterventionOut:
    """Change who does it, until when, or the notes."""
    said = body.model_dump(exclude_unset=True)
    row = service.replan(session, change, intervention_id, said)
    return InterventionOut.of(row, Language.EN)


def _act(
    session: SessionDep, change: Change, key: str, what: Act, said: dict[str, Any]
) -> InterventionOut:
    return InterventionOut.of(service.act(session, change, key, what, said), Language.EN)


@router.post("/interventions/{intervention_id}/accept", responses=responses(409))
def accept(
    intervention_id: InterventionId,
    body: Work,
    session: SessionDep,
    change: AccountChange,
) -> InterventionOut:
    """Take a suggestion on."""
    said = body.model_dump(exclude_unset=True)
    return _act(session, change, intervention_id, Act.ACCEPT, said)


@router.post("/interventions/{intervention_id}/dismiss", responses=responses(409))
def dismiss(
    intervention_id: InterventionId,
    body: Dismissal,
    session: SessionDep,
    change: AccountChange,
) -> InterventionOut:
    """Put it aside, with the reason. It is not suggested again for 30 days."""
    return _act(session, change, intervention_id, Act.DISMISS, {"reason": body.reason})


@router.post("/interventions/{intervention_id}/start", responses=responses(409))
def start(
    intervention_id: InterventionId, session: SessionDep, change: AccountChange
) -> InterventionOut:
    """Say that it is being done."""
    return _act(session, change, intervention_id, Act.START, {})


@router.post("/interventions/{intervention_id}/complete", responses=responses(409))
def complete(
    intervention_id: InterventionId,
    body: Work,
    session: SessionDep,
    change: AccountChange,
) -> InterventionOut:
    """Say that it is done. Its outcome is looked at after 30 and 90 days."""
    said = body.model_dump(exclude_unset=True)
    return _act(session, change, intervention_id, Act.COMPLETE, said)
