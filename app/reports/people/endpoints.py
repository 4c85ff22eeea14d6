"""The route of the people of an account."""

from fastapi import APIRouter

from app.accounts.queries import get_account
from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.health.schemas import AccountId
from app.reports.people.schemas import AccountPerson
from app.reports.people.service import load_people
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["accounts"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)


@router.get("/accounts/{account_id}/people", summary="List the people of an account")
def list_people(
    account_id: AccountId, session: ReadSessionDep, caller: Reader, paging: PagingDep, now: Now
) -> Page[AccountPerson]:
    """List people with a role first, then who stopped, who is new, who is active, and the others.

    Excluded people are left out.
    """
    get_account(session, caller.workspace_id, account_id)
    return load_people(session, caller.workspace_id, account_id, paging, now=now)
