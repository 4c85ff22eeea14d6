"""Why a score is what it is, and why it moved."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError, UnprocessableError
from app.core.http.language import LanguageDep
from app.core.schemas import Day, problem_responses
from app.health.explanations import service
from app.health.explanations.schemas import ExplanationOut
from app.health.schemas import AccountId
from app.health.scoring import queries
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["health"])

DEFAULT_DAYS = 28


@router.get(
    "/accounts/{account_id}/health/explanation", responses=problem_responses(401, 403, 404, 422)
)
def get_health_explanation(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    language: LanguageDep,
    account_id: AccountId,
    since: Annotated[Day | None, Query(alias="from", description="28 days before `to`.")] = None,
    until: Annotated[Day | None, Query(alias="to", description="Today by default.")] = None,
) -> ExplanationOut:
    """Say what each measure gives, and what moved the score between two days, to the point.

    The rows of `change` add up exactly. They are made of what was stored with the scores of the
    two days; nothing is counted again.
    """
    until = until or max(now.date(), since or date.min)
    since = since or until - timedelta(days=min(DEFAULT_DAYS, until.toordinal() - 1))
    if since > until:
        wrong = FieldError("/query/from", "It must not be later than `to`.")
        raise UnprocessableError("These days are the wrong way round.", errors=[wrong])
    queries.get_account_health(session, caller.workspace_id, account_id)
    return service.explain_score(
        session,
        caller.workspace_id,
        account_id,
        since=since,
        until=until,
        language=language,
    )
