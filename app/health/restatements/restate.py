"""History told anew under the active scorecard, from usage, a page at a time; originals stay."""

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
from app.health.restatements import queries as restate_queries
from app.health.scoring import queries, scoring_context, service
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
"""The trend looks back seven days and more: no day of a page needs another one of it."""
CONNECTIONS = 2


def request_restatement(
    session: Session, change: Actor, version: int, *, since: date, until: date
) -> Restatement:
    """Have closed days scored again. Until a day is reached its older rows are shown."""
    _check_days(since, until, change.at)
    workspace_id, actor, now = change.workspace_id, change.actor, change.at
    scorecard_queries.get_scorecard_config(session, workspace_id, version)
    if scorecard_queries.get_active_scorecard(session, workspace_id)[0] != version:
        raise ConflictError(
            f"Version {version} is not active: history is told by what holds.", code="not_active"
        )
    advisory_lock(session, SCORECARDS_LOCK, workspace_id)
    number = restate_queries.get_newest_number(session, workspace_id) + 1
    config = {"number": number, "version": version, "until": until.isoformat()}
    job = jobs.enqueue(session, workspace_id, KIND, config, actor=actor, now=now)
    job.position = {"day": since.isoformat(), "after": ""}
    row = restate_queries.insert_restatement(
        session,
        workspace_id,
        number,
        scorecard_version=version,
        since=since,
        until=until,
        job_id=job.id,
        created_at=now,
        created_by=actor,
    )
    said = {"version": version, "since": since.isoformat(), "until": until.isoformat()}
    change.audit(session, "history.restated", str(number), said)
    return row


def _check_days(since: date, until: date, now: datetime) -> None:
    if until >= now.date():
        late = FieldError("/body/until", "It must lie before today.")
        raise UnprocessableError("Only days that are over can be restated.", errors=[late])
    if not 0 <= (until - since).days < MAX_DAYS:
        wrong = FieldError("/body/since", f"It must lie at most {MAX_DAYS} days before until.")
        raise UnprocessableError("These days cannot be restated.", errors=[wrong])


def restate_page(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
    """Tell one page of account days anew. Returns whether there is more.

    The rows follow from usage alone, so that a page that is done twice leaves what it left once.
    """
    with transaction(sessions) as session:
        ids = queries.list_account_ids(session, work.workspace_id)
    page = _page(work, ids)
    if not page.days:
        return False
    told = sum(_tell(sessions, work, page.ids, page.days, now))
    with transaction(sessions) as session:
        so_far = work.progress.get("account_days", 0) + told
        progress = {"account_days": so_far, "day": page.days[-1].isoformat()}
        jobs.checkpoint(session, work, position=page.next, progress=progress, now=now)
    return page.has_more


@dataclass(frozen=True, slots=True)
class AccountDayPage:
    """Some accounts on some days in a row, and where the next page starts."""

    ids: Sequence[str]
    days: Sequence[date]
    next: Mapping[str, str]
    has_more: bool


def _page(work: ClaimedJob, ids: Sequence[str]) -> AccountDayPage:
    """Take all accounts on several days where they are few, else some accounts on one day."""
    first = date.fromisoformat(work.position["day"])
    left = (date.fromisoformat(work.config["until"]) - first).days + 1
    some = [key for key in ids if key > work.position["after"]][:ACCOUNTS_PER_PAGE]
    at_once = DAYS_PER_PAGE if len(ids) <= ACCOUNTS_PER_PAGE else 1
    days = [first + timedelta(days=n) for n in range(min(at_once, left))]
    if at_once > 1 or len(some) < ACCOUNTS_PER_PAGE:
        following = first + timedelta(days=len(days))
        has_more = left > len(days)
        return AccountDayPage(some, days, {"day": following.isoformat(), "after": ""}, has_more)
    return AccountDayPage(some, days, {"day": first.isoformat(), "after": some[-1]}, has_more=True)


def _tell(
    sessions: SessionFactory,
    work: ClaimedJob,
    ids: Sequence[str],
    days: Sequence[date],
    now: datetime,
) -> Iterator[int]:
    """Two connections at a time: while one waits for the database the other judges.

    Each takes whole days, for a day's usage is read once for all accounts; a day alone is halved.
    """
    with transaction(sessions) as session:
        yardsticks = _yardsticks(session, work, days, now)
        restate_queries.delete_restated_rows(
            session, work.workspace_id, work.config["number"], ids, since=days[0], until=days[-1]
        )
    parts = [ids] if len(days) > 1 else [ids[n::CONNECTIONS] for n in range(CONNECTIONS)]

    def tell(unit: tuple[date, Sequence[str]]) -> int:
        day, some = unit
        with transaction(sessions) as session:
            return _tell_day(session, work, some, day, yardsticks[day.replace(day=1)], now=now)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield from pool.map(tell, product(days, parts))


def _yardsticks(
    session: Session, work: ClaimedJob, days: Sequence[date], now: datetime
) -> dict[date, tuple[ScoringContext, FeatureSpec]]:
    """Load or fit what each month's days are held against."""
    version = work.config["version"]
    workspace = get_workspace(session, work.workspace_id)
    card = scorecard_queries.get_scorecard_config(session, work.workspace_id, version)
    return {
        day.replace(day=1): scoring_context.load_context(
            session, workspace, as_of=day, now=now, candidate=(version, card)
        )
        for day in days
        if day == days[0] or day.day == 1
    }


def _tell_day(
    session: Session,
    work: ClaimedJob,
    ids: Sequence[str],
    day: date,
    held: tuple[ScoringContext, FeatureSpec],
    *,
    now: datetime,
) -> int:
    found = service.load_assessments(session, work.workspace_id, ids, *held, as_of=day, now=now)
    begun = [each for each in found if _had_begun(each)]
    number = work.config["number"]
    restate_queries.insert_restated_rows(
        session, work.workspace_id, number, begun, as_of=day, now=now
    )
    return len(begun)


def _had_begun(found: Assessment) -> bool:
    """Whether anything was known of the account by then; days before that are not told."""
    return found.details["inputs"].started_on is not None
