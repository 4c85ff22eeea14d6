"""Score past days again under the active scorecard, one page at a time; original rows stay."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import product

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.core.query_helpers import advisory_lock
from app.core.version_queries import get_newest_number, insert_row
from app.health.definition import scorecard_queries
from app.health.definition.scorecard_queries import SCORECARDS_LOCK
from app.health.restatements import queries
from app.health.scoring import queries as scoring_queries
from app.health.scoring import service
from app.health.scoring.assess import ScoringContext
from app.health.scoring.scoring_context import load_context
from app.health.tables import Restatement
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
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
    number = get_newest_number(session, workspace_id, Restatement.number) + 1
    config = {"number": number, "version": version, "until": until.isoformat()}
    job = jobs.enqueue(session, actor, KIND, config)
    job.position = {"day": since.isoformat(), "after": ""}
    row = insert_row(
        session,
        workspace_id,
        Restatement,
        number=number,
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
        raise UnprocessableError("The days `since` to `until` are invalid.", errors=[error])


def restate_page(sessions: SessionFactory, job: ClaimedJob, now: datetime) -> bool:
    """Restate one page of account days; return whether there are more.

    With at most ``ACCOUNTS_PER_PAGE`` accounts, a page is all accounts on ``DAYS_PER_PAGE`` days,
    else some accounts on one day. A page may run twice: its rows follow from usage alone,
    and the second run replaces them.
    """
    with transaction(sessions) as session:
        ids = scoring_queries.list_account_ids(session, job.workspace_id)
    first = date.fromisoformat(job.position["day"])
    days_left = (date.fromisoformat(job.config["until"]) - first).days + 1
    page_ids = [key for key in ids if key > job.position["after"]][:ACCOUNTS_PER_PAGE]
    at_once = DAYS_PER_PAGE if len(ids) <= ACCOUNTS_PER_PAGE else 1
    days = [first + timedelta(days=n) for n in range(min(at_once, days_left))]
    if not days:
        return False
    written = sum(_restate(sessions, job, page_ids, days, now))
    is_day_done = at_once > 1 or len(page_ids) < ACCOUNTS_PER_PAGE
    following = first + timedelta(days=len(days) if is_day_done else 0)
    position = {"day": following.isoformat(), "after": "" if is_day_done else page_ids[-1]}
    with transaction(sessions) as session:
        so_far = job.progress.get("account_days", 0) + written
        progress = {"account_days": so_far, "day": days[-1].isoformat()}
        jobs.checkpoint(session, job, position=position, progress=progress, now=now)
    return not is_day_done or days_left > len(days)


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
    version = job.config["version"]
    with transaction(sessions) as session:
        contexts = {
            day.replace(day=1): load_context(
                session, job.workspace_id, as_of=day, now=now, version=version
            )
            for day in days
            if day == days[0] or day.day == 1
        }
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


def _restate_day(
    session: Session,
    job: ClaimedJob,
    ids: Sequence[str],
    day: date,
    context: ScoringContext,
    *,
    now: datetime,
) -> int:
    """Write restated scores of a day; an account without payment or use by that day gets none."""
    workspace_id, number = job.workspace_id, job.config["number"]
    assessments = service.load_assessments(session, workspace_id, ids, context, as_of=day, now=now)
    started = [each for each in assessments if each.details["inputs"].started_on is not None]
    queries.insert_restated_rows(session, workspace_id, number, started, as_of=day, now=now)
    return len(started)
