"""The list that customer-success tools poll."""

from fastapi import APIRouter

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.pagination import Page, PagingDep
from app.core.requests import LanguageDep
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
    paging: PagingDep,
    language: LanguageDep,
    filter_text: FilterText = None,
    segment_key: SegmentKey = None,
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
        paging=paging,
        today=now.date(),
        language=language,
    )
