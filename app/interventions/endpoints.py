"""Routes of suggestions and interventions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.accounts.queries import get_account
from app.changes.sort_change_queries import stable_position
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.language import LanguageDep
from app.core.languages import Language
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.health.schemas import AccountId
from app.interventions import intervention_service as service
from app.interventions import queries
from app.interventions.schemas import (
    DismissalIn,
    InterventionIn,
    InterventionOut,
    InterventionPatch,
    SuggestionOut,
)
from app.interventions.states import InterventionAction, InterventionState
from app.workspaces.auth import AccountActor, AccountIdFilter, Reader
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.service import Actor

router = APIRouter(
    prefix="/api/v1",
    tags=["interventions"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)

InterventionId = Annotated[str, Path(max_length=255)]
PlaybookFilter = Annotated[Id | None, Query(description="The key of a playbook.")]


@router.get(
    "/accounts/{account_id}/suggestions",
    tags=["suggestions"],
    summary="List an account's suggestions",
)
def list_account_suggestions(
    account_id: AccountId,
    session: ReadSessionDep,
    caller: Reader,
    language: LanguageDep,
) -> Page[SuggestionOut]:
    """List what to do about an account: at most three suggestions, the most valuable first."""
    get_account(session, caller.workspace_id, account_id)
    rows = queries.list_account_suggestions(session, caller.workspace_id, account_id)
    ordered = sorted(rows, key=lambda row: row.rank or 0)
    items = [SuggestionOut.from_intervention(row, language) for row in ordered]
    return Page(items=items, next_cursor=None)


@router.get("/suggestions", tags=["suggestions"], summary="List suggestions")
def list_suggestions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    playbook: PlaybookFilter = None,
    owner: Annotated[
        Id | None, Query(description="The person responsible for the account.")
    ] = None,
) -> Page[SuggestionOut]:
    """List the suggestions of all accounts, the most valuable first."""
    position = stable_position(session, caller.workspace_id, paging, *((float, int), str), now=now)
    rows = queries.list_suggestions(
        session,
        caller.workspace_id,
        playbook=playbook,
        owner=owner,
        position=position,
        limit=paging.fetch_limit,
    )
    return paging.page(
        rows,
        lambda row: SuggestionOut.from_intervention(row[0], language),
        lambda row: (*row[1:], *position.snapshot.cursor_parts()),
    )


@router.get("/interventions", summary="List interventions")
def list_interventions(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    state: InterventionState | None = None,
    account_id: AccountIdFilter = None,
    assignee: Annotated[
        Id | None, Query(description="The person responsible for the intervention.")
    ] = None,
    playbook: PlaybookFilter = None,
) -> Page[InterventionOut]:
    """List interventions of all states, newest first. Lapsed ones are listed only on request."""
    page = queries.list_interventions(
        session,
        caller.workspace_id,
        paging,
        state=state,
        account_id=account_id,
        assignee=assignee,
        playbook=playbook,
    )
    return page.to_page(lambda row: InterventionOut.from_intervention(row, language))


@router.post(
    "/interventions",
    status_code=201,
    responses=problem_responses(409),
    summary="Begin an intervention",
)
def create_intervention(
    body: InterventionIn, session: SessionDep, actor: AccountActor
) -> InterventionOut:
    """Accept the suggestion of a playbook for an account, or begin the playbook without one.

    A playbook that is already open for the account is rejected with 409.
    """
    values = body.model_dump(exclude={"account_id", "playbook"}, exclude_unset=True)
    row = service.create(session, actor, body.account_id, body.playbook, values)
    return InterventionOut.from_intervention(row, Language.EN)


@router.get("/interventions/{intervention_id}", summary="Get an intervention")
def get_intervention(
    intervention_id: InterventionId, session: ReadSessionDep, caller: Reader, language: LanguageDep
) -> InterventionOut:
    """Return an intervention of any state."""
    row = queries.get_intervention(session, caller.workspace_id, intervention_id)
    return InterventionOut.from_intervention(row, language)


@router.patch("/interventions/{intervention_id}", summary="Update an intervention")
def patch_intervention(
    intervention_id: InterventionId,
    body: InterventionPatch,
    session: SessionDep,
    actor: AccountActor,
) -> InterventionOut:
    """Change assignee, due day or notes. Null removes a value."""
    row = service.update_plan(session, actor, intervention_id, body.model_dump(exclude_unset=True))
    return InterventionOut.from_intervention(row, Language.EN)


def _apply(
    session: SessionDep,
    actor: Actor,
    intervention_id: str,
    action: InterventionAction,
    body: InterventionPatch | DismissalIn | None = None,
) -> InterventionOut:
    values = body.model_dump(exclude_unset=True) if body else {}
    row = service.apply_action(session, actor, intervention_id, action, values)
    return InterventionOut.from_intervention(row, Language.EN)


@router.post(
    "/interventions/{intervention_id}/accept",
    responses=problem_responses(409),
    summary="Accept a suggestion",
)
def accept_intervention(
    intervention_id: InterventionId,
    session: SessionDep,
    actor: AccountActor,
    body: InterventionPatch | None = None,
) -> InterventionOut:
    """Accept a suggestion. Repeating it changes nothing; other values are rejected with 409."""
    return _apply(session, actor, intervention_id, InterventionAction.ACCEPT, body)


@router.post(
    "/interventions/{intervention_id}/dismiss",
    responses=problem_responses(409),
    summary="Dismiss a suggestion",
)
def dismiss_intervention(
    intervention_id: InterventionId, body: DismissalIn, session: SessionDep, actor: AccountActor
) -> InterventionOut:
    """Dismiss a suggestion with a reason. It is not suggested again for 30 days."""
    return _apply(session, actor, intervention_id, InterventionAction.DISMISS, body)


@router.post(
    "/interventions/{intervention_id}/start",
    responses=problem_responses(409),
    summary="Start an intervention",
)
def start_intervention(
    intervention_id: InterventionId, session: SessionDep, actor: AccountActor
) -> InterventionOut:
    """Mark an accepted intervention as in progress. Repeating it changes nothing."""
    return _apply(session, actor, intervention_id, InterventionAction.START)


@router.post(
    "/interventions/{intervention_id}/complete",
    responses=problem_responses(409),
    summary="Complete an intervention",
)
def complete_intervention(
    intervention_id: InterventionId,
    session: SessionDep,
    actor: AccountActor,
    body: InterventionPatch | None = None,
) -> InterventionOut:
    """Mark an intervention as done. Its outcome is evaluated after 30 and 90 days."""
    return _apply(session, actor, intervention_id, InterventionAction.COMPLETE, body)
