"""Ingestion: read a batch, write and count it in one transaction, and tell what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts import links
from app.accounts.service import apply_price_traits
from app.core.db import SessionFactory, run_with_retries
from app.core.errors import FieldError
from app.events.ingestion import b2b_effects, engagement_events, queries, receipts
from app.events.ingestion.event_names import OTHER_NAME, KnownEventNames
from app.events.ingestion.identity_filter import filter_batch
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.receipts import BatchOutcome
from app.events.ingestion.schemas import Receipt
from app.events.quarantine_queries import quarantine_events
from app.events.reading.batch import Batch, ParsedBatch, parse_batch
from app.events.reading.canonical import VIEW_KINDS, CanonicalEvent, Dialect, EventRules
from app.events.reading.errors import StrictBatchError
from app.events.reading.identities import Identities, PriceRow, is_identity_event, merge_identities
from app.events.reading.times import ReceiveContext
from app.events.stats import count_excluded
from app.workspaces.queries import IdChangeFlags


@dataclass(frozen=True, slots=True)
class IngestPolicy:
    """How to read the events of one workspace."""

    rules: EventRules
    base_currency: str
    oldest: datetime | None
    strict: bool = False
    idempotency_key: str | None = None
    changed_ids: IdChangeFlags | None = None
    replayed_on: date | None = None

    @property
    def is_history(self) -> bool:
        """Whether events may be of any age: they count as known on their own day."""
        return self.oldest is None

    def counted_on(self, origin: BatchOrigin) -> date | None:
        """Since when events are known; what is replayed was told in the statistics before."""
        return None if self.is_history else self.replayed_on or origin.received_at.date()


@dataclass(frozen=True, slots=True)
class IngestTarget:
    """Where batches go. ``autocommit`` takes those that one statement stores and counts."""

    sessions: SessionFactory
    autocommit: SessionFactory
    names: KnownEventNames

    def sessions_for(self, reading: ParsedBatch, workspace_id: str) -> SessionFactory:
        """A plain batch needs no BEGIN and COMMIT: its one statement is a transaction."""
        counted = {event.counted for event in reading.events if event.counted}
        plain = not (
            reading.rejected
            or any(event.semantic or is_identity_event(event) for event in reading.events)
            or self.names.missing(workspace_id, counted)
        )
        return self.autocommit if plain else self.sessions


def ingest_batch(
    target: IngestTarget,
    origin: BatchOrigin,
    batch: Batch,
    dialect: Dialect,
    policy: IngestPolicy,
    *,
    request_id: str,
) -> Receipt:
    """Take a batch in. When this returns, all that it says is committed."""
    reading = _parse(origin, batch, dialect, policy)
    outcome = run_with_retries(
        target.sessions_for(reading, origin.workspace_id),
        lambda session: store_batch(session, origin, reading, policy, target.names),
    )
    receipt = receipts.build_receipt(outcome, request_id)
    receipts.record_metrics(receipt, outcome.reading)
    return receipt


def validate_batch(
    sessions: SessionFactory,
    origin: BatchOrigin,
    batch: Batch,
    dialect: Dialect,
    policy: IngestPolicy,
    *,
    request_id: str,
) -> Receipt:
    """Answer what taking a batch in would answer, by doing so and leaving nothing of it."""
    reading = _parse(origin, batch, dialect, policy)
    outcome = run_with_retries(
        sessions,
        lambda session: store_batch(session, origin, reading, policy, KnownEventNames()),
        rehearse=True,
    )
    return receipts.build_receipt(replace(outcome, quarantine_numbers={}), request_id)


def _parse(
    origin: BatchOrigin, batch: Batch, dialect: Dialect, policy: IngestPolicy
) -> ParsedBatch:
    received = ReceiveContext(
        origin.received_at, policy.oldest, batch.sent_at, policy.idempotency_key
    )
    reading = parse_batch(batch, dialect, policy.rules, received)
    if policy.strict and reading.rejected:
        raise StrictBatchError("Nothing was stored.", errors=_field_errors(reading))
    return reading


def store_batch(
    session: Session,
    origin: BatchOrigin,
    reading: ParsedBatch,
    policy: IngestPolicy,
    names: KnownEventNames,
) -> BatchOutcome:
    """Write and count what was read, in the caller's transaction."""
    come = reading
    reading, ids = filter_batch(session, origin.workspace_id, reading, policy.changed_ids)
    warnings = {e.n: list(e.warnings) for e in reading.events if e.warnings}
    numbers: dict[str, int] = {}
    if reading.rejected:
        unique = {row.fingerprint: asdict(row) for row in reading.rejected}
        numbers = quarantine_events(
            session, origin, list(unique.values()), historical=policy.is_history
        )
    identities = merge_identities(reading.events, policy.rules.internal_domains)
    if identities:
        _write_identities(session, origin, identities, policy, warnings)
    events = _within_name_limit(session, origin, reading.events, names, warnings)
    rows = [event.row() for event in events]
    verdicts = queries.insert_events(
        session,
        origin,
        rows,
        counted_on=policy.counted_on(origin),
        aliases=ids.has_aliases,
        aside=None if policy.replayed_on else count_excluded(come, reading),
        only_use=identities is None and not any(event.semantic for event in events),
    )
    known_on = policy.counted_on(origin)
    told = engagement_events.apply_engagement_events(
        session, origin.workspace_id, events, verdicts, known_on=known_on
    )
    for n, warning in told.items():
        warnings.setdefault(n, []).append(warning)
    reused = reading.reused | _reused_ids(session, origin, reading, verdicts)
    for n in reused:
        warnings.setdefault(n, []).append("id_reused")
    return BatchOutcome(reading, verdicts, numbers, reused, warnings)


def oldest_accepted(now: datetime, retention_days: int) -> datetime:
    return now - timedelta(days=retention_days)


def _write_identities(
    session: Session,
    origin: BatchOrigin,
    identities: Identities,
    policy: IngestPolicy,
    warnings: dict[int, list[str]],
) -> None:
    queries.upsert_identities(
        session, origin.workspace_id, identities, counted_on=policy.counted_on(origin)
    )
    for n in identities.invalid_traits:
        warnings.setdefault(n, []).append("invalid_trait")
    if identities.prices:
        _write_prices(session, origin, identities.prices, policy, warnings)
    if identities.moments or identities.incomplete:
        _apply_b2b_events(session, origin, identities, policy, warnings)
    if identities.links:
        for n in links.apply_group_calls(session, origin.workspace_id, identities.links):
            warnings.setdefault(n, []).append("link_ignored")


def _apply_b2b_events(
    session: Session,
    origin: BatchOrigin,
    identities: Identities,
    policy: IngestPolicy,
    warnings: dict[int, list[str]],
) -> None:
    """Do what B2B events say; one that names nobody is an ordinary event."""
    for n in identities.incomplete:
        warnings.setdefault(n, []).append("b2b_incomplete")
    b2b_effects.write_lifecycle_dates(session, origin.workspace_id, identities.moments)
    b2b_effects.end_memberships(session, origin.workspace_id, identities.moments)
    ignored = b2b_effects.end_prices(
        session,
        origin.workspace_id,
        identities.moments,
        identities.prices,
        known_on=policy.counted_on(origin),
    )
    for n, warning in ignored.items():
        warnings.setdefault(n, []).append(warning)


def _write_prices(
    session: Session,
    origin: BatchOrigin,
    prices: Sequence[PriceRow],
    policy: IngestPolicy,
    warnings: dict[int, list[str]],
) -> None:
    """Let prices hold from the day of their call, unless an API or a later call has told."""
    known = queries.load_known_prices(
        session, origin.workspace_id, {row.account_id for row in prices}
    )
    for row in prices:
        if known[row.account_id].has_other_source:
            for n in row.numbers:
                warnings.setdefault(n, []).append("mrr_ignored")
        elif not known[row.account_id].is_newer_than(row.said_at):
            apply_price_traits(
                session,
                origin.workspace_id,
                row.account_id,
                row.price,
                on=row.said_at.date(),
                known_on=policy.counted_on(origin) or row.said_at.date(),
                base_currency=policy.base_currency,
            )


def _within_name_limit(
    session: Session,
    origin: BatchOrigin,
    events: list[CanonicalEvent],
    names: KnownEventNames,
    warnings: dict[int, list[str]],
) -> list[CanonicalEvent]:
    """Register new event names; what is beyond the limit is counted as ``other``."""
    counted = {event.counted: event.kind in VIEW_KINDS for event in events if event.counted}
    unknown = names.missing(origin.workspace_id, counted)
    if not unknown:
        return events
    names.learn(origin.workspace_id, queries.list_event_names(session, origin.workspace_id))
    unknown = names.missing(origin.workspace_id, unknown)
    if not unknown:
        return events
    new = {name: counted[name] for name in unknown}
    known = queries.insert_event_names(session, origin.workspace_id, new, now=origin.received_at)
    beyond = unknown - known
    for event in events:
        if event.counted in beyond:
            warnings.setdefault(event.n, []).append("event_name_limit")
    return [replace(e, counted=OTHER_NAME) if e.counted in beyond else e for e in events]


def _reused_ids(
    session: Session, origin: BatchOrigin, reading: ParsedBatch, verdicts: dict[int, str]
) -> set[int]:
    """Find duplicates whose content differs from what was stored under their id."""
    repeated = [e for e in reading.events if verdicts.get(e.n) == "duplicate" and not e.untimed]
    if not repeated:
        return set()
    keys = [(event.client_at, event.message_id) for event in repeated]
    stored = queries.load_fingerprints(session, origin.workspace_id, keys)
    return {
        event.n
        for event in repeated
        if stored.get((event.client_at, event.message_id), event.fingerprint) != event.fingerprint
    }


def _field_errors(reading: ParsedBatch) -> list[FieldError]:
    return [FieldError(f"/{row.n}{row.pointer}", row.detail) for row in reading.rejected]
