"""What is answered to who sent a batch, and told to who watches the service."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.core import metrics
from app.events.ingestion.schemas import EventVerdict, Receipt
from app.events.reading.batch import ParsedBatch
from app.events.reading.canonical import CanonicalEvent

MAX_VERDICTS = 100


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What the transaction did, by event number. ``reading``: without what was erased.

    ``quarantine_numbers``: by fingerprint; empty where nothing of it stays.
    """

    reading: ParsedBatch
    verdicts: dict[int, str]
    quarantine_numbers: dict[str, int]
    reused: set[int]
    warnings: dict[int, list[str]]


def build_receipt(outcome: BatchOutcome, request_id: str) -> Receipt:
    reading, erased = outcome.reading, len(outcome.reading.erased)
    results = Counter(outcome.verdicts.values())
    duplicates = results["duplicate"] + len(reading.repeats)
    listed = sorted(_all_verdicts(outcome), key=lambda verdict: verdict.index)
    received = len(reading.events) + len(reading.repeats) + len(reading.rejected) + erased
    return Receipt(
        request_id=request_id,
        received=received,
        accepted=received - duplicates - len(reading.rejected) - erased,
        duplicates=duplicates,
        quarantined=len(reading.rejected),
        erased=erased,
        unattributed=results["unattributed"],
        warnings=sum(len(codes) for codes in outcome.warnings.values()),
        events=listed[:MAX_VERDICTS],
    )


def _all_verdicts(outcome: BatchOutcome) -> Iterable[EventVerdict]:
    reading = outcome.reading
    for n, message_id in reading.erased.items():
        yield EventVerdict(index=n, message_id=message_id, result="erased")
    for row in reading.rejected:
        number = outcome.quarantine_numbers.get(row.fingerprint)
        yield EventVerdict(
            index=row.n,
            message_id=row.message_id,
            result="quarantined",
            code=row.code,
            pointer=row.pointer,
            detail=row.detail,
            quarantine_id=None if number is None else f"q_{number}",
        )
    for event in reading.repeats.values():
        yield _duplicate_verdict(event, outcome)
    for event in reading.events:
        if outcome.verdicts.get(event.n) == "duplicate":
            yield _duplicate_verdict(event, outcome)
        elif event.n in outcome.warnings or event.n in outcome.verdicts:
            yield EventVerdict(
                index=event.n,
                message_id=event.message_id,
                result="accepted",
                code=outcome.verdicts.get(event.n),
                warnings=outcome.warnings.get(event.n, []),
            )


def _duplicate_verdict(event: CanonicalEvent, outcome: BatchOutcome) -> EventVerdict:
    warnings = outcome.warnings.get(event.n, [])
    return EventVerdict(
        index=event.n, message_id=event.message_id, result="duplicate", warnings=warnings
    )


def record_metrics(receipt: Receipt, reading: ParsedBatch) -> None:
    metrics.EVENTS.labels("accepted").inc(receipt.accepted)
    metrics.EVENTS.labels("duplicate").inc(receipt.duplicates)
    metrics.EVENTS.labels("quarantined").inc(receipt.quarantined)
    metrics.EVENTS.labels("erased").inc(receipt.erased)
    for row in reading.rejected:
        metrics.QUARANTINED.labels(row.code).inc()
