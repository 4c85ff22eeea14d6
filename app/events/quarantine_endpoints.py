"""What was put aside: look at it, try it again, let it go."""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep, SessionDep, SessionFactory, database_slot, transaction
from app.core.errors import NotFoundError
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, problem_responses
from app.events import quarantine_queries as queries
from app.events.ingestion.workspace_rules import event_rules
from app.events.quarantine_queries import QuarantineCriteria
from app.events.quarantine_schemas import (
    DiscardReport,
    QuarantinedEventDetail,
    QuarantinedEventOut,
    QuarantineGroup,
    QuarantineSelection,
    QuarantineSummary,
    ReplayIn,
    ReplayReport,
    ReplayResult,
)
from app.events.replay import ReplayContext, ReplayedEvent, replay_events
from app.workspaces.auth import AccountActor, AccountWriter, Reader
from app.workspaces.service import Actor

MAX_SELECTED, MAX_GROUPS, MAX_RESULTS = 1000, 1000, 100
MAX_ID_DIGITS = 18  # digits that fit 64 bits, whatever they are

router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"])

StatusFilter = Annotated[
    Literal["open", "replayed", "discarded", "all"],
    Query(description="`open`: nothing has been done about it yet."),
]
TextFilter = Annotated[str | None, Query(max_length=100, pattern=NO_NUL)]


@router.get("", responses=problem_responses(401, 403, 404, 422))
def list_quarantined_events(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    status: StatusFilter = "open",
    code: TextFilter = None,
    key_id: TextFilter = None,
    sdk: TextFilter = None,
) -> Page[QuarantinedEventOut]:
    """List events that could not be used, newest first; those that are open, unless asked."""
    found = queries.list_quarantined(
        session,
        caller.workspace_id,
        paging,
        status=_status_or_none(status),
        narrowed=QuarantineCriteria(code, key_id, sdk),
    )
    return found.to_page(QuarantinedEventOut.model_validate)


@router.get("/summary", responses=problem_responses(401, 403, 422))
def summarize_quarantine(
    session: ReadSessionDep, caller: Reader, status: StatusFilter = "open"
) -> QuarantineSummary:
    """Count what was put aside by code, key and SDK, what came most often first."""
    totals, groups = queries.load_summary(
        session, caller.workspace_id, status=_status_or_none(status), limit=MAX_GROUPS
    )
    return QuarantineSummary(
        events=totals.events,
        times=totals.times,
        groups=[QuarantineGroup.model_validate(group) for group in groups],
    )


@router.get("/{quarantine_id}", responses=problem_responses(401, 403, 404, 422))
def get_quarantined_event(
    session: ReadSessionDep, caller: Reader, quarantine_id: str
) -> QuarantinedEventDetail:
    """Show one event that could not be used, with its payload."""
    number = quarantine_id.removeprefix("q_")
    found = None
    if number.isascii() and number.isdigit() and len(number) <= MAX_ID_DIGITS:
        found = queries.find_quarantined(session, caller.workspace_id, int(number))
    if found is None:
        raise NotFoundError("quarantined event", quarantine_id)
    return QuarantinedEventDetail.model_validate(found)


async def transaction_sessions(request: Request) -> AsyncGenerator[SessionFactory]:
    """Several transactions for one request, in one slot of the database."""
    async with database_slot(request):
        yield request.app.state.sessions


@router.post("/replay", responses=problem_responses(400, 401, 403, 404, 422))
def replay_quarantined_events(
    request: Request,
    body: ReplayIn,
    caller: AccountWriter,
    change: AccountActor,
    sessions: Annotated[SessionFactory, Depends(transaction_sessions, scope="function")],
) -> ReplayReport:
    """Read open events again, under today's rules and at the time when they first came.

    At most 1,000 in a call, the oldest first. What passes is stored, counted as known today and
    marked as replayed; the rest stays open under the code that it has now.
    """
    with transaction(sessions) as session:
        numbers, skipped, more = _select_numbers(session, caller.workspace_id, body)
        if not body.dry_run:
            _audit(session, change, "quarantine.replayed", body, len(numbers))
    pipeline = ReplayContext(
        sessions,
        caller.workspace_id,
        event_rules(caller),
        caller.base_currency,
        request.app.state.limits.retention_days,
        change.at,
    )
    results = replay_events(pipeline, numbers, dry_run=body.dry_run)
    tried = {result.number for result in results}
    results += [
        ReplayedEvent(n, "skipped", "not_open") for n in [*skipped, *numbers] if n not in tried
    ]
    return _report(results, dry_run=body.dry_run, more=more)


@router.post("/discard", responses=problem_responses(400, 401, 403, 404, 422))
def discard_quarantined_events(
    body: QuarantineSelection, change: AccountActor, session: SessionDep
) -> DiscardReport:
    """Mark open events as not wanted. They leave the list, and are dropped when they are old."""
    numbers, skipped, more = _select_numbers(session, change.workspace_id, body)
    discarded = queries.mark_discarded(session, change.workspace_id, numbers)
    _audit(session, change, "quarantine.discarded", body, discarded)
    selected = len(numbers) + len(skipped)
    return DiscardReport(
        selected=selected, discarded=discarded, skipped=selected - discarded, more=more
    )


def _status_or_none(asked: str) -> str | None:
    return None if asked == "all" else asked


def _select_numbers(
    session: Session, workspace_id: str, body: QuarantineSelection
) -> tuple[Sequence[int], Sequence[int], bool]:
    """Return the numbers of open events, of those named that are not, and whether more fit."""
    if body.numbers:
        known = queries.load_statuses(session, workspace_id, body.numbers)
        for number in body.numbers:
            if number not in known:
                raise NotFoundError("quarantined event", f"q_{number}")
        chosen = [number for number in body.numbers if known[number] == queries.OPEN]
        return chosen, sorted(set(body.numbers) - set(chosen)), False
    narrowed = QuarantineCriteria(**body.filter.model_dump())
    found = queries.list_open_numbers(session, workspace_id, narrowed, limit=MAX_SELECTED + 1)
    return found[:MAX_SELECTED], [], len(found) > MAX_SELECTED


def _audit(
    session: Session, change: Actor, action: str, body: QuarantineSelection, events: int
) -> None:
    details: dict[str, Any] = {"events": events}
    if not body.numbers:
        details["filter"] = body.filter.model_dump(mode="json", exclude_none=True)
    change.audit(session, action, "quarantine", details)


def _report(results: Sequence[ReplayedEvent], *, dry_run: bool, more: bool) -> ReplayReport:
    counted = Counter(result.result for result in results)
    return ReplayReport(
        dry_run=dry_run,
        selected=len(results),
        replayed=counted["replayed"],
        unattributed=sum(result.code == "unattributed" for result in results),
        duplicates=counted["duplicate"],
        quarantined=counted["quarantined"],
        erased=counted["erased"],
        skipped=counted["skipped"],
        more=more,
        results=[
            ReplayResult(
                id=f"q_{each.number}",
                result=each.result,
                code=each.code,
                detail=each.detail,
                warnings=list(each.warnings),
            )
            for each in results[:MAX_RESULTS]
        ],
    )
