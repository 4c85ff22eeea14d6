"""Ingestion: read a batch, write and count it in one transaction, and tell what became of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.service import put_price_traits
from app.core import metrics
from app.core.db import Sessions, retrying
from app.core.errors import FieldError
from app.events import queries
from app.events.batch import Batch, Reading, read
from app.events.canonical import VIEWS, Dialect, Event, Rules
from app.events.errors import StrictBatchError
from app.events.identities import IDENTITY_KINDS, Identities, PriceRow, fold
from app.events.names import OTHER, KnownNames
from app.events.queries import Origin
from app.events.schemas import Receipt, Verdict
from app.events.times import Received

MOST_VERDICTS = 100
ATTRIBUTE_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Policy:
    """How to read the events of one workspace."""

    rules: Rules
    base_currency: str
    oldest: datetime | None
    strict: bool = False
    idempotency_key: str | None = None

    @property
    def is_history(self) -> bool:
        """Whether events may be of any age: they count as known on their own day."""
        return self.oldest is None

    def counted_on(self, origin: Origin) -> date | None:
        return None if self.is_history else origin.received_at.date()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the transaction did, by event number."""

    verdicts: dict[int, str]
    quarantine_numbers: dict[str, int]
    reused: set[int]
    warnings: dict[int, list[str]]


@dataclass(frozen=True, slots=True)
class Store:
    """Where batches go. ``autocommit`` takes those that one statement stores and counts."""

    sessions: Sessions
    autocommit: Sessions
    names: KnownNames

    def sessions_for(self, reading: Reading, workspace_id: str) -> Sessions:
        """A plain batch needs no BEGIN and COMMIT: its one statement is a transaction."""
        counted = {event.counted for event in reading.events if event.counted}
        plain = not (
            reading.rejected
            or any(event.kind in IDENTITY_KINDS for event in reading.events)
            or self.names.missing(workspace_id, counted)
        )
        return self.autocommit if plain else self.sessions


def ingest(
    target: Store,
    origin: Origin,
    batch: Batch,
    dialect: Dialect,
    policy: Policy,
    *,
    request_id: str,
) -> Receipt:
    """Take a batch in. When this returns, all that it says is committed."""
    received = Received(origin.received_at, policy.oldest, batch.sent_at, policy.idempotency_key)
    reading = read(batch, dialect, policy.rules, received)
    if policy.strict and reading.rejected:
        raise StrictBatchError("Nothing was stored.", errors=_field_errors(reading))
    outcome = retrying(
        target.sessions_for(reading, origin.workspace_id),
        lambda session: store(session, origin, reading, policy, target.names),
    )
    receipt = _receipt(reading, outcome, request_id)
    _count(receipt, reading)
    return receipt


def store(
    session: Session, origin: Origin, reading: Reading, policy: Policy, names: KnownNames
) -> Outcome:
    """Write and count what was read, in the caller's transaction."""
    warnings = {e.n: list(e.warnings) for e in reading.events if e.warnings}
    numbers: dict[str, int] = {}
    if reading.rejected:
        unique = {row.fingerprint: asdict(row) for row in reading.rejected}
        numbers = queries.quarantine(session, origin, list(unique.values()))
    identities = fold(reading.events, policy.rules.internal_domains)
    if identities:
        _write_identities(session, origin, identities, policy, warnings)
    events = _within_name_limit(session, origin, reading.events, names, warnings)
    rows = [event.row() for event in events]
    verdicts = queries.ingest(session, origin, rows, counted_on=policy.counted_on(origin))
    reused = reading.reused | _reused(session, origin, reading, verdicts)
    for n in reused:
        warnings.setdefault(n, []).append("id_reused")
    return Outcome(verdicts, numbers, reused, warnings)


def attribute(sessions: Sessions, *, now: datetime) -> int:
    """Move waiting events whose account has become known, and count them as known today.

    Taking them out, storing and counting them is one transaction; dedupe applies. Returns how
    many were taken.
    """
    with sessions.begin() as session:
        taken = queries.take_attributable(session, limit=ATTRIBUTE_AT_ONCE)
        by_origin: dict[Origin, list[dict[str, Any]]] = {}
        for waiting in taken:
            by_origin.setdefault(waiting.origin, []).append(dict(waiting.row))
        for origin, rows in sorted(by_origin.items(), key=lambda item: item[0].workspace_id):
            queries.ingest(session, origin, rows, counted_on=now.date())
    return len(taken)


def oldest_allowed(now: datetime, retention_days: int) -> datetime:
    return now - timedelta(days=retention_days)


def _write_identities(
    session: Session,
    origin: Origin,
    identities: Identities,
    policy: Policy,
    warnings: dict[int, list[str]],
) -> None:
    queries.write_identities(
        session, origin.workspace_id, identities, counted_on=policy.counted_on(origin)
    )
    for n in identities.invalid_traits:
        warnings.setdefault(n, []).append("invalid_trait")
    if identities.prices:
        _write_prices(session, origin, identities.prices, policy, warnings)


def _write_prices(
    session: Session,
    origin: Origin,
    prices: Sequence[PriceRow],
    policy: Policy,
    warnings: dict[int, list[str]],
) -> None:
    """Let prices hold from the day of their call, unless an API or a later call has told."""
    known = queries.known_prices(session, origin.workspace_id, {row.account_id for row in prices})
    for row in prices:
        if known[row.account_id].said_elsewhere:
            for n in row.numbers:
                warnings.setdefault(n, []).append("mrr_ignored")
        elif not known[row.account_id].is_newer_than(row.said_at):
            put_price_traits(
                session,
                origin.workspace_id,
                row.account_id,
                row.price,
                on=row.said_at.date(),
                known_on=origin.received_at.date(),
                base_currency=policy.base_currency,
            )


def _within_name_limit(
    session: Session,
    origin: Origin,
    events: list[Event],
    names: KnownNames,
    warnings: dict[int, list[str]],
) -> list[Event]:
    """Register new event names; what is beyond the limit is counted as ``other``."""
    counted = {event.counted: event.kind in VIEWS for event in events if event.counted}
    unknown = names.missing(origin.workspace_id, counted)
    if not unknown:
        return events
    names.learn(origin.workspace_id, queries.known_names(session, origin.workspace_id))
    unknown = names.missing(origin.workspace_id, unknown)
    if not unknown:
        return events
    new = {name: counted[name] for name in unknown}
    known = queries.add_names(session, origin.workspace_id, new, now=origin.received_at)
    beyond = unknown - known
    for event in events:
        if event.counted in beyond:
            warnings.setdefault(event.n, []).append("event_name_limit")
    return [replace(e, counted=OTHER) if e.counted in beyond else e for e in events]


def _reused(
    session: Session, origin: Origin, reading: Reading, verdicts: dict[int, str]
) -> set[int]:
    """Find duplicates whose content differs from what was stored under their id."""
    repeated = [e for e in reading.events if verdicts.get(e.n) == "duplicate" and not e.untimed]
    if not repeated:
        return set()
    keys = [(event.client_at, event.message_id) for event in repeated]
    stored = queries.fingerprints(session, origin.workspace_id, keys)
    return {
        event.n
        for event in repeated
        if stored.get((event.client_at, event.message_id), event.fingerprint) != event.fingerprint
    }


def _receipt(reading: Reading, outcome: Outcome, request_id: str) -> Receipt:
    results = Counter(outcome.verdicts.values())
    duplicates = results["duplicate"] + len(reading.repeats)
    listed = sorted(_verdicts(reading, outcome), key=lambda verdict: verdict.index)
    received = len(reading.events) + len(reading.repeats) + len(reading.rejected)
    return Receipt(
        request_id=request_id,
        received=received,
        accepted=received - duplicates - len(reading.rejected),
        duplicates=duplicates,
        quarantined=len(reading.rejected),
        unattributed=results["unattributed"],
        warnings=sum(len(codes) for codes in outcome.warnings.values()),
        events=listed[:MOST_VERDICTS],
    )


def _verdicts(reading: Reading, outcome: Outcome) -> Iterable[Verdict]:
    for row in reading.rejected:
        yield Verdict(
            index=row.n,
            message_id=row.message_id,
            result="quarantined",
            code=row.code,
            pointer=row.pointer,
            detail=row.detail,
            quarantine_id=f"q_{outcome.quarantine_numbers[row.fingerprint]}",
        )
    for event in reading.repeats.values():
        yield _duplicate(event, outcome)
    for event in reading.events:
        if outcome.verdicts.get(event.n) == "duplicate":
            yield _duplicate(event, outcome)
        elif event.n in outcome.warnings or event.n in outcome.verdicts:
            yield Verdict(
                index=event.n,
                message_id=event.message_id,
                result="accepted",
                code=outcome.verdicts.get(event.n),
                warnings=outcome.warnings.get(event.n, []),
            )


def _duplicate(event: Event, outcome: Outcome) -> Verdict:
    warnings = outcome.warnings.get(event.n, [])
    return Verdict(
        index=event.n, message_id=event.message_id, result="duplicate", warnings=warnings
    )


def _field_errors(reading: Reading) -> list[FieldError]:
    return [FieldError(f"/{row.n}{row.pointer}", row.detail) for row in reading.rejected]


def _count(receipt: Receipt, reading: Reading) -> None:
    metrics.EVENTS.labels("accepted").inc(receipt.accepted)
    metrics.EVENTS.labels("duplicate").inc(receipt.duplicates)
    metrics.EVENTS.labels("quarantined").inc(receipt.quarantined)
    for row in reading.rejected:
        metrics.QUARANTINED.labels(row.code).inc()
