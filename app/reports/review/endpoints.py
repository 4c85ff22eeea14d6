from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import HTMLResponse

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError
from app.core.http.language import LanguageDep
from app.core.schemas import Day, problem_responses
from app.health.schemas import AccountId
from app.reports.kpi import days_before
from app.reports.kpis.endpoints import InvalidPeriodError
from app.reports.review import service
from app.reports.review.page import render
from app.reports.review.schemas import (
    AccountReview,
    InternalAccountReview,
    ReviewAudience,
    for_customer,
)
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["reports"])

DEFAULT_DAYS, MAX_DAYS = 90, 731
EARLIEST = date(1970, 1, 1)
HTML = {"schema": {"type": "string"}, "example": "<!doctype html>"}
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Vary": "Accept, Accept-Language",
}


@router.get(
    "/accounts/{account_id}/review",
    response_model=InternalAccountReview | AccountReview,
    responses={
        200: {
            "content": {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>…"}}
        },
        **problem_responses(401, 403, 404, 422),
    },
)
def get_account_review(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    language: LanguageDep,
    account_id: AccountId,
    since: Annotated[Day | None, Query(alias="from", description="90 days before `to`.")] = None,
    until: Annotated[Day | None, Query(alias="to", description="Today by default.")] = None,
    audience: ReviewAudience = ReviewAudience.INTERNAL,
    form: Annotated[
        Literal["json", "html"] | None, Query(alias="format", description="Else by `Accept`.")
    ] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> InternalAccountReview | AccountReview | HTMLResponse:
    """Review an account: value for its price, goals, people, support, what was done and comes next.

    `customer` leaves out scores, risk, notes and the names of ours. As HTML it is one page to be
    printed, or saved as PDF by a browser.
    """
    ours = service.build_review(
        session,
        caller.workspace_id,
        account_id,
        _parse_period(since, until, now.date()),
        now=now,
        currency=caller.base_currency,
        language=language,
    )
    found = for_customer(ours) if audience is ReviewAudience.CUSTOMER else ours
    if form == "html" or (form is None and "text/html" in accept):
        return HTMLResponse(render(found.model_dump(), language), headers=PAGE_HEADERS)
    return found


def _parse_period(since: date | None, until: date | None, today: date) -> service.ReviewPeriod:
    last = until or today
    first = since or days_before(last, DEFAULT_DAYS)
    if not EARLIEST <= first <= last <= today or (last - first).days > MAX_DAYS:
        wrong = [
            FieldError(
                "/query/from", f"{EARLIEST} <= from <= to <= today, {MAX_DAYS} days at most."
            )
        ]
        raise InvalidPeriodError("These days cannot be used.", errors=wrong)
    return service.ReviewPeriod(first, last)
