"""Routes of quarantined events: list, count, show, replay, discard."""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import nullcontext
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session

from app.core.db import (
    ReadSessionDep,
    SessionDep,
    SessionFactory,
    after_first_commit,
    database_slot,
    transaction,
)
from app.core.errors import NotFoundError
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, problem_responses
from app.events.ingestion.service import event_rules
from app.events.quarantine import queries
from app.events.quarantine.queries import QuarantineCriteria
from app.events.quarantine.replay import ReplayContext, ReplayedEvent, replay_events
from app.events.quarantine.schemas import (
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
from app.workspaces.auth import AccountActor, AccountWriter, Reader
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.service import Actor

MAX_SELECTED, MAX_GROUPS, MAX_RESULTS = 1000, 1000, 100
MAX_ID_DIGITS = 18
"""Any number of 18 digits fits into 64 bits."""

router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"], route_class=IdempotentRoute)

StatusFilter = Annotated[
    Literal["open", "replayed", "discarded", "all"],
    Query(description="`open`: neither replayed nor discarded."),
]


def _text_filter(condition: str, example: str) -> Any:  # noqa: ANN401 - as FastAPI declares it
    text = f"Only events {condition}."
    return Query(max_length=100, pattern=NO_NUL, description=text, examples=[example])


CodeFilter = Annotated[str | None, _text_filter("with this code", "missing_identity")]
KeyFilter = Annotated[str | None, _text_filter("of this API key", "0aZ81bQ2xY")]
SdkFilter = Annotated[str | None, _text_filter("of this SDK", "analytics.js")]


@router.get("", summary="List quarantined events", responses=problem_responses(401, 403, 404, 422))
def list_quarantined_events(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    status: StatusFilter = "open",
    code: CodeFilter = None,
    key_id: KeyFilter = None,
    sdk: SdkFilter = None,
) -> Page[QuarantinedEventOut]:
    """Return a page of events that could not be used, newest first; by default open ones."""
    page = queries.list_quarantined(
        session,
        caller.workspace_id,
        paging,
        status=_status_or_none(status),
        criteria=QuarantineCriteria(code, key_id, sdk),
    )
    return page.to_page(QuarantinedEventOut.model_validate)


@router.get(
    "/summary", summary="Count quarantined events", responses=problem_responses(401, 403, 422)
)
def summarize_quarantine(
    session: ReadSessionDep, caller: Reader, status: StatusFilter = "open"
) -> QuarantineSummary:
    """Count quarantined events by code, key and SDK, the most frequent first."""
    totals, groups = queries.load_summary(
        session, caller.workspace_id, status=_status_or_none(status), limit=MAX_GROUPS
    )
    return QuarantineSummary(
        events=totals.events,
        times=totals.times,
        groups=[QuarantineGroup.from_row(each, example_id=f"q_{each.newest}") for each in groups],
    )


@router.get(
    "/{quarantine_id}",
    summary="Get a quarantined event",
    responses=problem_responses(401, 403, 404, 422),
)
def get_quarantined_event(
    session: ReadSessionDep, caller: Reader, quarantine_id: str
) -> QuarantinedEventDetail:
    """Return one event that could not be used, with its payload."""
    number = quarantine_id.removeprefix("q_")
    event = None
    if number.isascii() and number.isdigit() and len(number) <= MAX_ID_DIGITS:
        event = queries.find_quarantined(session, caller.workspace_id, int(number))
    if event is None:
        raise NotFoundError("quarantined event", quarantine_id)
    return QuarantinedEventDetail.model_validate(event)


async def transaction_sessions(request: Request) -> AsyncGenerator[SessionFactory]:
    """Yield the session factory for a request of several transactions, in one database slot."""
    async with database_slot(request):
        yield request.app.state.sessions


@router.post(
    "/replay",
    summary="Replay quarantined events",
    responses=problem_responses(400, 401, 403, 404, 422),
)
def replay_quarantined_events(
    request: Request,
    body: ReplayIn,
    caller: AccountWriter,
    actor: AccountActor,
    sessions: Annotated[SessionFactory, Depends(transaction_sessions, scope="function")],
) -> ReplayReport:
    """Parse open events again with today's rules and their original receive time.

    A call replays at most 1,000 events, oldest first. An event that is valid now is stored, counted
    as known today, and marked as replayed; an event that is already stored counts as a duplicate.
    Events that are still invalid stay open with their current code. Events cut to 64 KiB are
    skipped.
    """
    with transaction(sessions) as session:
        numbers, skipped, more = _select_numbers(session, caller.workspace_id, body)
        if not body.dry_run:
            _audit(session, actor, "quarantine.replayed", body, len(numbers))
    context = ReplayContext(
        sessions,
        caller.workspace_id,
        event_rules(caller),
        caller.base_currency,
        request.app.state.limits.retention_days,
        actor.at,
    )
    with nullcontext() if body.dry_run else after_first_commit():
        results = replay_events(context, numbers, dry_run=body.dry_run)
    replayed = {result.number for result in results}
    results += [
        ReplayedEvent(n, "skipped", "not_open") for n in [*skipped, *numbers] if n not in replayed
    ]
    return _report(results, dry_run=body.dry_run, more=more)


@router.post(
    "/discard",
    summary="Discard quarantined events",
    responses=problem_responses(400, 401, 403, 404, 422),
)
def discard_quarantined_events(
    body: QuarantineSelection, actor: AccountActor, session: SessionDep
) -> DiscardReport:
    """Mark open events as discarded. They leave the list of open events.

    A call discards at most 1,000 events, oldest first. They are deleted after the retention period.
    """
    numbers, skipped, more = _select_numbers(session, actor.workspace_id, body)
    discarded = queries.mark_discarded(session, actor.workspace_id, numbers)
    _audit(session, actor, "quarantine.discarded", body, discarded)
    selected = len(numbers) + len(skipped)
    return DiscardReport(
        selected=selected, discarded=discarded, skipped=selected - discarded, more=more
    )


def _status_or_none(status: str) -> str | None:
    return None if status == "all" else status


def _select_numbers(
    session: Session, workspace_id: str, body: QuarantineSelection
) -> tuple[Sequence[int], Sequence[int], bool]:
    """Return the numbers of the open and of the other selected events, and whether more match."""
    if body.numbers:
        known = queries.load_statuses(session, workspace_id, body.numbers)
        for number in body.numbers:
            if number not in known:
                raise NotFoundError("quarantined event", f"q_{number}")
        open_numbers = [number for number in body.numbers if known[number] == queries.OPEN]
        return open_numbers, sorted(set(body.numbers) - set(open_numbers)), False
    criteria = QuarantineCriteria(**body.filter.model_dump())
    matching = queries.list_open_numbers(session, workspace_id, criteria, limit=MAX_SELECTED + 1)
    return matching[:MAX_SELECTED], [], len(matching) > MAX_SELECTED


def _audit(
    session: Session, actor: Actor, action: str, body: QuarantineSelection, events: int
) -> None:
    details: dict[str, Any] = {"events": events}
    if not body.numbers:
        details["filter"] = body.filter.model_dump(mode="json", exclude_none=True)
    actor.audit(session, action, "quarantine", details)


def _report(results: Sequence[ReplayedEvent], *, dry_run: bool, more: bool) -> ReplayReport:
    counts = Counter(result.result for result in results)
    return ReplayReport(
        dry_run=dry_run,
        selected=len(results),
        replayed=counts["replayed"],
        unattributed=sum(result.code == "unattributed" for result in results),
        duplicates=counts["duplicate"],
        quarantined=counts["quarantined"],
        erased=counts["erased"],
        skipped=counts["skipped"],
        more=more,
        results=[
            ReplayResult.from_row(
                each, id=f"q_{each.number}", warnings=list(each.warnings), hints=list(each.hints)
            )
            for each in results[:MAX_RESULTS]
        ],
    )
