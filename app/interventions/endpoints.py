"""Suggestions and interventions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.accounts.queries import get_account
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.language import LanguageDep
from app.core.languages import Language
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.health.schemas import AccountId
from app.interventions import intervention_queries as queries
from app.interventions import intervention_service as service
from app.interventions import suggestion_queries
from app.interventions.schemas import (
    DismissalIn,
    InterventionIn,
    InterventionOut,
    InterventionPatch,
    SuggestionOut,
)
from app.interventions.states import InterventionAction, InterventionState
from app.workspaces.auth import AccountActor, AccountIdFilter, Reader
from app.workspaces.service import Actor

router = APIRouter(
    prefix="/api/v1", tags=["interventions"], responses=problem_responses(400, 401, 403, 404, 422)
)

InterventionId = Annotated[str, Path(max_length=255)]
OptionalId = Annotated[Id | None, Query()]


@router.get("/accounts/{account_id}/suggestions", tags=["suggestions"])
def list_account_suggestions(
    account_id: AccountId, session: ReadSessionDep, caller: Reader, language: LanguageDep
) -> Page[SuggestionOut]:
    """Say what to do about an account: three things at most, what is worth most first."""
    get_account(session, caller.workspace_id, account_id)
    rows = suggestion_queries.list_suggestions(
        session, caller.workspace_id, account_id=account_id, limit=10
    )
    ordered = sorted((row for row, _ in rows), key=lambda row: row.rank or 0)
    return Page(items=[SuggestionOut.of(row, language) for row in ordered], next_cursor=None)


@router.get("/suggestions", tags=["suggestions"])
def list_suggestions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    playbook: OptionalId = None,
    owner: Annotated[Id | None, Query(description="Who looks after the account.")] = None,
) -> Page[SuggestionOut]:
    """List what to do about all accounts, what is worth most first."""
    rows = suggestion_queries.list_suggestions(
        session,
        caller.workspace_id,
        playbook=playbook,
        owner=owner,
        after=paging.after((float, int), str),
        limit=paging.fetch_limit,
    )
    return paging.page(
        rows,
        lambda row: SuggestionOut.of(row[0], language),
        lambda row: (row[0].value_cents, row[0].id),
    )


@router.get("/interventions")
def list_interventions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    state: InterventionState | None = None,
    account_id: AccountIdFilter = None,
    assignee: OptionalId = None,
    playbook: OptionalId = None,
) -> Page[InterventionOut]:
    """List what is suggested, decided, being done and done, newest first."""
    found = queries.list_interventions(
        session,
        caller.workspace_id,
        paging,
        state=state,
        account_id=account_id,
        assignee=assignee,
        playbook=playbook,
    )
    return found.to_page(lambda row: InterventionOut.of(row, language))


@router.post("/interventions", status_code=201, responses=problem_responses(409))
def create_intervention(
    body: InterventionIn, session: SessionDep, change: AccountActor
) -> InterventionOut:
    """Take something on for an account, suggested or not."""
    said = body.model_dump(exclude={"account_id", "playbook"}, exclude_unset=True)
    row = service.create(session, change, body.account_id, body.playbook, said)
    return InterventionOut.of(row, Language.EN)


@router.get("/interventions/{intervention_id}")
def get_intervention(
    intervention_id: InterventionId, session: ReadSessionDep, caller: Reader, language: LanguageDep
) -> InterventionOut:
    """Show an intervention."""
    row = queries.get_intervention(session, caller.workspace_id, intervention_id)
    return InterventionOut.of(row, language)


@router.patch("/interventions/{intervention_id}")
def patch_intervention(
    intervention_id: InterventionId,
    body: InterventionPatch,
    session: SessionDep,
    change: AccountActor,
) -> InterventionOut:
    """Change who does it, until when, or the notes."""
    row = service.update_plan(session, change, intervention_id, body.model_dump(exclude_unset=True))
    return InterventionOut.of(row, Language.EN)


def _act(
    session: SessionDep,
    change: Actor,
    key: str,
    what: InterventionAction,
    body: InterventionPatch | DismissalIn | None = None,
) -> InterventionOut:
    said = body.model_dump(exclude_unset=True) if body else {}
    return InterventionOut.of(service.apply_action(session, change, key, what, said), Language.EN)


@router.post("/interventions/{intervention_id}/accept", responses=problem_responses(409))
def accept_intervention(
    intervention_id: InterventionId,
    session: SessionDep,
    change: AccountActor,
    body: InterventionPatch | None = None,
) -> InterventionOut:
    """Take a suggestion on."""
    return _act(session, change, intervention_id, InterventionAction.ACCEPT, body)


@router.post("/interventions/{intervention_id}/dismiss", responses=problem_responses(409))
def dismiss_intervention(
    intervention_id: InterventionId, body: DismissalIn, session: SessionDep, change: AccountActor
) -> InterventionOut:
    """Put it aside, with the reason. It is not suggested again for 30 days."""
    return _act(session, change, intervention_id, InterventionAction.DISMISS, body)


@router.post("/interventions/{intervention_id}/start", responses=problem_responses(409))
def start_intervention(
    intervention_id: InterventionId, session: SessionDep, change: AccountActor
) -> InterventionOut:
    """Say that it is being done."""
    return _act(session, change, intervention_id, InterventionAction.START)


@router.post("/interventions/{intervention_id}/complete", responses=problem_responses(409))
def complete_intervention(
    intervention_id: InterventionId,
    session: SessionDep,
    change: AccountActor,
    body: InterventionPatch | None = None,
) -> InterventionOut:
    """Say that it is done. Its outcome is looked at after 30 and 90 days."""
    return _act(session, change, intervention_id, InterventionAction.COMPLETE, body)
