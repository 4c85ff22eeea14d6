"""What a billing system tells, freed of its dialect: one notice an event, put in one order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from app.billing.amounts import Item


class ObjectKind(StrEnum):
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    DISCOUNT = "discount"
    COUPON = "coupon"
    CHECKOUT = "checkout"
    INVOICE = "invoice"


class MalformedEventError(ValueError):
    """``pointer`` leads to what cannot be read."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """The state of an object as of ``at``. ``said``: what of it we use, in the sender's words.

    Delivery has no order; this has: by time, which is in seconds, then by what can only follow.
    """

    event_id: str
    kind: ObjectKind
    object_id: str
    customer_id: str | None
    subscription_id: str | None
    at: datetime
    rank: int
    said: Mapping[str, Any]

    @property
    def place(self) -> tuple[datetime, int, str]:
        return self.at, self.rank, self.event_id


@dataclass(frozen=True, slots=True)
class Coupon:
    """``lasts``: whether it comes off more than one charge. ``products``: none named: all."""

    percent: Fraction
    amount: Fraction
    currency: str | None
    is_recurring: bool
    products: frozenset[str]


@dataclass(frozen=True, slots=True)
class AppliedDiscount:
    """A coupon that a customer, a subscription or an item of it has. ``coupon``: if told along."""

    coupon_id: str | None
    coupon: Coupon | None
    ends_on: date | None
    item_id: str | None


@dataclass(frozen=True, slots=True)
class CustomerState:
    name: str | None
    email: str | None
    deleted: bool
    discount: AppliedDiscount | None


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A subscription as one event tells it. Days are the first ones on which it holds.

    ``discounts``: told along, or their ids. ``is_whole``: whether the event holds every item.
    """

    status: str
    currency: str
    starts_on: date
    ended_on: date | None
    cancels_on: date | None
    period_ends_on: date | None
    trial_started_on: date | None
    trial_ends_on: date | None
    is_collected: bool
    reason: str | None
    items: tuple[Item, ...]
    has_all_items: bool
    discounts: tuple[AppliedDiscount | str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """Amounts in hundredths of the major unit. ``charged``: by item, in minor units."""

    invoice_id: str
    subscription_id: str | None
    status: str
    currency: str
    amount_due_cents: int
    amount_paid_cents: int
    attempt_count: int
    created_at: datetime
    due_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    next_attempt_at: datetime | None
    failure_reason: str | None
    charged: Mapping[str, Fraction]
