"""The account review over HTTP, as JSON or as one HTML page."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import HTMLResponse

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.http.days import OtherDaysDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.schemas import Day, problem_responses
from app.health.schemas import AccountId
from app.reports.kpi import InvalidPeriodError, days_before
from app.reports.review import service
from app.reports.review.page import render
from app.reports.review.schemas import (
    AccountReview,
    InternalAccountReview,
    ReviewAudience,
    for_customer,
)
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=DeclaredRoute)

DEFAULT_DAYS, MAX_DAYS = 90, 731
EARLIEST = date(1970, 1, 1)
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Vary": "Accept, Accept-Language",
}


@router.get(
    "/accounts/{account_id}/review",
    summary="Get the review of an account",
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
    other: OtherDaysDep,
    since: Annotated[
        Day | None, Query(description="The first day; 90 days before `until` by default.")
    ] = None,
    until: Annotated[Day | None, Query(description="The last day; today by default.")] = None,
    audience: Annotated[
        ReviewAudience, Query(description="`customer` leaves out everything internal.")
    ] = ReviewAudience.INTERNAL,
    form: Annotated[
        Literal["json", "html"] | None,
        Query(alias="format", description="The `Accept` header decides by default."),
    ] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> InternalAccountReview | AccountReview | HTMLResponse:
    """Return what an account got for its price: usage, goals, people, support, interventions.

    `customer` leaves out scores, risk, notes and the names of your own people. The HTML page loads
    nothing and is made to be printed or saved as PDF.
    """
    review = service.build_review(
        session,
        caller.workspace_id,
        account_id,
        _parse_period(*other.fill(since, until), now.date(), other.names),
        now=now,
        currency=caller.base_currency,
        language=language,
    )
    shown = for_customer(review) if audience is ReviewAudience.CUSTOMER else review
    if form == "html" or (form is None and "text/html" in accept):
        return HTMLResponse(render(shown.model_dump(), language), headers=PAGE_HEADERS)
    return shown


def _parse_period(
    since: date | None, until: date | None, today: date, names: tuple[str, str]
) -> service.ReviewPeriod:
    last = until or today
    first = since or days_before(last, DEFAULT_DAYS)
    if not EARLIEST <= first <= last <= today or (last - first).days > MAX_DAYS:
        start, end = names
        message = (
            f"`{start}` must not be after `{end}`, before {EARLIEST} or more than {MAX_DAYS} days"
            f" before `{end}`; `{end}` must not be after today."
        )
        raise InvalidPeriodError(f"/query/{start}", message)
    return service.ReviewPeriod(first, last)
