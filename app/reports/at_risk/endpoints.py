"""The list that customer-success tools poll."""

from fastapi import APIRouter

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.language import LanguageDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import problem_responses
from app.portfolio import segment_service
from app.portfolio.endpoints import FILTER_POINTER, FilterQuery, SegmentKeyQuery, parse_filter_query
from app.reports.at_risk import at_risk_service
from app.reports.at_risk.schemas import AccountAtRiskOut
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1", tags=["reports"], responses=problem_responses(401, 403, 404, 422)
)


@router.get("/accounts/at-risk")
def list_accounts_at_risk(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    language: LanguageDep,
    filter_text: FilterQuery = None,
    segment_key: SegmentKeyQuery = None,
) -> Page[AccountAtRiskOut]:
    """List accounts at risk, the most revenue first: why, what is open, and what to do."""
    wanted = segment_service.resolve_filter(
        session,
        caller.workspace_id,
        parse_filter_query(filter_text),
        key=segment_key,
        at=FILTER_POINTER,
    )
    return at_risk_service.load_page(
        session,
        caller.workspace_id,
        wanted,
        paging=paging,
        today=now.date(),
        language=language,
    )
