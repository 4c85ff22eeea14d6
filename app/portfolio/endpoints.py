"""Routes of account lists; ``router`` has all routes of this package."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError
from app.core.filters.openapi import filter_marker
from app.core.filters.tree import And, Condition, Filter, Op
from app.core.pagination import Page, Paging, PagingDep
from app.core.schemas import Id, problem_responses
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.portfolio import account_queries, segment_service
from app.portfolio.account_list import AccountListRequest, SortQuery
from app.portfolio.health_endpoints import router as health_router
from app.portfolio.schemas import (
    FILTER_SCHEMA_NAME,
    AccountListItem,
    AccountQuery,
    AccountSelection,
    AccountTotalOut,
)
from app.portfolio.segment_endpoints import router as segment_router
from app.workspaces.auth import Reader

FILTER_POINTER = "/query/filter"
MAX_FILTER_LENGTH = 8000

list_router = APIRouter(prefix="/api/v1", tags=["accounts"])

TextQuery = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]
MinCentsQuery = Annotated[
    int | None, Query(ge=0, le=2**53, description="The minimum MRR in cents.")
]
FilterQuery = Annotated[
    str | None,
    Query(
        alias="filter",
        max_length=MAX_FILTER_LENGTH,
        description="A filter as JSON (docs/lists.md). Send a longer one to `POST …/query`.",
        json_schema_extra=filter_marker(FILTER_SCHEMA_NAME),
    ),
]
SegmentKeyQuery = Annotated[Id | None, Query(description="The key of a saved segment.")]


@list_router.get(
    "/accounts", summary="List accounts", responses=problem_responses(401, 403, 404, 422)
)
def list_accounts(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    band: Band | None = None,
    status: HealthStatus | None = None,
    segment: TextQuery = None,
    owner: TextQuery = None,
    plan: TextQuery = None,
    min_mrr: MinCentsQuery = None,
    filter: FilterQuery = None,  # noqa: A002 - the name of the parameter
    segment_key: SegmentKeyQuery = None,
    sort: SortQuery = "account_id",
) -> Page[AccountListItem]:
    """List accounts with their scores.

    An account must match every parameter, the filter and the saved segment. Churned and excluded
    accounts are left out unless the request filters by `status`.
    """
    exact = {"band": band, "status": status, "segment": segment, "owner": owner, "plan": plan}
    conditions: list[Filter] = [
        Condition(name, Op.EQ, str(value)) for name, value in exact.items() if value is not None
    ]
    if min_mrr is not None:
        conditions.append(Condition("mrr_cents", Op.GTE, min_mrr))
    resolved = segment_service.resolve_filter(
        session,
        caller.workspace_id,
        parse_filter_query(filter),
        key=segment_key,
        at=FILTER_POINTER,
    )
    request = AccountListRequest(And((*conditions, resolved)), sort, paging)
    return request.page(session, caller.workspace_id, now.date())


@list_router.post(
    "/accounts/query",
    summary="List accounts by a filter in the body",
    responses=problem_responses(400, 401, 403, 404, 422),
)
def query_accounts(
    body: AccountQuery, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[AccountListItem]:
    """List accounts by a filter that is too long for a URL. The request changes nothing."""
    resolved = segment_service.resolve_filter(
        session, caller.workspace_id, body.filter, key=body.segment_key
    )
    request = AccountListRequest(resolved, body.sort, Paging(body.limit, body.cursor))
    return request.page(session, caller.workspace_id, now.date())


@list_router.post(
    "/accounts/count",
    summary="Count accounts",
    responses=problem_responses(400, 401, 403, 404, 422),
)
def count_accounts(
    body: AccountSelection, session: ReadSessionDep, caller: Reader, now: Now
) -> AccountTotalOut:
    """Return the number and total MRR of the accounts that match. The request changes nothing."""
    resolved = segment_service.resolve_filter(
        session, caller.workspace_id, body.filter, key=body.segment_key
    )
    [total] = account_queries.load_totals(
        session, caller.workspace_id, [resolved], today=now.date()
    )
    return AccountTotalOut.of(total)


def parse_filter_query(text: str | None) -> object:
    """Parse the JSON of the query parameter ``filter``; raise InvalidFilterError if it is none."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        errors = [FieldError(FILTER_POINTER, 'Must be JSON, such as {"segment": "smb"}.')]
        message = "The filter is invalid: see `errors`."
        raise segment_service.InvalidFilterError(message, errors=errors) from None


router = APIRouter()
router.include_router(list_router)
router.include_router(health_router)
router.include_router(segment_router)
