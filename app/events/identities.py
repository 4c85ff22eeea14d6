"""What a batch says of accounts and users, folded to one row each before it is written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.accounts.traits import AccountTraits, account_traits, is_internal, user_traits
from app.events.canonical import Event

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
    users: Sequence[UserRow]
    aliases: Sequence[AliasRow]
    invalid_traits: Mapping[int, tuple[str, ...]]


def fold(events: Sequence[Event], internal_domains: Collection[str]) -> Identities | None:
    """Merge the identity calls of a batch by their own time; None where there are none."""
    calls = [event for event in events if event.kind in IDENTITY_KINDS]
    if not calls:
        return None
    accounts: dict[str, AccountRow] = {}
    prices: dict[tuple[str, date], PriceRow] = {}
    users: dict[str, UserRow] = {}
    aliases: dict[str, AliasRow] = {}
    invalid: dict[int, tuple[str, ...]] = {}
    for event in sorted(calls, key=lambda call: (call.occurred_at, call.message_id)):
        if event.kind == "group":
            traits = account_traits(event.traits or {})
            _fold_account(accounts, event, traits)
            _fold_price(prices, event, traits)
            if traits.invalid:
                invalid[event.n] = traits.invalid
        if event.user_id:
            _fold_user(users, event, internal_domains)
        _fold_alias(aliases, event)
    return Identities(
        [accounts[key] for key in sorted(accounts)],
        [prices[key] for key in sorted(prices) if prices[key].price],
        [users[key] for key in sorted(users)],
        [aliases[key] for key in sorted(aliases)],
        invalid,
    )


def _fold_account(rows: dict[str, AccountRow], event: Event, traits: AccountTraits) -> None:
    account_id = event.account_id or ""
    row = rows.setdefault(account_id, AccountRow(account_id, event.occurred_at))
    row.traits_at = event.occurred_at
    row.columns.update(traits.columns)
    row.traits.update(traits.rest)


def _fold_price(
    rows: dict[tuple[str, date], PriceRow], event: Event, traits: AccountTraits
) -> None:
    account_id = event.account_id or ""
    row = rows.setdefault((account_id, event.day), PriceRow(account_id, event.occurred_at))
    row.said_at = event.occurred_at
    row.price.update(traits.price)
    if traits.price:
        row.numbers.append(event.n)


def _fold_user(rows: dict[str, UserRow], event: Event, internal_domains: Collection[str]) -> None:
    user_id = event.user_id or ""
    row = rows.setdefault(user_id, UserRow(user_id, event.occurred_at))
    row.traits_at = event.occurred_at
    if event.account_id:
        row.account_id, row.account_since = event.account_id, event.occurred_at
    if event.kind == "identify":
        traits = user_traits(event.traits or {})
        row.columns.update(traits.columns)
        row.traits.update(traits.rest)
        row.excluded = row.excluded or is_internal(traits.columns.get("email"), internal_domains)


def _fold_alias(rows: dict[str, AliasRow], event: Event) -> None:
    """``alias`` names the id before; ``identify`` may carry the anonymous id beside the user's."""
    anonymous_id = event.previous_id if event.kind == "alias" else event.anonymous_id
    if anonymous_id and event.user_id and anonymous_id != event.user_id:
        rows[anonymous_id] = AliasRow(anonymous_id, event.user_id, event.day)
