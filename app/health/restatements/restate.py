"""Score past days again under the active scorecard, one page at a time; original rows stay."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.features.values import FeatureSpec
from app.health.definition import scorecard_queries
from app.health.definition.scorecard_queries import SCORECARDS_LOCK
from app.health.restatements import queries
from app.health.scoring import queries as scoring_queries
from app.health.scoring import scoring_context, service
from app.health.scoring.assess import Assessment, ScoringContext
from app.health.tables import Restatement
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.workspaces.queries import get_workspace
from app.workspaces.service import Actor

KIND = "restate"
MAX_DAYS = 1100
ACCOUNTS_PER_PAGE = 500
DAYS_PER_PAGE = 6
"""The trend looks back at least seven days, so the days of a page do not depend on each other."""
CONNECTIONS = 2


def request_restatement(
    session: Session, actor: Actor, version: int, *, since: date, until: date
) -> Restatement:
    """Queue a job that scores past days again under the active version.

    Until the job reaches a day, its previous rows are shown. Raise ConflictError for a version that
    is not active.
    """
    _check_days(since, until, actor.at)
    workspace_id, now = actor.workspace_id, actor.at
    scorecard_queries.get_scorecard_config(session, workspace_id, version)
    if scorecard_queries.get_active_scorecard(session, workspace_id)[0] != version:
        raise ConflictError(
            f"Version {version} is not active: only the active version can restate the history.",
            code="not_active",
        )
    advisory_lock(session, SCORECARDS_LOCK, workspace_id)
    number = queries.get_newest_number(session, workspace_id) + 1
    config = {"number": number, "version": version, "until": until.isoformat()}
    job = jobs.enqueue(session, workspace_id, KIND, config, actor=actor.name, now=now)
    job.position = {"day": since.isoformat(), "after": ""}
    row = queries.insert_restatement(
        session,
        workspace_id,
        number,
        scorecard_version=version,
        since=since,
        until=until,
        job_id=job.id,
        created_at=now,
        created_by=actor.name,
    )
    details = {"version": version, "since": since.isoformat(), "until": until.isoformat()}
    actor.audit(session, "history.restated", str(number), details)
    return row


def _check_days(since: date, until: date, now: datetime) -> None:
    if until >= now.date():
        error = FieldError("/body/until", "until must be before today.")
        raise UnprocessableError("Only past days can be restated.", errors=[error])
    if not 0 <= (until - since).days < MAX_DAYS:
        sentence = f"since must be at most {MAX_DAYS - 1} days before until, and not after it."
        error = FieldError("/body/since", sentence)
        raise UnprocessableError("The range of days is invalid.", errors=[error])


def restate_page(sessions: SessionFactory, job: ClaimedJob, now: datetime) -> bool:
    """Restate one page of account days; return whether there are more.

    The rows follow from usage alone, so a page that runs twice leaves the same rows once.
    """
    with transaction(sessions) as session:
        ids = scoring_queries.list_account_ids(session, job.workspace_id)
    page = _page(job, ids)
    if not page.days:
        return False
    written = sum(_restate(sessions, job, page.ids, page.days, now))
    with transaction(sessions) as session:
        so_far = job.progress.get("account_days", 0) + written
        progress = {"account_days": so_far, "day": page.days[-1].isoformat()}
        jobs.checkpoint(session, job, position=page.next, progress=progress, now=now)
    return page.has_more


@dataclass(frozen=True, slots=True)
class AccountDayPage:
    """Accounts and consecutive days to restate, and the position of the next page."""

    ids: Sequence[str]
    days: Sequence[date]
    next: Mapping[str, str]
    has_more: bool


def _page(job: ClaimedJob, ids: Sequence[str]) -> AccountDayPage:
    """Take all accounts on several days if they are few, else some accounts on one day."""
    first = date.fromisoformat(job.position["day"])
    days_left = (date.fromisoformat(job.config["until"]) - first).days + 1
    page_ids = [key for key in ids if key > job.position["after"]][:ACCOUNTS_PER_PAGE]
    at_once = DAYS_PER_PAGE if len(ids) <= ACCOUNTS_PER_PAGE else 1
    days = [first + timedelta(days=n) for n in range(min(at_once, days_left))]
    if at_once > 1 or len(page_ids) < ACCOUNTS_PER_PAGE:
        following = first + timedelta(days=len(days))
        has_more = days_left > len(days)
        return AccountDayPage(page_ids, days, {"day": following.isoformat(), "after": ""}, has_more)
    position = {"day": first.isoformat(), "after": page_ids[-1]}
    return AccountDayPage(page_ids, days, position, has_more=True)


def _restate(
    sessions: SessionFactory,
    job: ClaimedJob,
    ids: Sequence[str],
    days: Sequence[date],
    now: datetime,
) -> Iterator[int]:
    """Restate on two connections: while one waits for the database, the other computes.

    Each takes whole days, because a day's usage is read once for all accounts. The accounts of a
    single day are split in two halves. Yield the number of rows of each unit of work.
    """
    with transaction(sessions) as session:
        contexts = _load_contexts(session, job, days, now)
        queries.delete_restated_rows(
            session, job.workspace_id, job.config["number"], ids, since=days[0], until=days[-1]
        )
    parts = [ids] if len(days) > 1 else [ids[n::CONNECTIONS] for n in range(CONNECTIONS)]

    def restate(unit: tuple[date, Sequence[str]]) -> int:
        day, part = unit
        with transaction(sessions) as session:
            return _restate_day(session, job, part, day, contexts[day.replace(day=1)], now=now)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield from pool.map(restate, product(days, parts))


def _load_contexts(
    session: Session, job: ClaimedJob, days: Sequence[date], now: datetime
) -> dict[date, tuple[ScoringContext, FeatureSpec]]:
    """Return the scoring context and feature spec of each month of the days, by its first day."""
    version = job.config["version"]
    workspace = get_workspace(session, job.workspace_id)
    card = scorecard_queries.get_scorecard_config(session, job.workspace_id, version)
    return {
        day.replace(day=1): scoring_context.load_context(
            session, workspace, as_of=day, now=now, candidate=(version, card)
        )
        for day in days
        if day == days[0] or day.day == 1
    }


def _restate_day(
    session: Session,
    job: ClaimedJob,
    ids: Sequence[str],
    day: date,
    context: tuple[ScoringContext, FeatureSpec],
    *,
    now: datetime,
) -> int:
    assessments = service.load_assessments(
        session, job.workspace_id, ids, *context, as_of=day, now=now
    )
    started = [each for each in assessments if _has_started(each)]
    queries.insert_restated_rows(
        session, job.workspace_id, job.config["number"], started, as_of=day, now=now
    )
    return len(started)


def _has_started(assessment: Assessment) -> bool:
    """Whether anything was known of the account by then; earlier days get no row."""
    return assessment.details["inputs"].started_on is not None
