"""The objects inside Stripe's events, of API versions old and new, read from what we keep."""

from collections.abc import Iterable, Mapping
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
from app.billing.fields import (
    get_count,
    get_day,
    get_instant,
    get_object,
    get_objects,
    get_reference,
    get_text,
)

StripeObject = Mapping[str, Any]
MOST_ATTEMPTS = 10**6


def parse_customer(said: StripeObject) -> CustomerState:
    deleted = said.get("deleted") is True
    discount = get_object(said, "discount")
    given_one = parse_discount(discount) if discount else None
    return CustomerState(get_text(said, "name"), get_text(said, "email"), deleted, given_one)


def parse_coupon(said: StripeObject) -> Coupon:
    """Read a coupon. One for a single charge changes no recurring price."""
    return Coupon(
        fields.get_number(said, "percent_off") or Fraction(0),
        fields.get_number(said, "amount_off") or Fraction(0),
        (get_text(said, "currency") or "").upper() or None,
        said.get("duration") in {"forever", "repeating"},
        frozenset(
            each
            for each in _get_list(get_object(said, "applies_to"), "products")
            if isinstance(each, str)
        ),
    )


def parse_discount(said: StripeObject) -> AppliedDiscount:
    """Read a discount. The coupon is in it, or under ``source``, whole or as an id."""
    source = get_object(said, "source")
    holder = source if source.get("coupon") is not None else said
    whole = get_object(holder, "coupon")
    return AppliedDiscount(
        get_reference(holder, "coupon"),
        parse_coupon(whole) if whole.get("duration") is not None else None,
        get_day(said, "end"),
        get_text(said, "subscription_item"),
    )


def parse_subscription(said: StripeObject) -> SubscriptionState:
    items = tuple(_parse_item(item) for item in get_objects(said, "items"))
    period_end = _period_end(said)
    started = get_day(said, "start_date") or get_day(said, "created")
    if started is None:
        raise MalformedEventError("start_date", "start_date is wanted: seconds since 1970.")
    return SubscriptionState(
        status=fields.require_text(said, "status"),
        currency=_parse_currency(said),
        starts_on=started,
        ended_on=get_day(said, "ended_at"),
        cancels_on=_cancels_on(said, period_end),
        period_ends_on=period_end,
        trial_started_on=get_day(said, "trial_start"),
        trial_ends_on=get_day(said, "trial_end"),
        is_collected=get_object(said, "pause_collection").get("behavior", "keep_as_draft")
        == "keep_as_draft",
        reason=_cancellation_reason(get_object(said, "cancellation_details")),
        items=items,
        has_all_items=get_object(said, "items").get("has_more") is not True,
        discounts=tuple(_parse_discounts(said)),
    )


def _period_end(said: StripeObject) -> date | None:
    """Read when the paid period ends: of the subscription, since 2025-03-31 of its items."""
    ends = [get_day(item, "current_period_end") for item in get_objects(said, "items")]
    known = [end for end in (get_day(said, "current_period_end"), *ends) if end is not None]
    return min(known, default=None)


def _cancels_on(said: StripeObject, period_end: date | None) -> date | None:
    at_period_end = period_end if said.get("cancel_at_period_end") is True else None
    return get_day(said, "cancel_at") or at_period_end


def _cancellation_reason(details: StripeObject) -> str | None:
    """Take what the customer said before what Stripe did."""
    return get_text(details, "feedback") or get_text(details, "reason")


def _parse_discounts(said: StripeObject) -> Iterable[AppliedDiscount | str]:
    """List discounts once each, rather told whole than by id; the older single field is one."""
    listed = [*_get_list(said, "discounts"), said.get("discount")]
    for item in get_objects(said, "items"):
        of_item = _get_list(item, "discounts")
        listed += [
            {**each, "subscription_item": item.get("id")} if isinstance(each, dict) else each
            for each in of_item
        ]
    found: dict[str, AppliedDiscount | str] = {}
    for each in sorted(listed, key=lambda one: not isinstance(one, dict)):
        if isinstance(each, dict):
            found[get_text(each, "id") or "the only one"] = parse_discount(each)
        elif isinstance(each, str):
            found.setdefault(each, each)
    return found.values()


def _get_list(said: StripeObject, name: str) -> list[Any]:
    value = said.get(name)
    return value if isinstance(value, list) else []


def _parse_item(said: StripeObject) -> Item:
    price = get_object(said, "price") or _price_of_plan(get_object(said, "plan"))
    product = get_reference(price, "product")
    named = (
        get_text(price, "id"),
        get_text(price, "lookup_key"),
        product,
        get_text(price, "nickname"),
    )
    return Item(
        fields.require_text(said, "id"),
        _parse_price(price),
        get_count(said, "quantity", 1),
        tuple(name for name in named if name),
        named[1] or named[3] or product,
    )


def _price_of_plan(plan: StripeObject) -> StripeObject:
    """Read the older object for a recurring price as the newer one."""
    return {
        **plan,
        "unit_amount": plan.get("amount"),
        "unit_amount_decimal": plan.get("amount_decimal"),
        "transform_quantity": plan.get("transform_usage"),
        "recurring": plan,
    }


def _parse_price(said: StripeObject) -> Price:
    recurring, packs = get_object(said, "recurring"), get_object(said, "transform_quantity")
    interval = get_text(recurring, "interval") or "month"
    if interval not in ("day", "week", "month", "year"):
        raise MalformedEventError("interval", "interval must be day, week, month or year.")
    return Price(
        interval,
        max(get_count(recurring, "interval_count", 1), 1),
        fields.get_amount(said, "unit_amount"),
        tuple(_parse_tier(tier) for tier in get_objects(said, "tiers")),
        by_volume=said.get("tiers_mode") == "volume",
        package_size=max(get_count(packs, "divide_by", 1), 1),
        round_up=packs.get("round") == "up",
        metered=recurring.get("usage_type") == "metered",
    )


def _parse_tier(said: StripeObject) -> Tier:
    return Tier(
        None if said.get("up_to") in (None, "inf") else get_count(said, "up_to"),
        fields.get_amount(said, "unit_amount") or Fraction(0),
        fields.get_amount(said, "flat_amount") or Fraction(0),
    )


def _parse_currency(said: StripeObject) -> str:
    code = fields.require_text(said, "currency").upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004
        raise MalformedEventError("currency", "currency must be a code of three letters.")
    return code


def parse_invoice(said: StripeObject) -> InvoiceState:
    currency, moves = _parse_currency(said), get_object(said, "status_transitions")
    amounts = [
        fields.get_number(said, name) or Fraction(0) for name in ("amount_due", "amount_paid")
    ]
    due, paid = (to_cents(each, currency) for each in amounts)
    created_at = get_instant(said, "created")
    if created_at is None:
        raise MalformedEventError("created", "created is wanted: seconds since 1970.")
    return InvoiceState(
        fields.require_text(said, "id"),
        invoice_subscription_id(said),
        fields.require_text(said, "status"),
        currency,
        due,
        paid,
        min(get_count(said, "attempt_count"), MOST_ATTEMPTS),
        created_at,
        get_instant(said, "due_date"),
        get_instant(moves, "finalized_at"),
        get_instant(moves, "paid_at"),
        get_instant(said, "next_payment_attempt"),
        _failure_reason(said),
        _charged_by_item(get_objects(said, "lines")),
    )


def invoice_subscription_id(said: StripeObject) -> str | None:
    """Read the subscription: of the invoice, since 2025-03-31 of its parent."""
    details = get_object(get_object(said, "parent"), "subscription_details")
    return get_reference(said, "subscription") or get_reference(details, "subscription")


def _failure_reason(said: StripeObject) -> str | None:
    """Read why a payment failed. Events seldom hold it: only with the payment told along."""
    payment = get_object(get_object(said, "payment_intent"), "last_payment_error")
    error = payment or get_object(said, "last_finalization_error")
    told = get_text(error, "decline_code") or get_text(error, "code") or get_text(error, "message")
    return told or ("payment_failed" if said.get("payment_failed") is True else None)


def _charged_by_item(lines: Iterable[StripeObject]) -> dict[str, Fraction]:
    """Sum what was charged for each item, before discounts, without what was prorated."""
    charged: dict[str, Fraction] = {}
    for line in lines:
        details = get_object(get_object(line, "parent"), "subscription_item_details") or line
        item_id = get_text(details, "subscription_item")
        if item_id and details.get("proration") is not True:
            amount = fields.get_number(line, "amount") or Fraction(0)
            charged[item_id] = charged.get(item_id, Fraction(0)) + amount
    return charged
