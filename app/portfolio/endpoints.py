"""Lists of accounts by simple parameters, by a filter, or by a saved segment."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError
from app.core.filters.matching import And, Condition, Filter, Op
from app.core.filters.schema import filter_marker
from app.core.pagination import Page, Paging, PagingDep
from app.core.schemas import Id, problem_responses
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.portfolio import account_queries, segment_service
from app.portfolio.account_list import AccountListRequest
from app.portfolio.health_endpoints import router as envelope_router
from app.portfolio.schemas import (
    FILTER_SCHEMA_NAME,
    SORT_DESCRIPTION,
    SORT_PATTERN,
    AccountListItem,
    AccountQuery,
    AccountSelection,
    AccountTotalOut,
)
from app.portfolio.segment_endpoints import router as saved_router
from app.workspaces.auth import Reader

FILTER_POINTER = "/query/filter"
MAX_FILTER_LENGTH = 8000

list_router = APIRouter(prefix="/api/v1", tags=["accounts"])

TextQuery = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]
MinCentsQuery = Annotated[int | None, Query(ge=0, le=2**53, description="In cents, at least.")]
FilterQuery = Annotated[
    str | None,
    Query(
        alias="filter",
        max_length=MAX_FILTER_LENGTH,
        description="A filter as JSON (docs/lists.md). A longer one goes to `POST …/query`.",
        json_schema_extra=filter_marker(FILTER_SCHEMA_NAME),
    ),
]
SegmentKeyQuery = Annotated[Id | None, Query(description="A saved segment.")]
SortQuery = Annotated[str, Query(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)]


@list_router.get("/accounts", responses=problem_responses(401, 403, 404, 422))
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
    wanted: FilterQuery = None,
    segment_key: SegmentKeyQuery = None,
    sort: SortQuery = "account_id",
) -> Page[AccountListItem]:
    """List accounts with their scores. Churned and excluded ones only if their status is asked.

    All that is said must hold: each parameter, the filter and the saved segment.
    """
    said = {"band": band, "status": status, "segment": segment, "owner": owner, "plan": plan}
    simple: list[Filter] = [
        Condition(name, Op.EQ, str(value)) for name, value in said.items() if value is not None
    ]
    if min_mrr is not None:
        simple.append(Condition("mrr_cents", Op.GTE, min_mrr))
    resolved = segment_service.resolve_filter(
        session, caller.workspace_id, parse_filter_query(wanted), key=segment_key, at=FILTER_POINTER
    )
    listing = AccountListRequest(And((*simple, resolved)), sort, paging)
    return listing.page(session, caller.workspace_id, now.date())


@list_router.post("/accounts/query", responses=problem_responses(400, 401, 403, 404, 422))
def query_accounts(
    body: AccountQuery, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[AccountListItem]:
    """List accounts by a filter that is too long for a URL. It changes nothing."""
    resolved = segment_service.resolve_filter(
        session, caller.workspace_id, body.filter, key=body.segment_key
    )
    listing = AccountListRequest(resolved, body.sort, Paging(body.limit, body.cursor))
    return listing.page(session, caller.workspace_id, now.date())


@list_router.post("/accounts/count", responses=problem_responses(400, 401, 403, 404, 422))
def count_accounts(
    body: AccountSelection, session: ReadSessionDep, caller: Reader, now: Now
) -> AccountTotalOut:
    """Count accounts and add up what they pay. It changes nothing."""
    resolved = segment_service.resolve_filter(
        session, caller.workspace_id, body.filter, key=body.segment_key
    )
    [total] = account_queries.load_totals(
        session, caller.workspace_id, [resolved], today=now.date()
    )
    return AccountTotalOut.of(total)


def parse_filter_query(text: str | None) -> object:
    """Read a filter out of a URL; what is no JSON is wrong as a whole."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        wrong = [FieldError(FILTER_POINTER, 'JSON is wanted, such as {"segment": "smb"}.')]
        raise segment_service.InvalidFilterError(
            "The filter cannot be used.", errors=wrong
        ) from None


router = APIRouter()
router.include_router(list_router)
router.include_router(envelope_router)
router.include_router(saved_router)
