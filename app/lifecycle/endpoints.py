"""Routes of erasures, and of renaming and merging accounts."""

from fastapi import APIRouter

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.lifecycle import queries, service
from app.lifecycle.schemas import AccountMerge, AccountMoveOut, AccountRename, ErasureOut
from app.lifecycle.tables import ERASURES, MOVES
from app.workspaces.auth import Admin, AdminActor, Reader
from app.workspaces.idempotency import IdempotentRoute

router = APIRouter(
    prefix="/api/v1",
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)


@router.delete("/users/{user_id}", summary="Erase a user", tags=["privacy"], status_code=202)
def erase_user(user_id: Id, session: SessionDep, actor: AdminActor) -> ErasureOut:
    """Erase a user. Their usage stays under a random pseudonym; their id is refused from now on.

    The worker does most of it after the request. A second request returns the same erasure.
    """
    return ErasureOut.of(service.erase_user(session, actor, user_id))


@router.delete(
    "/accounts/{account_id}", summary="Erase an account", tags=["privacy"], status_code=202
)
def erase_account(account_id: Id, session: SessionDep, actor: AdminActor) -> ErasureOut:
    """Erase an account with its users, usage, payments, scores and events.

    The worker does most of it after the request. A second request returns the same erasure.
    """
    return ErasureOut.of(service.erase_account(session, actor, account_id))


@router.get("/erasures", summary="List erasures", tags=["privacy"])
def list_erasures(session: ReadSessionDep, caller: Admin, paging: PagingDep) -> Page[ErasureOut]:
    """List erasures, newest first."""
    rows = queries.list_changes(session, caller.workspace_id, ERASURES, paging)
    return rows.to_page(ErasureOut.of)


@router.get("/erasures/{erasure_id}", summary="Get an erasure", tags=["privacy"])
def get_erasure(erasure_id: Id, session: ReadSessionDep, caller: Admin) -> ErasureOut:
    """Return the progress of an erasure."""
    return ErasureOut.of(queries.get_change(session, caller.workspace_id, ERASURES, erasure_id))


@router.post(
    "/erasures/{erasure_id}/lift",
    summary="Lift an erasure",
    tags=["privacy"],
    responses=problem_responses(409),
)
def lift_erasure(erasure_id: Id, session: SessionDep, actor: AdminActor) -> ErasureOut:
    """Accept an erased id again, for example of a person who returns. Nothing is restored."""
    return ErasureOut.of(service.lift_erasure(session, actor, erasure_id))


@router.post(
    "/accounts/{account_id}/rename",
    summary="Rename an account",
    tags=["accounts"],
    status_code=202,
    responses=problem_responses(409),
)
def rename_account(
    account_id: Id, body: AccountRename, session: SessionDep, actor: AdminActor
) -> AccountMoveOut:
    """Give an account a new id. The old id stays valid as an alias, in events too."""
    return AccountMoveOut.model_validate(
        service.rename_account(session, actor, account_id, body.account_id)
    )


@router.post(
    "/accounts/{account_id}/merge",
    summary="Merge an account into another",
    tags=["accounts"],
    status_code=202,
    responses=problem_responses(409),
)
def merge_account(
    account_id: Id, body: AccountMerge, session: SessionDep, actor: AdminActor
) -> AccountMoveOut:
    """Merge an account into another one. This cannot be undone."""
    return AccountMoveOut.model_validate(
        service.merge_accounts(session, actor, account_id, body.into)
    )


@router.get("/account-moves", summary="List account moves", tags=["accounts"])
def list_account_moves(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[AccountMoveOut]:
    """List renames and merges of accounts, newest first."""
    rows = queries.list_changes(session, caller.workspace_id, MOVES, paging)
    return rows.to_page(AccountMoveOut.model_validate)


@router.get("/account-moves/{move_id}", summary="Get an account move", tags=["accounts"])
def get_account_move(move_id: Id, session: ReadSessionDep, caller: Reader) -> AccountMoveOut:
    """Return the progress of a rename or merge."""
    return AccountMoveOut.model_validate(
        queries.get_change(session, caller.workspace_id, MOVES, move_id)
    )
