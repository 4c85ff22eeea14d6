from fastapi import APIRouter

from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.lifecycle import queries, service
from app.lifecycle.kinds import ERASURES, MOVES
from app.lifecycle.schemas import AccountMerge, AccountMoveOut, AccountRename, ErasureOut
from app.workspaces.auth import Admin, AdminActor, Reader

router = APIRouter(prefix="/api/v1", responses=problem_responses(400, 401, 403, 404, 422))


@router.delete("/users/{user_id}", tags=["privacy"], status_code=202)
def erase_user(user_id: Id, session: SessionDep, by: AdminActor) -> ErasureOut:
    """Erase a person. Their usage stays, under a random pseudonym; their id is turned away."""
    return ErasureOut.of(service.erase_user(session, by, user_id))


@router.delete("/accounts/{account_id}", tags=["privacy"], status_code=202)
def erase_account(account_id: Id, session: SessionDep, by: AdminActor) -> ErasureOut:
    """Erase an account with all that is its own: people, usage, payments, scores, events."""
    return ErasureOut.of(service.erase_account(session, by, account_id))


@router.get("/erasures", tags=["privacy"])
def list_erasures(session: ReadSessionDep, caller: Admin, paging: PagingDep) -> Page[ErasureOut]:
    """List erasures, newest first."""
    return queries.list_changes(session, caller.workspace_id, ERASURES, paging).to_page(
        ErasureOut.of
    )


@router.get("/erasures/{erasure_id}", tags=["privacy"])
def get_erasure(erasure_id: Id, session: ReadSessionDep, caller: Admin) -> ErasureOut:
    """Show how far an erasure is."""
    return ErasureOut.of(queries.get_change(session, caller.workspace_id, ERASURES, erasure_id))


@router.post("/erasures/{erasure_id}/lift", tags=["privacy"], responses=problem_responses(409))
def lift_erasure(erasure_id: Id, session: SessionDep, by: AdminActor) -> ErasureOut:
    """Let an erased id in again, such as a person who comes back. Nothing is restored."""
    return ErasureOut.of(service.lift_erasure(session, by, erasure_id))


@router.post(
    "/accounts/{account_id}/rename",
    tags=["accounts"],
    status_code=202,
    responses=problem_responses(409),
)
def rename_account(
    account_id: Id, body: AccountRename, session: SessionDep, by: AdminActor
) -> AccountMoveOut:
    """Give an account another id. The old id leads to it from now on, everywhere."""
    return AccountMoveOut.of(service.rename_account(session, by, account_id, body.account_id))


@router.post(
    "/accounts/{account_id}/merge",
    tags=["accounts"],
    status_code=202,
    responses=problem_responses(409),
)
def merge_account(
    account_id: Id, body: AccountMerge, session: SessionDep, by: AdminActor
) -> AccountMoveOut:
    """Let an account become part of another, for good: there is no way back."""
    return AccountMoveOut.of(service.merge_accounts(session, by, account_id, body.into))


@router.get("/account-moves", tags=["accounts"])
def list_account_moves(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[AccountMoveOut]:
    """List renamed and merged accounts, newest first."""
    return queries.list_changes(session, caller.workspace_id, MOVES, paging).to_page(
        AccountMoveOut.of
    )


@router.get("/account-moves/{move_id}", tags=["accounts"])
def get_account_move(move_id: Id, session: ReadSessionDep, caller: Reader) -> AccountMoveOut:
    """Show how far a rename or a merge is."""
    return AccountMoveOut.of(queries.get_change(session, caller.workspace_id, MOVES, move_id))
