"""Ingestion: parse a batch, store and count it in one transaction, and return a receipt."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts import links
from app.accounts.subscription_service import apply_price_traits
from app.core.db import SessionFactory, run_with_retries
from app.core.errors import FieldError
from app.events.ingestion import b2b_effects, engagement_events, queries, receipts
from app.events.ingestion.event_names import OTHER_NAME, KnownEventNames
from app.events.ingestion.identity_filter import filter_batch
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.receipts import BatchOutcome
from app.events.ingestion.schemas import Receipt
from app.events.reading.batch import Batch, ParsedBatch, parse_batch
from app.events.reading.canonical import VIEW_KINDS, CanonicalEvent, Dialect, EventRules
from app.events.reading.errors import StrictBatchError
from app.events.reading.identities import Identities, PriceRow, is_identity_event, merge_identities
from app.events.reading.times import ReceiveContext
from app.workspaces.queries import IdChangeFlags


@dataclass(frozen=True, slots=True)
class IngestPolicy:
    """How to parse and store the events of one workspace.

    ``oldest``: the oldest event accepted; None for history: events of any age, each known on its
    own day. ``replayed_on``: the day of a replay; the statistics counted its events before.
    """

    rules: EventRules
    base_currency: str
    oldest: datetime | None
    strict: bool = False
    idempotency_key: str | None = None
    changed_ids: IdChangeFlags | None = None
    replayed_on: date | None = None

    @property
    def is_history(self) -> bool:
        return self.oldest is None

    def known_on(self, origin: BatchOrigin) -> date | None:
        """Return the day on which the events became known; None for history."""
        return None if self.is_history else self.replayed_on or origin.received_at.date()


@dataclass(frozen=True, slots=True)
class IngestTarget:
    """Where batches are stored. ``autocommit``: for batches that need only one statement."""

    sessions: SessionFactory
    autocommit: SessionFactory
    names: KnownEventNames

    def sessions_for(self, parsed: ParsedBatch, workspace_id: str) -> SessionFactory:
        """Return autocommit sessions for a plain batch: one statement needs no BEGIN and COMMIT."""
        names = {event.counted_as for event in parsed.events if event.counted_as}
        plain = not (
            parsed.rejected
            or any(event.semantic or is_identity_event(event) for event in parsed.events)
            or self.names.missing(workspace_id, names)
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
    """Store and count a batch. When this returns, all of it is committed."""
    parsed = _parse(origin, batch, dialect, policy)
    outcome = run_with_retries(
        target.sessions_for(parsed, origin.workspace_id),
        lambda session: store_batch(session, origin, parsed, policy, target.names),
    )
    receipt = receipts.build_receipt(outcome, request_id)
    receipts.record_metrics(receipt, outcome.parsed)
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
    """Return the receipt that ingesting the batch would give: do it, then roll it back."""
    parsed = _parse(origin, batch, dialect, policy)
    outcome = run_with_retries(
        sessions,
        lambda session: store_batch(session, origin, parsed, policy, KnownEventNames()),
        dry_run=True,
    )
    return receipts.build_receipt(replace(outcome, quarantine_numbers={}), request_id)


def _parse(
    origin: BatchOrigin, batch: Batch, dialect: Dialect, policy: IngestPolicy
) -> ParsedBatch:
    received = ReceiveContext(
        origin.received_at, policy.oldest, batch.sent_at, policy.idempotency_key
    )
    parsed = parse_batch(batch, dialect, policy.rules, received)
    if policy.strict and parsed.rejected:
        raise StrictBatchError(
            "Some events are invalid, so nothing was stored: see `errors`.",
            errors=_field_errors(parsed),
        )
    return parsed


def store_batch(
    session: Session,
    origin: BatchOrigin,
    parsed: ParsedBatch,
    policy: IngestPolicy,
    names: KnownEventNames,
) -> BatchOutcome:
    """Store and count a parsed batch in the caller's transaction."""
    original = parsed
    parsed, ids = filter_batch(session, origin.workspace_id, parsed, policy.changed_ids)
    warnings = {e.n: list(e.warnings) for e in parsed.events if e.warnings}
    numbers: dict[str, int] = {}
    if parsed.rejected:
        unique = {row.fingerprint: asdict(row) for row in parsed.rejected}
        numbers = queries.quarantine_events(
            session, origin, list(unique.values()), historical=policy.is_history
        )
    identities = merge_identities(parsed.events, policy.rules.internal_domains)
    if identities:
        _write_identities(session, origin, identities, policy, warnings)
    events = _within_name_limit(session, origin, parsed.events, names, warnings)
    rows = [event.row() for event in events]
    known_on = policy.known_on(origin)
    verdicts = queries.insert_events(
        session,
        origin,
        rows,
        known_on=known_on,
        aliases=ids.has_aliases,
        excluded=None if policy.replayed_on else receipts.count_excluded(original, parsed),
        only_use=identities is None and not any(event.semantic for event in events),
    )
    not_applied = engagement_events.apply_engagement_events(
        session, origin.workspace_id, events, verdicts, known_on=known_on
    )
    for n, warning in not_applied.items():
        warnings.setdefault(n, []).append(warning)
    reused = parsed.reused | _reused_ids(session, origin, parsed, verdicts)
    for n in reused:
        warnings.setdefault(n, []).append("id_reused")
    return BatchOutcome(parsed, verdicts, numbers, reused, warnings)


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
        session, origin.workspace_id, identities, known_on=policy.known_on(origin)
    )
    for n in identities.invalid_traits:
        warnings.setdefault(n, []).append("invalid_trait")
    if identities.prices:
        _write_prices(session, origin, identities.prices, policy, warnings)
    if identities.b2b_events or identities.incomplete:
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
    """Apply the B2B events; one that lacks its account or user is an ordinary event."""
    for n in identities.incomplete:
        warnings.setdefault(n, []).append("b2b_incomplete")
    b2b_effects.write_lifecycle_dates(session, origin.workspace_id, identities.b2b_events)
    b2b_effects.end_memberships(session, origin.workspace_id, identities.b2b_events)
    ignored = b2b_effects.end_prices(
        session,
        origin.workspace_id,
        identities.b2b_events,
        identities.prices,
        known_on=policy.known_on(origin),
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
    """Set prices from the day of their call, unless another source or a later call has set them."""
    known = queries.load_known_prices(
        session, origin.workspace_id, {row.account_id for row in prices}
    )
    for row in prices:
        if known[row.account_id].has_other_source:
            for n in row.numbers:
                warnings.setdefault(n, []).append("mrr_ignored")
        elif not known[row.account_id].is_newer_than(row.stated_at):
            apply_price_traits(
                session,
                origin.workspace_id,
                row.account_id,
                row.price,
                on=row.stated_at.date(),
                known_on=policy.known_on(origin) or row.stated_at.date(),
                base_currency=policy.base_currency,
            )


def _within_name_limit(
    session: Session,
    origin: BatchOrigin,
    events: list[CanonicalEvent],
    names: KnownEventNames,
    warnings: dict[int, list[str]],
) -> list[CanonicalEvent]:
    """Register new event names; events with names beyond the limit are counted as ``other``."""
    is_view = {e.counted_as: e.kind in VIEW_KINDS for e in events if e.counted_as}
    unknown = names.missing(origin.workspace_id, is_view)
    if not unknown:
        return events
    names.add(origin.workspace_id, queries.list_event_names(session, origin.workspace_id))
    unknown = names.missing(origin.workspace_id, unknown)
    if not unknown:
        return events
    new = {name: is_view[name] for name in unknown}
    known = queries.insert_event_names(session, origin.workspace_id, new, now=origin.received_at)
    beyond = unknown - known
    for event in events:
        if event.counted_as in beyond:
            warnings.setdefault(event.n, []).append("event_name_limit")
    return [replace(e, counted_as=OTHER_NAME) if e.counted_as in beyond else e for e in events]


def _reused_ids(
    session: Session, origin: BatchOrigin, parsed: ParsedBatch, verdicts: dict[int, str]
) -> set[int]:
    """Return the duplicates whose content differs from the stored event with their id."""
    repeated = [e for e in parsed.events if verdicts.get(e.n) == "duplicate" and not e.untimed]
    if not repeated:
        return set()
    keys = [(event.client_at, event.message_id) for event in repeated]
    stored = queries.load_fingerprints(session, origin.workspace_id, keys)
    return {
        event.n
        for event in repeated
        if stored.get((event.client_at, event.message_id), event.fingerprint) != event.fingerprint
    }


def _field_errors(parsed: ParsedBatch) -> list[FieldError]:
    return [FieldError(f"/{row.n}{row.pointer}", row.detail) for row in parsed.rejected]
