"""Reprocess quarantined events with their original receive time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, run_with_retries
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.queries import BatchOrigin, insert_tallies
from app.events.ingestion.receipts import BatchOutcome
from app.events.ingestion.service import IngestPolicy, oldest_accepted, store_batch
from app.events.quarantine import queries
from app.events.reading import decoding
from app.events.reading.batch import (
    DIALECTS,
    MAX_PAYLOAD_BYTES,
    Batch,
    ParsedBatch,
    RejectedEvent,
    parse_batch,
)
from app.events.reading.canonical import CanonicalEvent, EventRules
from app.events.reading.errors import InvalidBodyError
from app.events.reading.quarantine_codes import UnreadableLine
from app.events.reading.times import ReceiveContext
from app.events.tables import QuarantinedEvent

PAYLOAD_CUT = "payload_cut"
CUT_DETAIL = "The payload was cut to 64 KiB when it was quarantined: send the event again."
FUTURE = "future_timestamp"
FUTURE_DETAIL = "The time of the event has not come yet: replay it afterwards."
MAX_CHARACTER_BYTES = 4
"""A cut also drops a character that it splits: cut payloads may be this much below the limit."""


@dataclass(frozen=True, slots=True)
class ReplayContext:
    """A workspace, its current settings, and its sessions. ``at``: the time of the replay."""

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
    """The result of one event: replayed, duplicate, quarantined, erased or skipped."""

    number: int
    result: str
    code: str | None = None
    detail: str | None = None
    warnings: Sequence[str] = ()
    hints: Sequence[str] = ()


@dataclass(slots=True)
class _ParsedRows:
    """The parsed rows of one request; event numbers are positions among the rows."""

    batch: ParsedBatch = field(default_factory=ParsedBatch)
    failed: dict[int, RejectedEvent] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)


def replay_events(
    context: ReplayContext, numbers: Sequence[int], *, dry_run: bool
) -> list[ReplayedEvent]:
    """Replay open events, oldest first; events received in one request share a transaction.

    A dry run replays all events in one transaction and rolls it back.
    """
    sessions, workspace_id = context.sessions, context.workspace_id
    with sessions() as session:
        requests = queries.list_requests(session, workspace_id, numbers)
    if dry_run:
        return run_with_retries(
            sessions,
            lambda session: [
                r for each in requests for r in _replay_request(session, context, each)
            ],
            dry_run=True,
        )
    return [
        r
        for each in requests
        for r in run_with_retries(sessions, partial(_replay_request, context=context, numbers=each))
    ]


def _replay_request(
    session: Session, context: ReplayContext, numbers: Sequence[int]
) -> list[ReplayedEvent]:
    rows = queries.lock_open_events(session, context.workspace_id, numbers)
    if not rows:
        return []
    parsed_rows, first = _parse_rows(context, rows), rows[0]
    origin = BatchOrigin(first.workspace_id, first.key_id, first.received_at)
    outcome = store_batch(
        session, origin, parsed_rows.batch, context.policy(first), KnownEventNames()
    )
    results = [_row_result(n, row, parsed_rows, outcome) for n, row in enumerate(rows)]
    stored: Counter[str] = Counter()
    for n, (row, result) in enumerate(zip(rows, results, strict=True)):
        _update_row(row, result, parsed_rows.failed.get(n))
        if result.result == "replayed":
            stored[row.sdk or ""] += 1
    tallies = [{"sdk": sdk, "replayed": n} for sdk, n in sorted(stored.items())]
    insert_tallies(session, BatchOrigin(origin.workspace_id, origin.key_id, context.at), tallies)
    session.flush()
    return results


def _parse_rows(context: ReplayContext, rows: Sequence[QuarantinedEvent]) -> _ParsedRows:
    parsed_rows = _ParsedRows()
    first: dict[tuple[str, datetime], CanonicalEvent] = {}
    for n, row in enumerate(rows):
        if len(row.payload.encode()) > MAX_PAYLOAD_BYTES - MAX_CHARACTER_BYTES:
            parsed_rows.skipped.add(n)
            continue
        parsed = _parse_row(context, row)
        if parsed.rejected:
            parsed_rows.failed[n] = parsed.rejected[0]
            continue
        event = replace(parsed.events[0], n=n)
        if first.setdefault((event.message_id, event.client_at), event) is event:
            parsed_rows.batch.events.append(event)
        else:
            parsed_rows.batch.repeats[n] = event
    return parsed_rows


def _parse_row(context: ReplayContext, row: QuarantinedEvent) -> ParsedBatch:
    try:
        parsed = decoding.parse_json(row.payload.encode())
    except InvalidBodyError:
        parsed = decoding.ParsedJson(UnreadableLine(1, row.payload), suspect=True)
    received = ReceiveContext(
        row.received_at,
        context.policy(row).oldest,
        row.sent_at.isoformat() if row.sent_at else None,
        f"q_{row.number}",
        now=context.at,
    )
    batch = Batch([parsed.value], parsed.suspect)
    return parse_batch(batch, DIALECTS[row.dialect], context.rules, received)


def _row_result(
    n: int, row: QuarantinedEvent, parsed_rows: _ParsedRows, outcome: BatchOutcome
) -> ReplayedEvent:
    number = row.number
    if n in parsed_rows.skipped:
        return ReplayedEvent(number, "skipped", PAYLOAD_CUT, CUT_DETAIL)
    if n in parsed_rows.failed:
        failed = parsed_rows.failed[n]
        detail = FUTURE_DETAIL if failed.code == FUTURE else failed.detail
        return ReplayedEvent(number, "quarantined", failed.code, detail, hints=failed.hints)
    if n in outcome.parsed.erased:
        return ReplayedEvent(number, "erased")
    verdict = outcome.verdicts.get(n)
    warnings, hints = outcome.warnings.codes.get(n, []), outcome.warnings.hints.get(n, [])
    if verdict == "duplicate" or n in parsed_rows.batch.repeats:
        return ReplayedEvent(number, "duplicate", warnings=warnings, hints=hints)
    return ReplayedEvent(number, "replayed", verdict, warnings=warnings, hints=hints)


def _update_row(row: QuarantinedEvent, result: ReplayedEvent, failed: RejectedEvent | None) -> None:
    """Write the result to the row. A row that fails with the same code stays unchanged."""
    if result.result in {"replayed", "duplicate"}:
        row.status = queries.REPLAYED
    elif result.result == "erased":
        row.status, row.payload, row.message_id = queries.DISCARDED, "", None
    elif failed and failed.code != row.code:
        row.code, row.pointer, row.detail = failed.code, failed.pointer, failed.detail
