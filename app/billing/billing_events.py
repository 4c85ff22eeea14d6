"""Parsed billing events and objects, independent of the billing system's format.

Events are delivered in any order; ``ParsedEvent.sort_key`` gives them one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from app.billing.amounts import Item
from app.billing.charges import Charge


class ObjectKind(StrEnum):
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    DISCOUNT = "discount"
    COUPON = "coupon"
    CHECKOUT = "checkout"
    INVOICE = "invoice"


class MalformedEventError(ValueError):
    """An event that cannot be parsed. ``pointer`` names the field."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """The state of an object at the time ``at``. ``rank`` orders events of the same second.

    ``data``: the fields of the object that are used, in Stripe's format.
    """

    event_id: str
    kind: ObjectKind
    object_id: str
    customer_id: str | None
    subscription_id: str | None
    at: datetime
    rank: int
    data: Mapping[str, Any]

    @property
    def sort_key(self) -> tuple[datetime, int, str]:
        """The key by which events are replayed: time in whole seconds, then ``rank``."""
        return self.at, self.rank, self.event_id


@dataclass(frozen=True, slots=True)
class Coupon:
    """The terms of a coupon. ``products`` empty: it applies to all products.

    ``is_recurring``: whether it discounts more than one charge.
    """

    percent: Fraction
    amount: Fraction
    currency: str | None
    is_recurring: bool
    products: frozenset[str]


@dataclass(frozen=True, slots=True)
class AppliedDiscount:
    """A coupon applied to a customer, a subscription or an item of it.

    ``coupon`` is None if the event holds only its id. ``starts_on``, ``ends_on``: invoices from the
    first of these days to the day before the second one are discounted.
    """

    discount_id: str | None
    coupon_id: str | None
    coupon: Coupon | None
    starts_on: date | None
    ends_on: date | None
    item_id: str | None

    @property
    def key(self) -> str:
        return self.discount_id or self.coupon_id or ""


@dataclass(frozen=True, slots=True)
class CustomerState:
    name: str | None
    email: str | None
    deleted: bool
    discount: AppliedDiscount | None
    is_tax_exempt: bool


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A subscription as one event describes it.

    Each day is the first day of a new state: ``ended_on`` is the first day after the end.
    ``discounts``: each is an object or only an id. ``has_all_items``: False if the event holds only
    some of the items. ``is_collected``: False if its invoices are written off or voided.
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
    """An invoice as one event describes it. Amounts are in hundredths of the major unit.

    ``charges``: what it charges for each item and price, in minor units; None: the event holds only
    some of its lines.
    """

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
    charges: Mapping[tuple[str, str | None], Charge] | None
