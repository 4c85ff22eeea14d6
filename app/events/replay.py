"""Events that were put aside are read once more, as if they came again when they first came."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, run_with_retries
from app.events import quarantine_queries as queries
from app.events import stats_queries, wire
from app.events.batch import MAX_PAYLOAD, Batch, Reading, Rejected, read
from app.events.canonical import Event, Rules
from app.events.dialects import DIALECTS
from app.events.errors import InvalidBodyError
from app.events.names import KnownNames
from app.events.quarantine import Unreadable
from app.events.queries import Origin
from app.events.receipts import Outcome
from app.events.service import Policy, oldest_allowed, store
from app.events.tables import QuarantinedEvent
from app.events.times import Received

PAYLOAD_CUT = "payload_cut"
CUT_DETAIL = "The payload was cut to 64 KiB when it was put aside; send the event again."
CHARACTER = 4  # bytes at most: so much shorter than the limit may a cut payload be


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The rules of today, and where events go. ``at``: when the replay is done."""

    sessions: SessionFactory
    workspace_id: str
    rules: Rules
    base_currency: str
    retention_days: int
    at: datetime

    def policy(self, row: QuarantinedEvent) -> Policy:
        oldest = None if row.historical else oldest_allowed(row.received_at, self.retention_days)
        replayed_on = self.at.date()
        return Policy(self.rules, self.base_currency, oldest, replayed_on=replayed_on)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event: replayed, duplicate, quarantined, erased or skipped."""

    number: int
    result: str
    code: str | None = None
    detail: str | None = None
    warnings: Sequence[str] = ()


@dataclass(slots=True)
class _Again:
    """Rows of one request, read once more; events are numbered by their place among the rows."""

    reading: Reading = field(default_factory=Reading)
    failed: dict[int, Rejected] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)


def replay(pipeline: Pipeline, numbers: Sequence[int], *, dry_run: bool) -> list[Result]:
    """Try open events again, oldest first, the events of one request in one transaction.

    A dry run does all of it in one transaction, of which nothing stays.
    """
    sessions, workspace_id = pipeline.sessions, pipeline.workspace_id
    with sessions() as session:
        requests = queries.requests_of(session, workspace_id, numbers)
    if dry_run:
        return run_with_retries(
            sessions,
            lambda session: [r for each in requests for r in _try(session, pipeline, each)],
            rehearse=True,
        )
    return [
        r
        for each in requests
        for r in run_with_retries(sessions, partial(_try, pipeline=pipeline, numbers=each))
    ]


def _try(session: Session, pipeline: Pipeline, numbers: Sequence[int]) -> list[Result]:
    rows = queries.lock_open(session, pipeline.workspace_id, numbers)
    if not rows:
        return []
    again, first = _read(pipeline, rows), rows[0]
    origin = Origin(first.workspace_id, first.key_id, first.received_at)
    outcome = store(session, origin, again.reading, pipeline.policy(first), KnownNames())
    results = [_result(n, row, again, outcome) for n, row in enumerate(rows)]
    stored: Counter[str] = Counter()
    for n, (row, result) in enumerate(zip(rows, results, strict=True)):
        _settle(row, result, again.failed.get(n))
        stored[row.sdk or ""] += result.result == "replayed"
    told = Origin(origin.workspace_id, origin.key_id, pipeline.at)
    counted = [{"sdk": sdk, "replayed": n} for sdk, n in sorted(stored.items()) if n]
    stats_queries.tell(session, told, counted)
    session.flush()
    return results


def _read(pipeline: Pipeline, rows: Sequence[QuarantinedEvent]) -> _Again:
    again = _Again()
    first: dict[tuple[str, datetime], Event] = {}
    for n, row in enumerate(rows):
        if len(row.payload.encode()) > MAX_PAYLOAD - CHARACTER:
            again.skipped.add(n)
            continue
        one = _read_one(pipeline, row)
        if one.rejected:
            again.failed[n] = one.rejected[0]
            continue
        event = replace(one.events[0], n=n)
        if first.setdefault((event.message_id, event.client_at), event) is event:
            again.reading.events.append(event)
        else:
            again.reading.repeats[n] = event
    return again


def _read_one(pipeline: Pipeline, row: QuarantinedEvent) -> Reading:
    try:
        parsed = wire.parse(row.payload.encode())
    except InvalidBodyError:
        parsed = wire.Parsed(Unreadable(1, row.payload), suspect=True)
    received = Received(
        row.received_at,
        pipeline.policy(row).oldest,
        row.sent_at.isoformat() if row.sent_at else None,
        f"q_{row.number}",
    )
    batch = Batch([parsed.value], parsed.suspect)
    return read(batch, DIALECTS[row.dialect], pipeline.rules, received)


def _result(n: int, row: QuarantinedEvent, again: _Again, outcome: Outcome) -> Result:
    number = row.number
    if n in again.skipped:
        return Result(number, "skipped", PAYLOAD_CUT, CUT_DETAIL)
    if n in again.failed:
        return Result(number, "quarantined", again.failed[n].code, again.failed[n].detail)
    if n in outcome.reading.erased:
        return Result(number, "erased")
    verdict, warnings = outcome.verdicts.get(n), outcome.warnings.get(n, [])
    if verdict == "duplicate" or n in again.reading.repeats:
        return Result(number, "duplicate", warnings=warnings)
    return Result(number, "replayed", verdict, warnings=warnings)


def _settle(row: QuarantinedEvent, result: Result, failed: Rejected | None) -> None:
    """Note what became of a row. What is as wrong as it was stays word for word."""
    if result.result in {"replayed", "duplicate"}:
        row.status = queries.REPLAYED
    elif result.result == "erased":
        row.status, row.payload, row.message_id = queries.DISCARDED, "", None
    elif failed and failed.code != row.code:
        row.code, row.pointer, row.detail = failed.code, failed.pointer, failed.detail
