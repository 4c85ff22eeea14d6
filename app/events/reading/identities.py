"""What a batch says of accounts and users, folded to one row each before it is written."""

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
class AccountRow:
    """The traits of an account; later calls win over earlier ones."""

    account_id: str
    traits_at: datetime
    columns: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PriceRow:
    """What the group calls of one day say of an account's price, and which events they are."""

    account_id: str
    said_at: datetime
    price: dict[str, Any] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class LinkRow:
    """What group calls say of an account's parent and of its ids elsewhere."""

    account_id: str
    said_at: datetime
    parent_id: str | None = None
    external_ids: dict[str, str] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class UserRow:
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
    """One row for each account, user and alias, in key order; prices in the order of days."""

    accounts: Sequence[AccountRow]
    prices: Sequence[PriceRow]
    links: Sequence[LinkRow]
    users: Sequence[UserRow]
    aliases: Sequence[AliasRow]
    invalid_traits: Mapping[int, tuple[str, ...]]
    moments: Sequence[B2BEvent] = ()
    incomplete: Sequence[int] = ()


def is_identity_event(event: CanonicalEvent) -> bool:
    """Whether an event says something of an account or a user, beside being counted."""
    return event.kind in IDENTITY_KINDS or b2b.is_b2b_event(event)


def merge_identities(
    events: Sequence[CanonicalEvent], internal_domains: Collection[str]
) -> Identities | None:
    """Merge the identity calls of a batch by their own time; None where there are none."""
    calls = [event for event in events if is_identity_event(event)]
    if not calls:
        return None
    accounts: dict[str, AccountRow] = {}
    prices: dict[tuple[str, date], PriceRow] = {}
    links: dict[str, LinkRow] = {}
    users: dict[str, UserRow] = {}
    aliases: dict[str, AliasRow] = {}
    invalid: dict[int, tuple[str, ...]] = {}
    moments: dict[int, B2BEvent | None] = {}
    for event in sorted(calls, key=lambda call: (call.occurred_at, call.message_id)):
        if event.kind == "track":
            moments[event.n] = told = b2b.parse_b2b_event(event)
            if told is not None:
                _merge_b2b_traits(accounts, prices, event, told)
                _merge_member(users, event, told, internal_domains)
                if told.invalid:
                    invalid[event.n] = told.traits.invalid
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
        [told for told in moments.values() if told is not None],
        [n for n, told in moments.items() if told is None],
    )


def _merge_account(
    rows: dict[str, AccountRow], event: CanonicalEvent, traits: AccountTraits
) -> None:
    account_id = event.account_id or ""
    row = rows.setdefault(account_id, AccountRow(account_id, event.occurred_at))
    row.traits_at = event.occurred_at
    row.columns.update(traits.columns)
    row.traits.update(traits.rest)


def _merge_price(
    rows: dict[tuple[str, date], PriceRow], event: CanonicalEvent, traits: AccountTraits
) -> None:
    account_id = event.account_id or ""
    row = rows.setdefault((account_id, event.day), PriceRow(account_id, event.occurred_at))
    row.said_at = event.occurred_at
    row.price.update(traits.price)
    if traits.price.keys() - {"plan"}:  # a plan alone is of the account too, and is not ignored
        row.numbers.append(event.n)


def _merge_b2b_traits(
    accounts: dict[str, AccountRow],
    prices: dict[tuple[str, date], PriceRow],
    event: CanonicalEvent,
    told: B2BEvent,
) -> None:
    if told.traits.columns or told.traits.price:
        _merge_account(accounts, event, told.traits)
        _merge_price(prices, event, told.traits)


def _merge_member(
    rows: dict[str, UserRow],
    event: CanonicalEvent,
    told: B2BEvent,
    internal_domains: Collection[str],
) -> None:
    """Note who joins an account; who leaves is written after all who joined."""
    if told.told not in {B2BEventKind.USER_ADDED, B2BEventKind.SIGNED_UP}:
        return
    _merge_user(rows, event, internal_domains)
    row = rows[event.user_id or ""]
    row.columns.update(b2b.parse_member(event))
    row.excluded = row.excluded or is_internal(row.columns.get("email"), internal_domains)
    if told.told is B2BEventKind.SIGNED_UP:
        row.traits["signed_up_at"] = event.occurred_at.isoformat()


def _merge_links(rows: dict[str, LinkRow], event: CanonicalEvent, traits: AccountTraits) -> None:
    if not traits.links:
        return
    account_id = event.account_id or ""
    row = rows.setdefault(account_id, LinkRow(account_id, event.occurred_at))
    row.said_at = event.occurred_at
    row.parent_id = traits.links.get("parent_id", row.parent_id)
    row.external_ids.update(traits.links.get("external_ids", {}))
    row.numbers.append(event.n)


def _merge_user(
    rows: dict[str, UserRow], event: CanonicalEvent, internal_domains: Collection[str]
) -> None:
    user_id = event.user_id or ""
    row = rows.setdefault(user_id, UserRow(user_id, event.occurred_at))
    row.traits_at = event.occurred_at
    if event.account_id:
        row.account_id, row.account_since = event.account_id, event.occurred_at
    if event.kind == "identify":
        traits = split_user_traits(event.traits or {})
        row.columns.update(traits.columns)
        row.traits.update(traits.rest)
        row.excluded = row.excluded or is_internal(traits.columns.get("email"), internal_domains)


def _merge_alias(rows: dict[str, AliasRow], event: CanonicalEvent) -> None:
    """``alias`` names the id before; ``identify`` may carry the anonymous id beside the user's."""
    anonymous_id = event.previous_id if event.kind == "alias" else event.anonymous_id
    if anonymous_id and event.user_id and anonymous_id != event.user_id:
        rows[anonymous_id] = AliasRow(anonymous_id, event.user_id, event.day)
