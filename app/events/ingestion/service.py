"""Ingestion: parse a batch, store and count it in one transaction, and return a receipt."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from app.accounts import links
from app.core.db import SessionFactory, run_with_retries
from app.core.errors import FieldError
from app.events.ingestion import b2b_effects, engagement_events, queries, receipts
from app.events.ingestion.event_names import OTHER_NAME, KnownEventNames, first_days
from app.events.ingestion.identity_filter import filter_batch
from app.events.ingestion.queries import BatchOrigin
from app.events.ingestion.receipts import BatchOutcome, BatchWarnings
from app.events.ingestion.reused_ids import store_under_own_ids
from app.events.ingestion.schemas import Receipt
from app.events.reading.batch import Batch, ParsedBatch, parse_batch
from app.events.reading.canonical import VIEW_KINDS, CanonicalEvent, Dialect, EventRules
from app.events.reading.errors import StrictBatchError
from app.events.reading.identities import Identities, is_identity_event, merge_identities
from app.events.reading.near_misses import UNREAD_FIELD
from app.events.reading.reused_ids import ID_REUSED
from app.events.reading.times import ReceiveContext
from app.workspaces.auth import Caller
from app.workspaces.queries import IdChangeFlags
from app.workspaces.semantic_events import events_by_name
from app.workspaces.tables import Workspace


@dataclass(frozen=True, slots=True)
class IngestPolicy:
    """How to parse and store the events of one workspace.

    ``oldest``: the time of the oldest event accepted; None for imported history: events of any age,
    each known on the day it happened. ``replayed_on``: the day of a replay, whose events are not
    counted in the statistics again; None: no replay.
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


def event_rules(settings: Workspace | Caller) -> EventRules:
    """Return the rules by which the events of a workspace are parsed, from its settings."""
    return EventRules(
        settings.end_customer_keys,
        settings.reach_property,
        settings.internal_domains,
        events_by_name(settings.semantic_events),
    )


@dataclass(frozen=True, slots=True)
class IngestTarget:
    """Where batches are stored. ``autocommit``: for batches that need only one statement."""

    sessions: SessionFactory
    autocommit: SessionFactory
    names: KnownEventNames

    def sessions_for(self, parsed: ParsedBatch, origin: BatchOrigin) -> SessionFactory:
        """Return autocommit sessions if one statement stores the batch: it needs no BEGIN.

        That is a batch without rejected, identity and semantic events, and without event names that
        are new or earlier than before.
        """
        days = first_days(parsed.events)
        plain = not (
            parsed.rejected
            or any(event.semantic or is_identity_event(event) for event in parsed.events)
            or self.names.missing(origin.workspace_id, days)
            or self.names.earlier(origin.workspace_id, origin.key_id, days)
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
    dry_run: bool = False,
) -> Receipt:
    """Store and count a batch. When this returns, all of it is committed.

    ``dry_run``: store the batch, roll back, and return the receipt of what would be stored.
    """
    parsed = _parse(origin, batch, dialect, policy)
    names = KnownEventNames() if dry_run else target.names
    sessions = target.sessions if dry_run else target.sessions_for(parsed, origin)
    outcome = run_with_retries(
        sessions,
        lambda session: store_batch(session, origin, parsed, policy, names),
        dry_run=dry_run,
        autocommit=sessions is target.autocommit,
    )
    if dry_run:
        return receipts.build_receipt(replace(outcome, quarantine_numbers={}), request_id)
    receipt = receipts.build_receipt(outcome, request_id)
    receipts.record_metrics(receipt, outcome.parsed)
    return receipt


def _parse(
    origin: BatchOrigin, batch: Batch, dialect: Dialect, policy: IngestPolicy
) -> ParsedBatch:
    received = ReceiveContext(
        origin.received_at, policy.oldest, batch.sent_at, policy.idempotency_key
    )
    parsed = parse_batch(batch, dialect, policy.rules, received)
    if policy.strict and parsed.rejected:
        raise StrictBatchError(
            "Some events are invalid, so nothing was stored: correct those listed in `errors`.",
            errors=[FieldError(f"/{row.n}{row.pointer}", row.detail) for row in parsed.rejected],
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
    batch = _BatchTransaction(session, origin, policy, BatchWarnings.of_parsed(parsed))
    numbers: dict[str, int] = {}
    if parsed.rejected:
        unique = {row.fingerprint: asdict(row) for row in parsed.rejected}
        numbers = queries.quarantine_events(
            session, origin, list(unique.values()), historical=policy.is_history
        )
    identities = merge_identities(parsed.events, policy.rules.internal_domains)
    if identities:
        batch.write_identities(identities)
    batch.warn_of_user_aliases(parsed.events)
    events = batch.within_name_limit(parsed.events, names)
    batch.note_first_days(events, names)
    excluded = receipts.count_excluded(original, parsed)
    excluded += receipts.count_hints(parsed, batch.warnings)
    insert = partial(
        queries.insert_events,
        session,
        origin,
        known_on=batch.known_on,
        aliases=ids.has_aliases,
        only_use=identities is None and not any(event.semantic for event in events),
    )
    counted = policy.replayed_on is None
    verdicts = insert([event.row() for event in events], excluded=excluded if counted else None)
    reused = batch.reused_ids(parsed, verdicts)
    verdicts = store_under_own_ids(insert, events, verdicts, reused, counted=counted)
    not_applied = engagement_events.apply_engagement_events(
        session, origin.workspace_id, events, verdicts, known_on=batch.known_on
    )
    for n, warning in not_applied.items():
        batch.warnings.add(n, warning)
    for n in parsed.reused | reused:
        batch.warnings.add(n, ID_REUSED)
    return BatchOutcome(parsed, verdicts, numbers, batch.warnings)


def oldest_accepted(now: datetime, retention_days: int) -> datetime:
    return now - timedelta(days=retention_days)


USERS_NOT_MERGED = (
    "The previous id is that of a user, and users are not merged: both stay. An alias call links an"
    " anonymous id to a user."
)


def _invalid_hint(trait: str) -> str:
    return f"`{trait}` has a value that cannot be read; it was left out."


@dataclass(slots=True)
class _BatchTransaction:
    """The transaction of one batch, and the warnings of its events."""

    session: Session
    origin: BatchOrigin
    policy: IngestPolicy
    warnings: BatchWarnings

    @property
    def known_on(self) -> date | None:
        """The day on which the events became known; None for history."""
        policy = self.policy
        return None if policy.is_history else policy.replayed_on or self.origin.received_at.date()

    def write_identities(self, identities: Identities) -> None:
        session, workspace_id = self.session, self.origin.workspace_id
        queries.upsert_identities(
            session,
            workspace_id,
            identities,
            known_on=self.known_on,
            today=self.policy.replayed_on or self.origin.received_at.date(),
        )
        for n, names in identities.invalid_traits.items():
            self.warnings.add(n, "invalid_trait", [_invalid_hint(name) for name in names])
        for n, hints in identities.hints.items():
            self.warnings.add(n, UNREAD_FIELD, hints)
        for n in identities.incomplete:  # without account or user it only counts as usage
            self.warnings.add(n, "b2b_incomplete")
        if identities.b2b_events:
            b2b_effects.apply_b2b_events(session, workspace_id, identities.b2b_events)
        if identities.prices or identities.b2b_events:
            for n in b2b_effects.apply_prices(
                session,
                workspace_id,
                identities,
                known_on=self.known_on,
                base_currency=self.policy.base_currency,
            ):
                self.warnings.add(n, "mrr_ignored")
        if identities.links:
            for n in links.apply_group_calls(session, workspace_id, identities.links):
                self.warnings.add(n, "link_ignored")

    def warn_of_user_aliases(self, events: Sequence[CanonicalEvent]) -> None:
        """Warn of alias calls whose previous id is a user's: two users do not become one."""
        previous = {e.previous_id for e in events if e.kind == "alias" and e.previous_id}
        if not previous:
            return
        users = queries.list_known_users(self.session, self.origin.workspace_id, previous)
        users |= {event.user_id for event in events if event.user_id}
        for event in events:
            is_alias = event.kind == "alias" and event.previous_id != event.user_id
            if is_alias and event.previous_id in users:
                self.warnings.add(event.n, "users_not_merged", [USERS_NOT_MERGED])

    def within_name_limit(
        self, events: list[CanonicalEvent], names: KnownEventNames
    ) -> list[CanonicalEvent]:
        """Register new event names; events with names beyond the limit are counted as ``other``."""
        session, workspace_id = self.session, self.origin.workspace_id
        is_view = {e.counted_as: e.kind in VIEW_KINDS for e in events if e.counted_as}
        unknown = names.missing(workspace_id, is_view)
        if unknown:
            names.add(workspace_id, queries.list_event_names(session, workspace_id))
            unknown = names.missing(workspace_id, unknown)
        if not unknown:
            return events
        new, now = {name: is_view[name] for name in unknown}, self.origin.received_at
        beyond = unknown - queries.insert_event_names(session, workspace_id, new, now=now)
        for event in events:
            if event.counted_as in beyond:
                self.warnings.add(event.n, "event_name_limit")
        return [replace(e, counted_as=OTHER_NAME) if e.counted_as in beyond else e for e in events]

    def note_first_days(self, events: Sequence[CanonicalEvent], names: KnownEventNames) -> None:
        """Store the first day of each name that the source sends, where it is a new one."""
        source = self.origin.workspace_id, self.origin.key_id
        earlier = names.earlier(*source, first_days(events))
        if earlier:
            names.add_first_days(*source, queries.load_first_days(self.session, *source))
            earlier = names.earlier(*source, earlier)
        if earlier:
            queries.write_first_days(self.session, *source, earlier)

    def reused_ids(self, parsed: ParsedBatch, verdicts: dict[int, str]) -> set[int]:
        """Return the duplicates whose content differs from the stored event with their id."""
        repeated = {
            (event.client_at, event.message_id): event
            for event in parsed.events
            if verdicts.get(event.n) == "duplicate" and not event.untimed
        }
        if not repeated:
            return set()
        stored = queries.load_fingerprints(self.session, self.origin.workspace_id, [*repeated])
        return {
            event.n
            for key, event in repeated.items()
            if stored.get(key, event.fingerprint) != event.fingerprint
        }
