"""Merge the identity calls of a batch into one row per account, user and alias, before writing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from app.accounts.stated_prices.replay import STARTED
from app.accounts.traits import (
    AccountTraits,
    field_names,
    field_time,
    split_account_traits,
)
from app.accounts.user_traits import UserTraits, is_internal, split_user_traits
from app.events.reading import b2b, near_misses
from app.events.reading.b2b import B2BEvent, B2BEventKind
from app.events.reading.canonical import CanonicalEvent

KeyT = TypeVar("KeyT", str, tuple[str, date, str])
RowT = TypeVar("RowT")

IDENTITY_KINDS = frozenset({"identify", "group", "alias"})


@dataclass(slots=True)
class AccountTraitsRow:
    """The merged traits of an account: later calls override earlier ones.

    ``field_times``: when each column and trait was stated (``field_time``).
    """

    account_id: str
    traits_at: datetime
    field_times: dict[str, str] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PriceRow:
    """The price that group calls and B2B events of one day state for an account.

    ``price``: field to the time of its newest statement and the value. ``numbers``: the places of
    these events in the batch. ``old_account_id``: the id of the merged account that they were sent
    to, empty for any other.
    """

    account_id: str
    day: date
    price: dict[str, tuple[datetime, Any]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    old_account_id: str = ""


@dataclass(slots=True)
class LinkRow:
    """The parent and the external ids that group calls state for an account.

    ``parent_time``: when the parent was stated (``field_time``). ``numbers``: the places of the
    calls in the batch.
    """

    account_id: str
    parent_id: str | None = None
    parent_time: str = ""
    external_ids: dict[str, str] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class UserTraitsRow:
    user_id: str
    traits_at: datetime
    account_id: str | None = None
    account_since: datetime | None = None
    field_times: dict[str, str] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class AliasRow:
    anonymous_id: str
    user_id: str
    day: date


@dataclass(frozen=True, slots=True)
class Identities:
    """One row for each account, user and alias, in key order; prices by account and day.

    ``invalid_traits``: event number to the names of traits that could not be parsed.
    ``incomplete``: numbers of B2B events that lack the account or the user they need.
    ``hints``: event number to what is wrong with the names of its traits or properties.
    """

    accounts: Sequence[AccountTraitsRow]
    prices: Sequence[PriceRow]
    links: Sequence[LinkRow]
    users: Sequence[UserTraitsRow]
    aliases: Sequence[AliasRow]
    invalid_traits: Mapping[int, tuple[str, ...]]
    b2b_events: Sequence[B2BEvent] = ()
    incomplete: Sequence[int] = ()
    hints: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def is_identity_event(event: CanonicalEvent) -> bool:
    """Whether an event changes an account or a user: an identity call or a B2B event."""
    return event.kind in IDENTITY_KINDS or b2b.is_b2b_event(event)


def merge_identities(
    events: Sequence[CanonicalEvent], internal_domains: Collection[str]
) -> Identities | None:
    """Merge the identity calls of a batch in the order of their times; None if it has none."""
    calls = [event for event in events if is_identity_event(event)]
    if not calls:
        return None
    merged = _MergedCalls(internal_domains)
    for time, _, event in sorted((_event_time(each), each.n, each) for each in calls):
        merged.add(event, time)
    return Identities(
        _in_key_order(merged.accounts),
        [row for row in _in_key_order(merged.prices) if row.price],
        _in_key_order(merged.links),
        _in_key_order(merged.users),
        _in_key_order(merged.aliases),
        merged.invalid_traits,
        merged.b2b_events,
        merged.incomplete,
        {event.n: hints for event in calls if (hints := _trait_hints(event))},
    )


def _event_time(event: CanonicalEvent) -> str:
    """Return when an event stated its fields. Events without a time keep their order in a batch."""
    return field_time(event.occurred_at, f"{event.n:06}" if event.untimed else event.message_id)


def _trait_hints(event: CanonicalEvent) -> tuple[str, ...]:
    if event.kind == "group":
        return near_misses.account_trait_hints(event.traits or {})
    if event.kind == "identify":
        has_account = event.account_id is not None
        return near_misses.person_trait_hints(event.traits or {}, has_account=has_account)
    of_price = b2b.sets_price(event)
    if of_price or b2b.creates_account(event):
        return near_misses.property_hints(event.properties, of_price=of_price)
    return ()


def _in_key_order(rows: Mapping[KeyT, RowT]) -> list[RowT]:
    return [rows[key] for key in sorted(rows)]


@dataclass(slots=True)
class _MergedCalls:
    """The rows of the calls that were added so far, by key. Later calls override earlier ones."""

    internal_domains: Collection[str]
    accounts: dict[str, AccountTraitsRow] = field(default_factory=dict)
    prices: dict[tuple[str, date, str], PriceRow] = field(default_factory=dict)
    links: dict[str, LinkRow] = field(default_factory=dict)
    users: dict[str, UserTraitsRow] = field(default_factory=dict)
    aliases: dict[str, AliasRow] = field(default_factory=dict)
    invalid_traits: dict[int, tuple[str, ...]] = field(default_factory=dict)
    b2b_events: list[B2BEvent] = field(default_factory=list)
    incomplete: list[int] = field(default_factory=list)

    def add(self, event: CanonicalEvent, time: str) -> None:
        """Add a call. ``time``: when it stated its fields (``field_time``)."""
        if event.kind == "track":
            self._add_b2b_event(event, time)
            return
        if event.kind == "group":
            traits = split_account_traits(event.traits or {})
            self._merge_account(event, time, traits)
            self._merge_links(event, time, traits)
            if traits.invalid:
                self.invalid_traits[event.n] = traits.invalid
        if event.user_id:
            self._merge_user(event, time)
        self._merge_alias(event)

    def _add_b2b_event(self, event: CanonicalEvent, time: str) -> None:
        b2b_event = b2b.parse_b2b_event(event, time)
        if b2b_event is None:
            self.incomplete.append(event.n)
            return
        self.b2b_events.append(b2b_event)
        if b2b_event.traits.columns or b2b_event.traits.price:
            self._merge_account(event, time, b2b_event.traits)
            if b2b_event.kind is B2BEventKind.SUBSCRIPTION_STARTED:
                self._price_row(event).price[STARTED] = (event.occurred_at, True)
        self._merge_member(event, time, b2b_event)
        if b2b_event.invalid:
            self.invalid_traits[event.n] = b2b_event.traits.invalid

    def _merge_account(self, event: CanonicalEvent, time: str, traits: AccountTraits) -> None:
        account_id, at = event.account_id or "", event.occurred_at
        account = self.accounts.setdefault(account_id, AccountTraitsRow(account_id, at))
        account.traits_at = at
        account.columns.update(traits.columns)
        account.traits.update(traits.rest)
        names = field_names(traits.columns, traits.rest)
        account.field_times.update(dict.fromkeys(names, time))
        price = self._price_row(event)
        price.price |= {name: (at, value) for name, value in traits.price.items()}
        # a plan alone is stored as an account column too: it needs no warning if prices are ignored
        if traits.price.keys() - {"plan"}:
            price.numbers.append(event.n)

    def _price_row(self, event: CanonicalEvent) -> PriceRow:
        key = event.account_id or "", event.day, event.old_account_id
        return self.prices.setdefault(key, PriceRow(*key[:2], old_account_id=key[2]))

    def _merge_links(self, event: CanonicalEvent, time: str, traits: AccountTraits) -> None:
        if not traits.links:
            return
        account_id = event.account_id or ""
        row = self.links.setdefault(account_id, LinkRow(account_id))
        if "parent_id" in traits.links:
            row.parent_id, row.parent_time = traits.links["parent_id"], time
        row.external_ids.update(traits.links.get("external_ids", {}))
        row.numbers.append(event.n)

    def _merge_user(self, event: CanonicalEvent, time: str) -> UserTraitsRow:
        user_id = event.user_id or ""
        row = self.users.setdefault(user_id, UserTraitsRow(user_id, event.occurred_at))
        row.traits_at = event.occurred_at
        if event.account_id:
            row.account_id, row.account_since = event.account_id, event.occurred_at
            row.field_times["account_id"] = time
        if event.kind == "identify":
            self._set_user_traits(row, split_user_traits(event.traits or {}), time)
        return row

    def _set_user_traits(self, row: UserTraitsRow, traits: UserTraits, time: str) -> None:
        row.columns.update(traits.columns)
        row.traits.update(traits.rest)
        row.field_times.update(dict.fromkeys(field_names(traits.columns, traits.rest), time))
        if is_internal(traits.columns.get("email"), self.internal_domains):
            row.excluded = True
            row.field_times["excluded"] = time

    def _merge_member(self, event: CanonicalEvent, time: str, b2b_event: B2BEvent) -> None:
        """Add a user who joins an account. Users who leave are written after all who joined."""
        if b2b_event.kind not in {B2BEventKind.USER_ADDED, B2BEventKind.SIGNED_UP}:
            return
        signed_up = b2b_event.kind is B2BEventKind.SIGNED_UP
        rest = {"signed_up_at": event.occurred_at.isoformat()} if signed_up else {}
        self._set_user_traits(
            self._merge_user(event, time), UserTraits(b2b.parse_member(event), rest), time
        )

    def _merge_alias(self, event: CanonicalEvent) -> None:
        """Link an anonymous id to a user.

        ``alias`` names the previous id; ``identify`` may carry an anonymous id beside the user id.
        """
        anonymous_id = event.previous_id if event.kind == "alias" else event.anonymous_id
        if anonymous_id and event.user_id and anonymous_id != event.user_id:
            self.aliases[anonymous_id] = AliasRow(anonymous_id, event.user_id, event.day)
