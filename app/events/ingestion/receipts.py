"""The results of a batch: the receipt for the sender, and counts for metrics and statistics."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core import metrics
from app.events.ingestion.schemas import EventResult, EventVerdict, Receipt
from app.events.reading.batch import ParsedBatch
from app.events.reading.canonical import CanonicalEvent

MAX_HINTS, MAX_HINT_LENGTH = 5, 200
MAX_COUNTED_HINTS = 20
NOTHING_COUNTED = dict.fromkeys(("duplicates", "quarantined", "erased", "warned"), 0)


@dataclass(slots=True)
class BatchWarnings:
    """The warnings of a batch: codes, and hints in words, both by event number."""

    codes: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    hints: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of_parsed(cls, parsed: ParsedBatch) -> "BatchWarnings":
        warnings = cls()
        for event in parsed.events:
            if event.warnings:
                warnings.codes[event.n] = list(event.warnings)
            if event.hints:
                warnings.add_hints(event.n, event.hints)
        for row in parsed.rejected:
            if row.hints:
                warnings.add_hints(row.n, row.hints)
        return warnings

    def add(self, n: int, code: str, hints: Sequence[str] = ()) -> None:
        """Add a code, once, and hints to the verdict of an event.

        A hint names fields. It never contains values, which may be personal data. Hints that are
        added before the events are stored are counted in the statistics.
        """
        if code not in self.codes[n]:
            self.codes[n].append(code)
        if hints:
            self.add_hints(n, hints)

    def add_hints(self, n: int, hints: Sequence[str]) -> None:
        known = self.hints[n]
        new = [each[:MAX_HINT_LENGTH] for each in hints if each[:MAX_HINT_LENGTH] not in known]
        known += new[: MAX_HINTS - len(known)]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The result of storing a batch.

    ``parsed``: the batch without events of erased people and accounts. ``verdicts``: codes by event
    number. ``quarantine_numbers``: the numbers of quarantined events by fingerprint; empty if the
    transaction is rolled back.
    """

    parsed: ParsedBatch
    verdicts: dict[int, str]
    quarantine_numbers: dict[str, int]
    warnings: BatchWarnings


def build_receipt(outcome: BatchOutcome, request_id: str) -> Receipt:
    """Return the receipt with all verdicts, in the order of the events."""
    parsed = outcome.parsed
    quarantined, erased = len(parsed.rejected), len(parsed.erased)
    results = Counter(outcome.verdicts.values())
    duplicates = results["duplicate"] + len(parsed.repeats)
    verdicts = sorted(_all_verdicts(outcome), key=lambda verdict: verdict.index)
    received = len(parsed.events) + len(parsed.repeats) + quarantined + erased
    return Receipt(
        request_id=request_id,
        received=received,
        accepted=received - duplicates - quarantined - erased,
        duplicates=duplicates,
        quarantined=quarantined,
        erased=erased,
        unattributed=results["unattributed"],
        warnings=sum(len(codes) for codes in outcome.warnings.codes.values()),
        events=verdicts,
    )


def _all_verdicts(outcome: BatchOutcome) -> Iterable[EventVerdict]:
    parsed = outcome.parsed
    for n, message_id in parsed.erased.items():
        yield EventVerdict(index=n, message_id=message_id, result="erased")
    for row in parsed.rejected:
        number = outcome.quarantine_numbers.get(row.fingerprint)
        yield EventVerdict(
            index=row.n,
            message_id=row.message_id,
            result="quarantined",
            code=row.code,
            pointer=row.pointer,
            detail=row.detail,
            quarantine_id=None if number is None else f"q_{number}",
            hints=outcome.warnings.hints.get(row.n, []),
        )
    for event in parsed.repeats.values():
        yield _event_verdict(event, outcome, "duplicate")
    for event in parsed.events:
        code = outcome.verdicts.get(event.n)
        if code == "duplicate":
            yield _event_verdict(event, outcome, "duplicate")
        elif code or event.n in outcome.warnings.codes:
            yield _event_verdict(event, outcome, "accepted", code)


def _event_verdict(
    event: CanonicalEvent, outcome: BatchOutcome, result: EventResult, code: str | None = None
) -> EventVerdict:
    return EventVerdict(
        index=event.n,
        message_id=event.message_id,
        result=result,
        code=code,
        warnings=outcome.warnings.codes.get(event.n, []),
        hints=outcome.warnings.hints.get(event.n, []),
    )


def record_metrics(receipt: Receipt, parsed: ParsedBatch) -> None:
    metrics.EVENTS.labels("accepted").inc(receipt.accepted)
    metrics.EVENTS.labels("duplicate").inc(receipt.duplicates)
    metrics.EVENTS.labels("quarantined").inc(receipt.quarantined)
    metrics.EVENTS.labels("erased").inc(receipt.erased)
    for row in parsed.rejected:
        metrics.QUARANTINED.labels(row.code).inc()


def count_excluded(original: ParsedBatch, filtered: ParsedBatch) -> list[dict[str, Any]]:
    """Count by SDK and code the events of a batch that are not rows of the ingest statement.

    These are repeats within the batch, quarantined events and erased events. ``original``: the
    batch as parsed; ``filtered``: the same without the erased events.
    """
    if not (filtered.repeats or filtered.rejected or filtered.erased):
        return []
    sdks: dict[int, str | None] = {}
    if filtered.erased:
        sdks = {event.n: event.sdk for event in (*original.events, *original.repeats.values())}
        sdks |= {row.n: row.sdk for row in original.rejected}
    counters = {
        "duplicates": Counter((event.sdk or "", "") for event in filtered.repeats.values()),
        "quarantined": Counter((row.sdk or "", row.code) for row in filtered.rejected),
        "erased": Counter((sdks.get(n) or "", "") for n in filtered.erased),
    }
    return [
        {**NOTHING_COUNTED, "sdk": sdk, "code": code, result: count}
        for result, counter in counters.items()
        for (sdk, code), count in sorted(counter.items())
    ]


def count_hints(parsed: ParsedBatch, warnings: BatchWarnings) -> list[dict[str, Any]]:
    """Count by SDK and hint the events of a batch that have hints, the most frequent hints only."""
    if not warnings.hints:
        return []
    sdks = {event.n: event.sdk or "" for event in parsed.events}
    sdks |= {row.n: row.sdk or "" for row in parsed.rejected}
    hints = Counter((sdks[n], hint) for n, texts in warnings.hints.items() for hint in texts)
    return [
        {**NOTHING_COUNTED, "sdk": sdk, "code": hint, "warned": count}
        for (sdk, hint), count in hints.most_common(MAX_COUNTED_HINTS)
    ]
