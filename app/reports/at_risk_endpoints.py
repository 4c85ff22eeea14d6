"""The list that customer-success tools poll."""

from typing import Annotated

from fastapi import APIRouter, Header, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.languages import Language, preferred
from app.core.pagination import CursorText, Limit, Page
from app.core.schemas import responses
from app.reports import at_risk_service
from app.reports.at_risk_schemas import AtRisk
from app.segments import service
from app.segments.endpoints import IN_QUERY, FilterText, SegmentKey, read_filter
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["reports"], responses=responses(401, 403, 404, 422))


@router.get("/accounts/at-risk")
def list_accounts_at_risk(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    filter_text: FilterText = None,
    segment_key: SegmentKey = None,
    limit: Limit = 100,
    cursor: CursorText = None,
    lang: Annotated[Language | None, Query(description="Else by `Accept-Language`.")] = None,
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Page[AtRisk]:
    """List accounts at risk, the most revenue first: why, what is open, and what to do."""
    wanted = service.resolve(
        session,
        caller.workspace_id,
        read_filter(filter_text),
        key=segment_key,
        at=IN_QUERY,
    )
    return at_risk_service.page(
        session,
        caller.workspace_id,
        wanted,
        limit=limit,
        cursor=cursor,
        today=now.date(),
        language=lang or preferred(accept_language),
    )
