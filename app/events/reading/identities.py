"""Merge the identity calls of a batch into one row per account, user and alias, before writing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.accounts.traits import AccountTraits, is_internal, split_account_traits, split_user_traits
from app.events.reading import b2b
from app.events.reading.b2b import B2BEvent, B2BEventKind
from app.events.reading.canonical import CanonicalEvent

IDENTITY_KINDS = frozenset({"identify", "group", "alias"})


@dataclass(slots=True)
class AccountTraitsRow:
    """The merged traits of an account: later calls override earlier ones."""

    account_id: str
    traits_at: datetime
    columns: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PriceRow:
    """The price of an account by the group calls of one day. ``numbers``: these events.

    ``stated_at``: the time of the latest of them.
    """

    account_id: str
    stated_at: datetime
    price: dict[str, Any] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class LinkRow:
    """The parent and external ids of an account by group calls. ``numbers``: these events.

    ``stated_at``: the time of the latest of them.
    """

    account_id: str
    stated_at: datetime
    parent_id: str | None = None
    external_ids: dict[str, str] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class UserTraitsRow:
    user_id: str
    traits_at: datetime
    account_id: str | None = None
    account_since: datetime | None = None
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
    ``incomplete``: B2B events that lack the account or the user they need.
    """

    accounts: Sequence[AccountTraitsRow]
    prices: Sequence[PriceRow]
    links: Sequence[LinkRow]
    users: Sequence[UserTraitsRow]
    aliases: Sequence[AliasRow]
    invalid_traits: Mapping[int, tuple[str, ...]]
    b2b_events: Sequence[B2BEvent] = ()
    incomplete: Sequence[int] = ()


def is_identity_event(event: CanonicalEvent) -> bool:
    """Whether an event changes an account or a user, apart from being counted."""
    return event.kind in IDENTITY_KINDS or b2b.is_b2b_event(event)


def merge_identities(
    events: Sequence[CanonicalEvent], internal_domains: Collection[str]
) -> Identities | None:
    """Merge the identity calls of a batch in the order of their times; None if it has none."""
    calls = [event for event in events if is_identity_event(event)]
    if not calls:
        return None
    accounts: dict[str, AccountTraitsRow] = {}
    prices: dict[tuple[str, date], PriceRow] = {}
    links: dict[str, LinkRow] = {}
    users: dict[str, UserTraitsRow] = {}
    aliases: dict[str, AliasRow] = {}
    invalid: dict[int, tuple[str, ...]] = {}
    b2b_events: dict[int, B2BEvent | None] = {}
    for event in sorted(calls, key=lambda call: (call.occurred_at, call.message_id)):
        if event.kind == "track":
            b2b_events[event.n] = b2b_event = b2b.parse_b2b_event(event)
            if b2b_event is not None:
                _merge_b2b_traits(accounts, prices, event, b2b_event)
                _merge_member(users, event, b2b_event, internal_domains)
                if b2b_event.invalid:
                    invalid[event.n] = b2b_event.traits.invalid
            continue
        if event.kind == "group":
            traits = split_account_traits(event.traits or {})
            _merge_account(accounts, event, traits)
            _merge_price(prices, event, traits)
            _merge_links(links, event, traits)
            if traits.invalid:
                invalid[event.n] = traits.invalid
        if event.user_id:
            _merge_user(users, event, internal_domains)
        _merge_alias(aliases, event)
    return Identities(
        [accounts[key] for key in sorted(accounts)],
        [prices[key] for key in sorted(prices) if prices[key].price],
        [links[key] for key in sorted(links)],
        [users[key] for key in sorted(users)],
        [aliases[key] for key in sorted(aliases)],
        invalid,
        [each for each in b2b_events.values() if each is not None],
        [n for n, each in b2b_events.items() if each is None],
    )


def _merge_account(
    rows: dict[str, AccountTraitsRow], event: CanonicalEvent, traits: AccountTraits
) -> None:
    account_id = event.account_id or ""
    row = rows.setdefault(account_id, AccountTraitsRow(account_id, event.occurred_at))
    row.traits_at = event.occurred_at
    row.columns.update(traits.columns)
    row.traits.update(traits.rest)


def _merge_price(
    rows: dict[tuple[str, date], PriceRow], event: CanonicalEvent, traits: AccountTraits
) -> None:
    account_id = event.account_id or ""
    row = rows.setdefault((account_id, event.day), PriceRow(account_id, event.occurred_at))
    row.stated_at = event.occurred_at
    row.price.update(traits.price)
    if traits.price.keys() - {
        "plan"
    }:  # a plan alone is also an account column: it is never ignored
        row.numbers.append(event.n)


def _merge_b2b_traits(
    accounts: dict[str, AccountTraitsRow],
    prices: dict[tuple[str, date], PriceRow],
    event: CanonicalEvent,
    b2b_event: B2BEvent,
) -> None:
    traits = b2b_event.traits
    if traits.columns or traits.price:
        _merge_account(accounts, event, traits)
        _merge_price(prices, event, traits)


def _merge_member(
    rows: dict[str, UserTraitsRow],
    event: CanonicalEvent,
    b2b_event: B2BEvent,
    internal_domains: Collection[str],
) -> None:
    """Add a user who joins an account. Users who leave are written after all who joined."""
    if b2b_event.kind not in {B2BEventKind.USER_ADDED, B2BEventKind.SIGNED_UP}:
        return
    _merge_user(rows, event, internal_domains)
    row = rows[event.user_id or ""]
    row.columns.update(b2b.parse_member(event))
    row.excluded = row.excluded or is_internal(row.columns.get("email"), internal_domains)
    if b2b_event.kind is B2BEventKind.SIGNED_UP:
        row.traits["signed_up_at"] = event.occurred_at.isoformat()


def _merge_links(rows: dict[str, LinkRow], event: CanonicalEvent, traits: AccountTraits) -> None:
    if not traits.links:
        return
    account_id = event.account_id or ""
    row = rows.setdefault(account_id, LinkRow(account_id, event.occurred_at))
    row.stated_at = event.occurred_at
    row.parent_id = traits.links.get("parent_id", row.parent_id)
    row.external_ids.update(traits.links.get("external_ids", {}))
    row.numbers.append(event.n)


def _merge_user(
    rows: dict[str, UserTraitsRow], event: CanonicalEvent, internal_domains: Collection[str]
) -> None:
    user_id = event.user_id or ""
    row = rows.setdefault(user_id, UserTraitsRow(user_id, event.occurred_at))
    row.traits_at = event.occurred_at
    if event.account_id:
        row.account_id, row.account_since = event.account_id, event.occurred_at
    if event.kind == "identify":
        traits = split_user_traits(event.traits or {})
        row.columns.update(traits.columns)
        row.traits.update(traits.rest)
        row.excluded = row.excluded or is_internal(traits.columns.get("email"), internal_domains)


def _merge_alias(rows: dict[str, AliasRow], event: CanonicalEvent) -> None:
    """Link an anonymous id to a user.

    ``alias`` names the previous id; ``identify`` may carry an anonymous id beside the user id.
    """
    anonymous_id = event.previous_id if event.kind == "alias" else event.anonymous_id
    if anonymous_id and event.user_id and anonymous_id != event.user_id:
        rows[anonymous_id] = AliasRow(anonymous_id, event.user_id, event.day)
