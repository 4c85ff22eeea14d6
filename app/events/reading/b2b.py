"""Segment's B2B SaaS events: track calls that report a change of an account or a member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from app.accounts.traits import (
    ACCOUNT_COLUMNS,
    PRICE_TRAITS,
    SPELLINGS,
    AccountTraits,
    parse_amount,
    parse_day,
    parse_text,
    split_account_traits,
)
from app.accounts.user_traits import split_user_traits
from app.events.reading.canonical import CanonicalEvent


class B2BEventKind(StrEnum):
    """Names of B2B events: Segment's published spec, and subscription events in the same style."""

    ACCOUNT_CREATED = "account created"
    ACCOUNT_DELETED = "account deleted"
    TRIAL_STARTED = "trial started"
    TRIAL_ENDED = "trial ended"
    SUBSCRIPTION_STARTED = "subscription started"
    SUBSCRIPTION_UPDATED = "subscription updated"
    SUBSCRIPTION_CANCELLED = "subscription cancelled"
    USER_ADDED = "account added user"
    USER_REMOVED = "account removed user"
    SIGNED_UP = "signed up"


KINDS_BY_NAME: Mapping[str, B2BEventKind] = {
    **{kind.value: kind for kind in B2BEventKind},
    "subscription canceled": B2BEventKind.SUBSCRIPTION_CANCELLED,
}
MEMBER_KINDS = frozenset(
    {B2BEventKind.USER_ADDED, B2BEventKind.USER_REMOVED, B2BEventKind.SIGNED_UP}
)
PRICE_KINDS = frozenset({B2BEventKind.SUBSCRIPTION_STARTED, B2BEventKind.SUBSCRIPTION_UPDATED})
YEARLY, MONTHLY = {"year", "yearly", "annual", "annually"}, {"month", "monthly"}
TRIAL_DAYS = (("trial_start_date",), ("trial_end_date",))
DAY_PROPERTIES: Mapping[B2BEventKind, tuple[Sequence[str], Sequence[str]]] = {
    B2BEventKind.TRIAL_STARTED: TRIAL_DAYS,
    B2BEventKind.TRIAL_ENDED: TRIAL_DAYS,
    B2BEventKind.SUBSCRIPTION_CANCELLED: (
        (),
        ("ends_on", "end_date", "effective_date", "cancel_at"),
    ),
}
"""By kind: properties for the first day, and for the last day; the first one present is used."""


@dataclass(frozen=True, slots=True)
class B2BEvent:
    """A parsed B2B event. ``n``: its place in the batch.

    ``starts_on`` and ``ends_on``: the days of a trial; for a cancellation ``ends_on`` is the day
    on which payment ends. ``invalid``: a property could not be parsed and was left out.
    ``old_account_id``: the id of the merged account that it was sent to, empty for any other.
    ``time``: when it states its days (``field_time``), empty if no two events have one time.
    """

    n: int
    kind: B2BEventKind
    account_id: str
    user_id: str | None
    at: datetime
    traits: AccountTraits = field(default_factory=AccountTraits)
    starts_on: date | None = None
    ends_on: date | None = None
    reason: str | None = None
    invalid: bool = False
    old_account_id: str = ""
    time: str = ""

    @property
    def day(self) -> date:
        return self.at.date()


def is_b2b_event(event: CanonicalEvent) -> bool:
    """Whether an event is a track call with the name of a B2B event, in upper or lower case."""
    return event.kind == "track" and event.name.lower() in KINDS_BY_NAME


def sets_price(event: CanonicalEvent) -> bool:
    return is_b2b_event(event) and KINDS_BY_NAME[event.name.lower()] in PRICE_KINDS


def creates_account(event: CanonicalEvent) -> bool:
    return is_b2b_event(event) and event.name.lower() == B2BEventKind.ACCOUNT_CREATED


def parse_b2b_event(event: CanonicalEvent, time: str = "") -> B2BEvent | None:
    """Parse a B2B event; None if it lacks the account or the user that its kind needs."""
    kind, properties = KINDS_BY_NAME[event.name.lower()], event.properties
    if not event.account_id or (kind in MEMBER_KINDS and not event.user_id):
        return None
    traits, invalid = _parse_traits(kind, properties, event.day)
    start_names, end_names = DAY_PROPERTIES.get(kind, ((), ()))
    starts_on, invalid_start = _parse_day(properties, start_names)
    ends_on, invalid_end = _parse_day(properties, end_names)
    return B2BEvent(
        n=event.n,
        kind=kind,
        account_id=event.account_id,
        user_id=event.user_id,
        at=event.occurred_at,
        traits=traits,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=_parse_text(properties, "reason") or _parse_text(properties, "cancellation_reason"),
        invalid=invalid or invalid_start or invalid_end or bool(traits.invalid),
        old_account_id=event.old_account_id,
        time=time,
    )


def parse_member(event: CanonicalEvent) -> Mapping[str, Any]:
    """Return the columns of a new member that the event has: role, e-mail address, name."""
    properties = event.properties
    traits = {
        "email": properties.get("email"),
        "name": properties.get("name"),
        "role": properties.get("role", properties.get("title")),
        "firstName": properties.get("first_name"),
        "lastName": properties.get("last_name"),
    }
    given = {name: value for name, value in traits.items() if value is not None}
    return split_user_traits(given).columns


def _parse_traits(
    kind: B2BEventKind, properties: Mapping[str, Any], on: date
) -> tuple[AccountTraits, bool]:
    """Return the account traits that the event sets, and whether a property is invalid.

    Other properties are stored with the event only.
    """
    if kind is B2BEventKind.ACCOUNT_CREATED:
        known = ACCOUNT_COLUMNS.keys() | PRICE_TRAITS.keys()
        traits = {
            name: properties[name] for name in properties if SPELLINGS.get(name, name) in known
        }
        traits.setdefault("name", properties.get("account_name"))
        if not {"created_at", "createdAt"} & traits.keys():
            traits["created_at"] = on.isoformat()
        return split_account_traits(traits), False
    if kind is B2BEventKind.TRIAL_STARTED:
        plan = {"plan": properties.get("trial_plan_name") or properties.get("plan")}
        return replace(split_account_traits(plan), price={}), False  # nothing is paid for a trial
    if kind in PRICE_KINDS:
        return _parse_price(properties)
    return AccountTraits(), False


def _parse_price(properties: Mapping[str, Any]) -> tuple[AccountTraits, bool]:
    """Return plan, MRR, currency, seats, renewal day and billing period.

    A yearly price is divided by 12.
    """
    interval = properties.get("interval", properties.get("billing_interval"))
    traits = {
        "plan": properties.get("plan", properties.get("plan_name")),
        "mrr": properties.get("mrr"),
        "currency": properties.get("currency"),
        "seats": properties.get("seats", properties.get("quantity")),
        "renewal_date": properties.get("renewal_date", properties.get("renewalDate")),
        "billing_period": properties.get("billing_period", interval),
    }
    invalid = False
    if traits["mrr"] is None and properties.get("price") is not None:
        interval = str(interval or "month").lower()
        months = 12 if interval in YEARLY else 1
        try:
            traits["mrr"] = str(parse_amount(properties["price"]) / months)
        except (ValueError, TypeError):
            invalid = True
        if interval not in YEARLY | MONTHLY:
            traits["mrr"], invalid = None, True
    return replace(split_account_traits(traits), rest={}), invalid


def _parse_day(properties: Mapping[str, Any], names: Sequence[str]) -> tuple[date | None, bool]:
    """Return the first of the named days that is present, and whether it is invalid."""
    value = next((properties[name] for name in names if properties.get(name) is not None), None)
    try:
        return (None if value is None else parse_day(value)), False
    except ValueError:
        return None, True


def _parse_text(properties: Mapping[str, Any], name: str) -> str | None:
    try:
        return parse_text(properties.get(name))
    except (ValueError, TypeError):
        return None
