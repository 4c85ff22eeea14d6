"""Events that were put aside are read once more, as if they came again when they first came."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, run_with_retries
from app.events import quarantine_queries as queries
from app.events import stats_queries
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.receipts import BatchOutcome
from app.events.ingestion.service import IngestPolicy, oldest_accepted, store_batch
from app.events.reading import decoding
from app.events.reading.batch import (
    MAX_PAYLOAD_BYTES,
    Batch,
    ParsedBatch,
    RejectedEvent,
    parse_batch,
)
from app.events.reading.canonical import CanonicalEvent, EventRules
from app.events.reading.dialects import DIALECTS
from app.events.reading.errors import InvalidBodyError
from app.events.reading.quarantine_codes import UnreadableLine
from app.events.reading.times import ReceiveContext
from app.events.tables import QuarantinedEvent

PAYLOAD_CUT = "payload_cut"
CUT_DETAIL = "The payload was cut to 64 KiB when it was put aside; send the event again."
MAX_CHARACTER_BYTES = 4  # bytes at most: so much shorter than the limit may a cut payload be


@dataclass(frozen=True, slots=True)
class ReplayContext:
    """The rules of today, and where events go. ``at``: when the replay is done."""

    sessions: SessionFactory
    workspace_id: str
    rules: EventRules
    base_currency: str
    retention_days: int
    at: datetime

    def policy(self, row: QuarantinedEvent) -> IngestPolicy:
        oldest = None if row.historical else oldest_accepted(row.received_at, self.retention_days)
        replayed_on = self.at.date()
        return IngestPolicy(self.rules, self.base_currency, oldest, replayed_on=replayed_on)


@dataclass(frozen=True, slots=True)
class ReplayedEvent:
    """What became of one event: replayed, duplicate, quarantined, erased or skipped."""

    number: int
    result: str
    code: str | None = None
    detail: str | None = None
    warnings: Sequence[str] = ()


@dataclass(slots=True)
class _ParsedRows:
    """Rows of one request, read once more; events are numbered by their place among the rows."""

    reading: ParsedBatch = field(default_factory=ParsedBatch)
    failed: dict[int, RejectedEvent] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)


def replay_events(
    pipeline: ReplayContext, numbers: Sequence[int], *, dry_run: bool
) -> list[ReplayedEvent]:
    """Try open events again, oldest first, the events of one request in one transaction.

    A dry run does all of it in one transaction, of which nothing stays.
    """
    sessions, workspace_id = pipeline.sessions, pipeline.workspace_id
    with sessions() as session:
        requests = queries.list_requests(session, workspace_id, numbers)
    if dry_run:
        return run_with_retries(
            sessions,
            lambda session: [
                r for each in requests for r in _replay_request(session, pipeline, each)
            ],
            rehearse=True,
        )
    return [
        r
        for each in requests
        for r in run_with_retries(
            sessions, partial(_replay_request, pipeline=pipeline, numbers=each)
        )
    ]


def _replay_request(
    session: Session, pipeline: ReplayContext, numbers: Sequence[int]
) -> list[ReplayedEvent]:
    rows = queries.lock_open_events(session, pipeline.workspace_id, numbers)
    if not rows:
        return []
    again, first = _parse_rows(pipeline, rows), rows[0]
    origin = BatchOrigin(first.workspace_id, first.key_id, first.received_at)
    outcome = store_batch(session, origin, again.reading, pipeline.policy(first), KnownEventNames())
    results = [_row_result(n, row, again, outcome) for n, row in enumerate(rows)]
    stored: Counter[str] = Counter()
    for n, (row, result) in enumerate(zip(rows, results, strict=True)):
        _update_row(row, result, again.failed.get(n))
        stored[row.sdk or ""] += result.result == "replayed"
    told = BatchOrigin(origin.workspace_id, origin.key_id, pipeline.at)
    counted = [{"sdk": sdk, "replayed": n} for sdk, n in sorted(stored.items()) if n]
    stats_queries.insert_tallies(session, told, counted)
    session.flush()
    return results


def _parse_rows(pipeline: ReplayContext, rows: Sequence[QuarantinedEvent]) -> _ParsedRows:
    again = _ParsedRows()
    first: dict[tuple[str, datetime], CanonicalEvent] = {}
    for n, row in enumerate(rows):
        if len(row.payload.encode()) > MAX_PAYLOAD_BYTES - MAX_CHARACTER_BYTES:
            again.skipped.add(n)
            continue
        one = _parse_row(pipeline, row)
        if one.rejected:
            again.failed[n] = one.rejected[0]
            continue
        event = replace(one.events[0], n=n)
        if first.setdefault((event.message_id, event.client_at), event) is event:
            again.reading.events.append(event)
        else:
            again.reading.repeats[n] = event
    return again


def _parse_row(pipeline: ReplayContext, row: QuarantinedEvent) -> ParsedBatch:
    try:
        parsed = decoding.parse_json(row.payload.encode())
    except InvalidBodyError:
        parsed = decoding.ParsedJson(UnreadableLine(1, row.payload), suspect=True)
    received = ReceiveContext(
        row.received_at,
        pipeline.policy(row).oldest,
        row.sent_at.isoformat() if row.sent_at else None,
        f"q_{row.number}",
    )
    batch = Batch([parsed.value], parsed.suspect)
    return parse_batch(batch, DIALECTS[row.dialect], pipeline.rules, received)


def _row_result(
    n: int, row: QuarantinedEvent, again: _ParsedRows, outcome: BatchOutcome
) -> ReplayedEvent:
    number = row.number
    if n in again.skipped:
        return ReplayedEvent(number, "skipped", PAYLOAD_CUT, CUT_DETAIL)
    if n in again.failed:
        return ReplayedEvent(number, "quarantined", again.failed[n].code, again.failed[n].detail)
    if n in outcome.reading.erased:
        return ReplayedEvent(number, "erased")
    verdict, warnings = outcome.verdicts.get(n), outcome.warnings.get(n, [])
    if verdict == "duplicate" or n in again.reading.repeats:
        return ReplayedEvent(number, "duplicate", warnings=warnings)
    return ReplayedEvent(number, "replayed", verdict, warnings=warnings)


def _update_row(row: QuarantinedEvent, result: ReplayedEvent, failed: RejectedEvent | None) -> None:
    """Note what became of a row. What is as wrong as it was stays word for word."""
    if result.result in {"replayed", "duplicate"}:
        row.status = queries.REPLAYED
    elif result.result == "erased":
        row.status, row.payload, row.message_id = queries.DISCARDED, "", None
    elif failed and failed.code != row.code:
        row.code, row.pointer, row.detail = failed.code, failed.pointer, failed.detail
