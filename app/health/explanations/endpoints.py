"""Explanations of scores over HTTP."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError, UnprocessableError
from app.core.http.days import OtherDaysDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.schemas import Day, problem_responses
from app.health.explanations import service
from app.health.explanations.schemas import ExplanationOut
from app.health.schemas import AccountId
from app.health.scoring import queries
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["health"], route_class=DeclaredRoute)

DEFAULT_DAYS = 28


@router.get(
    "/accounts/{account_id}/health/explanation",
    summary="Explain a health score",
    responses=problem_responses(401, 403, 404, 422),
)
def get_health_explanation(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    language: LanguageDep,
    account_id: AccountId,
    other: OtherDaysDep,
    since: Annotated[
        Day | None, Query(description="First day. Default: 28 days before `until`.")
    ] = None,
    until: Annotated[Day | None, Query(description="Last day. Default: today.")] = None,
) -> ExplanationOut:
    """Return the points of each measure, and the effects that moved the score between two days.

    The rows of `change` add up exactly to the difference. They are computed from what was stored
    with the scores of the two days; no usage is counted again.
    """
    since, until = other.fill(since, until)
    until = until or max(now.date(), since or date.min)
    since = since or until - timedelta(days=min(DEFAULT_DAYS, until.toordinal() - 1))
    if since > until:
        first, last = other.names
        error = FieldError(f"/query/{first}", f"`{first}` must not be later than `{last}`.")
        raise UnprocessableError(
            f"The day `{first}` is later than the day `{last}`.", errors=[error]
        )
    queries.get_account_health(session, caller.workspace_id, account_id)
    return service.explain_score(
        session, caller.workspace_id, account_id, since=since, until=until, language=language
    )
