"""How much comes in, from whom, and who has stopped."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep
from app.core.errors import FieldError, UnprocessableError
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, Day, problem_responses
from app.events import silence_detection, source_queries, stats_queries
from app.events.silence_detection import SendingRhythm
from app.events.source_queries import SourceWithKey
from app.events.stats import sum_by_sender
from app.events.stats_schemas import (
    IngestStats,
    SourceOut,
    SourceState,
    UnattributedSenderOut,
    UnattributedSummary,
)
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["data"])

DEFAULT_DAYS, MAX_DAYS = 7, 400
MAX_SENDERS = 100

FirstDay = Annotated[Day | None, Query(alias="from", description="Null: six days before `to`.")]
LastDay = Annotated[Day | None, Query(alias="to", description="Null: today.")]


@router.get("/ingest/stats", responses=problem_responses(401, 403, 422))
def get_ingest_stats(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    first: FirstDay = None,
    last: LastDay = None,
    key_id: Annotated[str | None, Query(max_length=100, pattern=NO_NUL)] = None,
) -> IngestStats:
    """Count what was received and what became of it, by key and SDK and by day."""
    last = last or now.date()
    first = _first_day(first, last)
    told = stats_queries.list_daily_counts(
        session,
        caller.workspace_id,
        since=_start(first),
        until=_start(last) + timedelta(days=1),
        key_id=key_id,
    )
    totals, senders = sum_by_sender(told)
    return IngestStats.model_validate(
        {"first_day": first, "last_day": last, "totals": totals, "senders": senders}
    )


@router.get("/sources", responses=problem_responses(401, 403, 404, 422))
def list_sources(
    session: ReadSessionDep, caller: Reader, now: Now, paging: PagingDep
) -> Page[SourceOut]:
    """List the keys that send events, how they usually do, and which have fallen silent."""
    found = source_queries.list_sources(session, caller.workspace_id, paging)
    hours = source_queries.load_active_hours(
        session,
        caller.workspace_id,
        [row.source.key_id for row in found.rows],
        since=now - 2 * silence_detection.OBSERVED_PERIOD,
    )
    return found.to_page(lambda row: _source_out(row, hours[row.source.key_id], now))


@router.get("/unattributed", responses=problem_responses(401, 403, 422))
def summarize_unattributed(session: ReadSessionDep, caller: Reader) -> UnattributedSummary:
    """Count the events that wait until the account of their user is known."""
    found = stats_queries.list_waiting_counts(session, caller.workspace_id, limit=MAX_SENDERS)
    events, oldest = stats_queries.count_waiting_events(session, caller.workspace_id)
    return UnattributedSummary(
        events=events,
        oldest_received_at=oldest,
        senders=[
            UnattributedSenderOut.model_validate(each, from_attributes=True) for each in found
        ],
    )


def _first_day(first: date | None, last: date) -> date:
    if first is None:
        return date.fromordinal(max(last.toordinal() - DEFAULT_DAYS + 1, 1))
    if first > last or (last - first).days >= MAX_DAYS or last == date.max:
        problem = FieldError("/query/from", f"From must lie up to {MAX_DAYS} days before to.")
        raise UnprocessableError("Some of the input cannot be used.", errors=[problem])
    return first


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _source_out(row: SourceWithKey, hours: Sequence[datetime], now: datetime) -> SourceOut:
    source = row.source
    watched = [
        hour for hour in hours if hour >= source.last_event_at - silence_detection.OBSERVED_PERIOD
    ]
    rhythm = silence_detection.detect_rhythm(watched)
    return SourceOut(
        key_id=source.key_id,
        name=row.name,
        state=_state(row, rhythm, now),
        last_event_at=source.last_event_at,
        usual_gap_seconds=_seconds(rhythm.usual_gap),
        allowed_gap_seconds=_seconds(rhythm.allowed),
        silent_since=source.silent_since,
        noticed_at=source.noticed_at,
        resumed_at=source.resumed_at,
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
