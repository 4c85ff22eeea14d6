"""Parse the objects in Stripe's events, of old and new API versions, from their stored fields."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from app.billing import fields
from app.billing.amounts import Item, Price, Tier, to_cents
from app.billing.billing_events import (
    AppliedDiscount,
    Coupon,
    CustomerState,
    InvoiceState,
    MalformedEventError,
    SubscriptionState,
)
from app.billing.cycles import BillingCycle
from app.billing.fields import (
    StripeObject,
    get_count,
    get_day,
    get_instant,
    get_object,
    get_objects,
    get_reference,
    get_text,
)
from app.billing.stripe_charges import parse_charges, parse_inclusive_tax

MOST_ATTEMPTS = 10**6


def parse_customer(data: StripeObject) -> CustomerState:
    discount = get_object(data, "discount")
    return CustomerState(
        get_text(data, "name"),
        get_text(data, "email"),
        data.get("deleted") is True,
        parse_discount(discount) if discount else None,
        get_text(data, "tax_exempt") in {"exempt", "reverse"},
    )


def parse_coupon(data: StripeObject) -> Coupon:
    """Parse a coupon. A coupon for a single charge does not change the recurring price."""
    return Coupon(
        fields.get_number(data, "percent_off") or Fraction(0),
        fields.get_number(data, "amount_off") or Fraction(0),
        (get_text(data, "currency") or "").upper() or None,
        data.get("duration") in {"forever", "repeating"},
        frozenset(
            each
            for each in _get_list(get_object(data, "applies_to"), "products")
            if isinstance(each, str)
        ),
    )


def coupon_holder(data: StripeObject) -> StripeObject:
    """Return the object in which a discount has its coupon: itself, or ``source``."""
    source = get_object(data, "source")
    return source if source.get("coupon") is not None else data


def parse_discount(data: StripeObject) -> AppliedDiscount:
    """Parse a discount. Its coupon is sent as an object or only as an id."""
    holder = coupon_holder(data)
    whole = get_object(holder, "coupon")
    return AppliedDiscount(
        get_text(data, "id"),
        get_reference(holder, "coupon"),
        parse_coupon(whole) if whole.get("duration") is not None else None,
        get_day(data, "start"),
        get_day(data, "end"),
        get_text(data, "subscription_item"),
    )


def parse_subscription(data: StripeObject) -> SubscriptionState:
    """Parse a subscription. The reason of its end is the customer's feedback, else Stripe's."""
    period_end = _period_end(data)
    started = get_day(data, "start_date") or get_day(data, "created")
    if started is None:
        raise MalformedEventError("start_date", "start_date must be seconds since 1970.")
    items = tuple(_parse_item(item, data, started) for item in get_objects(data, "items"))
    pause_behavior = get_object(data, "pause_collection").get("behavior", "keep_as_draft")
    at_period_end = period_end if data.get("cancel_at_period_end") is True else None
    details = get_object(data, "cancellation_details")
    return SubscriptionState(
        status=fields.require_text(data, "status"),
        currency=_parse_currency(data),
        starts_on=started,
        ended_on=get_day(data, "ended_at"),
        cancels_on=get_day(data, "cancel_at") or at_period_end,
        period_ends_on=period_end,
        trial_started_on=get_day(data, "trial_start"),
        trial_ends_on=get_day(data, "trial_end"),
        is_collected=pause_behavior == "keep_as_draft",
        reason=get_text(details, "feedback") or get_text(details, "reason"),
        items=items,
        has_all_items=get_object(data, "items").get("has_more") is not True,
        discounts=tuple(_parse_discounts(data)),
    )


def _period_end(data: StripeObject) -> date | None:
    """Return the end of the paid period; since API version 2025-03-31 the items hold it."""
    ends = [get_day(item, "current_period_end") for item in get_objects(data, "items")]
    known = [end for end in (get_day(data, "current_period_end"), *ends) if end is not None]
    return min(known, default=None)


def _parse_discounts(data: StripeObject) -> Iterable[AppliedDiscount | str]:
    """Return each discount once, as an object if one was sent; the old field ``discount`` too."""
    sent = [*_get_list(data, "discounts"), data.get("discount")]
    for item in get_objects(data, "items"):
        of_item = _get_list(item, "discounts")
        sent += [
            {**each, "subscription_item": item.get("id")} if isinstance(each, dict) else each
            for each in of_item
        ]
    by_id: dict[str, AppliedDiscount | str] = {}
    for each in sorted(sent, key=lambda value: not isinstance(value, dict)):
        if isinstance(each, dict):
            by_id[get_text(each, "id") or "the only one"] = parse_discount(each)
        elif isinstance(each, str):
            by_id.setdefault(each, each)
    return by_id.values()


def _get_list(data: StripeObject, name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _parse_item(data: StripeObject, subscription: StripeObject, started: date) -> Item:
    price = get_object(data, "price") or _price_of_plan(get_object(data, "plan"))
    product = get_reference(price, "product")
    lookup_key, nickname = get_text(price, "lookup_key"), get_text(price, "nickname")
    names = (get_text(price, "id"), lookup_key, product, nickname)
    cost = _parse_price(price)
    return Item(
        fields.require_text(data, "id"),
        cost,
        get_count(data, "quantity", 1),
        tuple(name for name in names if name),
        lookup_key or nickname or product,
        get_text(price, "id"),
        _parse_cycle(data, subscription, cost, started),
        parse_inclusive_tax(data, subscription, price),
    )


def _parse_cycle(
    item: StripeObject, subscription: StripeObject, price: Price, started: date
) -> BillingCycle:
    """Return when an item is invoiced; since API version 2025-03-31 it has its own period."""
    holder = item if get_day(item, "current_period_end") else subscription
    return BillingCycle(
        price.interval,
        price.interval_count,
        started,
        get_day(holder, "current_period_end") or started,
        get_day(holder, "current_period_start"),
    )


def _price_of_plan(plan: StripeObject) -> StripeObject:
    """Convert Stripe's older plan object to a price object."""
    return {
        **plan,
        "unit_amount": plan.get("amount"),
        "unit_amount_decimal": plan.get("amount_decimal"),
        "transform_quantity": plan.get("transform_usage"),
        "recurring": plan,
    }


def _parse_price(data: StripeObject) -> Price:
    recurring, packages = get_object(data, "recurring"), get_object(data, "transform_quantity")
    interval = get_text(recurring, "interval") or "month"
    if interval not in ("day", "week", "month", "year"):
        raise MalformedEventError("interval", "interval must be day, week, month or year.")
    return Price(
        interval,
        max(get_count(recurring, "interval_count", 1), 1),
        fields.get_amount(data, "unit_amount"),
        tuple(_parse_tier(tier) for tier in get_objects(data, "tiers")),
        by_volume=data.get("tiers_mode") == "volume",
        package_size=max(get_count(packages, "divide_by", 1), 1),
        round_up=packages.get("round") == "up",
        metered=recurring.get("usage_type") == "metered",
    )


def _parse_tier(data: StripeObject) -> Tier:
    return Tier(
        None if data.get("up_to") in (None, "inf") else get_count(data, "up_to"),
        fields.get_amount(data, "unit_amount") or Fraction(0),
        fields.get_amount(data, "flat_amount") or Fraction(0),
    )


def _parse_currency(data: StripeObject) -> str:
    code = fields.require_text(data, "currency").upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004
        raise MalformedEventError("currency", "currency must be a code of three letters.")
    return code


def parse_invoice(data: StripeObject) -> InvoiceState:
    currency, transitions = _parse_currency(data), get_object(data, "status_transitions")
    amounts = [
        fields.get_number(data, name) or Fraction(0) for name in ("amount_due", "amount_paid")
    ]
    due, paid = (to_cents(each, currency) for each in amounts)
    created_at = fields.require_instant(data, "created")
    return InvoiceState(
        fields.require_text(data, "id"),
        invoice_subscription_id(data),
        fields.require_text(data, "status"),
        currency,
        due,
        paid,
        min(get_count(data, "attempt_count"), MOST_ATTEMPTS),
        created_at,
        get_instant(data, "due_date"),
        get_instant(transitions, "finalized_at"),
        get_instant(transitions, "paid_at"),
        get_instant(data, "next_payment_attempt"),
        _failure_reason(data),
        parse_charges(data),
    )


def invoice_subscription_id(data: StripeObject) -> str | None:
    """Return the invoice's subscription; since API version 2025-03-31 its parent holds it."""
    details = get_object(get_object(data, "parent"), "subscription_details")
    return get_reference(data, "subscription") or get_reference(details, "subscription")


def invoice_error(data: StripeObject) -> StripeObject:
    """Return the error of the last payment, else of finalizing the invoice."""
    payment_intent = get_object(data, "payment_intent")
    return get_object(payment_intent, "last_payment_error") or get_object(
        data, "last_finalization_error"
    )


def _failure_reason(data: StripeObject) -> str | None:
    """Return why a payment failed. Few events hold it: only those with the payment included."""
    error = invoice_error(data)
    reason = (
        get_text(error, "decline_code") or get_text(error, "code") or get_text(error, "message")
    )
    return reason or ("payment_failed" if data.get("payment_failed") is True else None)
