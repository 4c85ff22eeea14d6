"""Segment's B2B SaaS events: track calls that say what happened to an account or a member."""

from collections.abc import Mapping
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
    split_user_traits,
)
from app.events.reading.canonical import CanonicalEvent


class B2BEventKind(StrEnum):
    """Their names in Segment's published spec, and those of subscriptions in the same style."""

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
    **{told.value: told for told in B2BEventKind},
    "subscription canceled": B2BEventKind.SUBSCRIPTION_CANCELLED,
}
MEMBER_KINDS = frozenset(
    {B2BEventKind.USER_ADDED, B2BEventKind.USER_REMOVED, B2BEventKind.SIGNED_UP}
)
PRICE_KINDS = frozenset({B2BEventKind.SUBSCRIPTION_STARTED, B2BEventKind.SUBSCRIPTION_UPDATED})
YEARLY, MONTHLY = {"year", "yearly", "annual", "annually"}, {"month", "monthly"}
END_DATE_PROPERTIES = ("ends_on", "end_date", "effective_date", "cancel_at")


@dataclass(frozen=True, slots=True)
class B2BEvent:
    """What happened when. ``starts_on`` and ``ends_on`` are of a trial, or when pay ends."""

    n: int
    told: B2BEventKind
    account_id: str
    user_id: str | None
    at: datetime
    traits: AccountTraits = field(default_factory=AccountTraits)
    starts_on: date | None = None
    ends_on: date | None = None
    reason: str | None = None
    invalid: bool = False

    @property
    def day(self) -> date:
        return self.at.date()


@dataclass(frozen=True, slots=True)
class LifecycleDates:
    """What is known of an account's trial and deletion."""

    trial_started_on: date | None = None
    trial_ends_on: date | None = None
    deleted_on: date | None = None


def is_b2b_event(event: CanonicalEvent) -> bool:
    """Whether an event is one of these, by its exact name in any case."""
    return event.kind == "track" and event.name.lower() in KINDS_BY_NAME


def parse_b2b_event(event: CanonicalEvent) -> B2BEvent | None:
    """Read an event; None where it names no account, or no user of whom it tells."""
    told, said = KINDS_BY_NAME[event.name.lower()], event.properties
    if not event.account_id or (told in MEMBER_KINDS and not event.user_id):
        return None
    traits, invalid = _parse_traits(told, said, event.day)
    starts_on, ends_on = None, None
    if told in {B2BEventKind.TRIAL_STARTED, B2BEventKind.TRIAL_ENDED}:
        starts_on, wrong = _parse_day(said, ("trial_start_date",))
        ends_on, also_wrong = _parse_day(said, ("trial_end_date",))
        invalid = invalid or wrong or also_wrong
    elif told is B2BEventKind.SUBSCRIPTION_CANCELLED:
        ends_on, wrong = _parse_day(said, END_DATE_PROPERTIES)
        invalid = invalid or wrong
    return B2BEvent(
        n=event.n,
        told=told,
        account_id=event.account_id,
        user_id=event.user_id,
        at=event.occurred_at,
        traits=traits,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=_parse_text(said, "reason") or _parse_text(said, "cancellation_reason"),
        invalid=invalid or bool(traits.invalid),
    )


def parse_member(event: CanonicalEvent) -> Mapping[str, Any]:
    """Read what is said of the person who joins: role, e-mail address, name."""
    said = event.properties
    named = {
        "email": said.get("email"),
        "name": said.get("name"),
        "role": said.get("role", said.get("title")),
        "firstName": said.get("first_name"),
        "lastName": said.get("last_name"),
    }
    return split_user_traits(
        {name: value for name, value in named.items() if value is not None}
    ).columns


def _parse_traits(
    told: B2BEventKind, said: Mapping[str, Any], on: date
) -> tuple[AccountTraits, bool]:
    """Take what an account's traits would say; the rest stays with the event alone."""
    if told is B2BEventKind.ACCOUNT_CREATED:
        known = ACCOUNT_COLUMNS.keys() | PRICE_TRAITS.keys()
        named = {name: said[name] for name in said if SPELLINGS.get(name, name) in known}
        named.setdefault("name", said.get("account_name"))
        if not {"created_at", "createdAt"} & named.keys():
            named["created_at"] = on.isoformat()
        return split_account_traits(named), False
    if told is B2BEventKind.TRIAL_STARTED:
        plan = {"plan": said.get("trial_plan_name") or said.get("plan")}
        return replace(split_account_traits(plan), price={}), False  # nothing is paid for it
    if told in PRICE_KINDS:
        return _parse_price(said)
    return AccountTraits(), False


def _parse_price(said: Mapping[str, Any]) -> tuple[AccountTraits, bool]:
    """Take plan, price, currency, seats and renewal day; a price of a year is split."""
    named = {
        "plan": said.get("plan", said.get("plan_name")),
        "mrr": said.get("mrr"),
        "currency": said.get("currency"),
        "seats": said.get("seats", said.get("quantity")),
        "renewal_date": said.get("renewal_date", said.get("renewalDate")),
    }
    invalid = False
    if named["mrr"] is None and said.get("price") is not None:
        interval = str(said.get("interval", said.get("billing_interval")) or "month").lower()
        try:
            named["mrr"] = str(parse_amount(said["price"]) / (12 if interval in YEARLY else 1))
        except (ValueError, TypeError):
            invalid = True
        if interval not in YEARLY | MONTHLY:
            named["mrr"], invalid = None, True
    return split_account_traits(named), invalid


def _parse_day(said: Mapping[str, Any], names: tuple[str, ...]) -> tuple[date | None, bool]:
    """Read the first day that is given, and whether it could not be read."""
    value = next((said[name] for name in names if said.get(name) is not None), None)
    try:
        return (None if value is None else parse_day(value)), False
    except ValueError:
        return None, True


def _parse_text(said: Mapping[str, Any], name: str) -> str | None:
    try:
        return parse_text(said.get(name))
    except (ValueError, TypeError):
        return None


def apply_b2b_event(known: LifecycleDates, told: B2BEvent) -> LifecycleDates:
    """Return what is known after a moment; an older one fills gaps and undoes nothing newer."""
    match told.told:
        case B2BEventKind.TRIAL_STARTED:
            return _trial_started(known, told.starts_on or told.day, told.ends_on)
        case B2BEventKind.TRIAL_ENDED:
            ended = told.ends_on if told.ends_on and told.ends_on <= told.day else told.day
            if known.trial_started_on and ended < known.trial_started_on:
                return known
            started = known.trial_started_on or told.starts_on
            return LifecycleDates(started, ended, known.deleted_on)
        case B2BEventKind.ACCOUNT_DELETED if (
            known.deleted_on is None or known.deleted_on < told.day
        ):
            return LifecycleDates(known.trial_started_on, known.trial_ends_on, told.day)
        case B2BEventKind.ACCOUNT_CREATED if known.deleted_on is not None:
            deleted_on = known.deleted_on if told.day < known.deleted_on else None
            return LifecycleDates(known.trial_started_on, known.trial_ends_on, deleted_on)
    return known


def _trial_started(known: LifecycleDates, started: date, ends_on: date | None) -> LifecycleDates:
    if known.trial_started_on is not None and started < known.trial_started_on:
        return known
    is_told = known.trial_ends_on is not None and known.trial_ends_on >= started
    keeps = is_told and (ends_on is None or known.trial_started_on is None)
    return LifecycleDates(started, known.trial_ends_on if keeps else ends_on, known.deleted_on)
