"""Routes of ingest statistics, sources, and waiting events."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError, UnprocessableError
from app.core.http.days import OtherDaysDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, Day, problem_responses
from app.events.sources import queries, silence_detection
from app.events.sources.queries import SourceWithKey
from app.events.sources.schemas import (
    IngestStats,
    SourceOut,
    SourceState,
    UnattributedSenderOut,
    UnattributedSummary,
)
from app.events.sources.silence_detection import SendingRhythm
from app.events.sources.stats import sum_by_sender
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["data"], route_class=DeclaredRoute)

DEFAULT_DAYS, MAX_DAYS = 7, 400
MAX_SENDERS = 100

FirstDay = Annotated[Day | None, Query(description="Default: six days before `until`.")]
KeyFilter = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=NO_NUL,
        description="Only events of this API key.",
        examples=["0aZ81bQ2xY"],
    ),
]
LastDay = Annotated[Day | None, Query(description="Default: today.")]


@router.get(
    "/ingest/stats", summary="Get ingest statistics", responses=problem_responses(401, 403, 422)
)
def get_ingest_stats(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    other: OtherDaysDep,
    since: FirstDay = None,
    until: LastDay = None,
    key_id: KeyFilter = None,
) -> IngestStats:
    """Return how many events were received, and their results, by key and SDK and by day.

    Both days are included. A period is at most 400 days.
    """
    since, until = other.fill(since, until)
    last = until or now.date()
    first = _first_day(since, last, other.names)
    daily_counts = queries.list_daily_counts(
        session,
        caller.workspace_id,
        since=_start(first),
        until=_start(last) + timedelta(days=1),
        key_id=key_id,
    )
    totals, senders = sum_by_sender(daily_counts)
    return IngestStats.model_validate(
        {"first_day": first, "last_day": last, "totals": totals, "senders": senders}
    )


@router.get("/sources", summary="List sources", responses=problem_responses(401, 403, 404, 422))
def list_sources(
    session: ReadSessionDep, caller: Reader, now: Now, paging: PagingDep
) -> Page[SourceOut]:
    """Return a page of API keys that send events, with their usual gap, and if they are silent."""
    page = queries.list_sources(session, caller.workspace_id, paging)
    hours = queries.load_active_hours(
        session,
        caller.workspace_id,
        [row.source.key_id for row in page.rows],
        since=now - 2 * silence_detection.OBSERVED_PERIOD,
    )
    return page.to_page(lambda row: _source_out(row, hours[row.source.key_id], now))


@router.get(
    "/unattributed", summary="Count waiting events", responses=problem_responses(401, 403, 422)
)
def summarize_unattributed(session: ReadSessionDep, caller: Reader) -> UnattributedSummary:
    """Count the events that wait until the account of their user is known, by key and SDK."""
    counts = queries.list_waiting_counts(session, caller.workspace_id, limit=MAX_SENDERS)
    events, oldest = queries.count_waiting_events(session, caller.workspace_id)
    return UnattributedSummary(
        events=events,
        oldest_received_at=oldest,
        senders=[UnattributedSenderOut.model_validate(each) for each in counts],
    )


def _first_day(first: date | None, last: date, names: tuple[str, str]) -> date:
    since, until = names
    if last == date.max:
        problem = FieldError(f"/query/{until}", f"Must be before {date.max}.")
        raise UnprocessableError(errors=[problem])
    if first is None:
        return date.fromordinal(max(last.toordinal() - DEFAULT_DAYS + 1, 1))
    if first > last or (last - first).days >= MAX_DAYS:
        problem = FieldError(
            f"/query/{since}",
            f"It must not be after `{until}`, and at most {MAX_DAYS - 1} days before it.",
        )
        raise UnprocessableError(
            f"`{since}` and `{until}` are not a valid range of days.", errors=[problem]
        )
    return first


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _source_out(row: SourceWithKey, hours: Sequence[datetime], now: datetime) -> SourceOut:
    since = row.source.last_event_at - silence_detection.OBSERVED_PERIOD
    rhythm = silence_detection.detect_rhythm([hour for hour in hours if hour >= since])
    return SourceOut.from_row(
        row.source,
        name=row.name,
        state=_state(row, rhythm, now),
        usual_gap_seconds=_seconds(rhythm.usual_gap),
        allowed_gap_seconds=_seconds(rhythm.allowed),
        stale_accounts=row.stale_accounts,
    )


def _state(row: SourceWithKey, rhythm: SendingRhythm, now: datetime) -> SourceState:
    if row.is_retired(now):
        return "retired"
    if row.source.silent_since is not None:
        return "silent"
    return "learning" if rhythm.allowed is None else "live"


def _seconds(gap: timedelta | None) -> int | None:
    return None if gap is None else round(gap.total_seconds())
