"""Parse Stripe's webhook events: pick the fields that are used, rank events of the same second."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from app.billing import fields, stripe_charges
from app.billing import stripe_objects as objects
from app.billing.billing_events import MalformedEventError, ObjectKind, ParsedEvent
from app.billing.fields import StripeObject, get_object, get_objects, get_reference, pick

EVENT_VERBS: Mapping[ObjectKind, tuple[str, Iterable[str]]] = {
    ObjectKind.CUSTOMER: ("customer.", ("created", "updated", "deleted")),
    ObjectKind.SUBSCRIPTION: (
        "customer.subscription.",
        ("created", "updated", "deleted", "trial_will_end", "paused", "resumed"),
    ),
    ObjectKind.DISCOUNT: ("customer.discount.", ("created", "updated", "deleted")),
    ObjectKind.COUPON: ("coupon.", ("created", "updated")),
    ObjectKind.CHECKOUT: ("checkout.session.", ("completed",)),
    ObjectKind.INVOICE: (
        "invoice.",
        ("finalized", "paid", "payment_failed", "voided", "marked_uncollectible"),
    ),
}
KIND_BY_TYPE = {
    prefix + verb: kind for kind, (prefix, verbs) in EVENT_VERBS.items() for verb in verbs
}
CREATED_RANK, DELETED_RANK = 0, 20
STATUSES = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled")
INVOICE_STATUSES = ("draft", "open", "uncollectible", "void", "paid")
MOST_ATTEMPTS = 99

STORED_FIELDS: Mapping[ObjectKind, tuple[str, ...]] = {
    ObjectKind.CUSTOMER: ("name", "email", "metadata", "deleted", "tax_exempt"),
    ObjectKind.SUBSCRIPTION: (
        *("status", "currency", "metadata", "created", "start_date", "current_period_start"),
        *("current_period_end", "cancel_at", "cancel_at_period_end", "ended_at", "trial_start"),
        *("trial_end", "pause_collection", "cancellation_details"),
    ),
    ObjectKind.DISCOUNT: (),
    ObjectKind.COUPON: ("id", "percent_off", "amount_off", "currency", "duration", "applies_to"),
    ObjectKind.CHECKOUT: ("client_reference_id",),
    ObjectKind.INVOICE: (
        *("id", "status", "currency", "amount_due", "amount_paid", "attempt_count", "due_date"),
        *("created", "next_payment_attempt", "status_transitions"),
    ),
}
DISCOUNT_FIELDS = ("id", "start", "end", "subscription", "subscription_item")
ITEM_FIELDS = ("id", "quantity", "current_period_start", "current_period_end")
PRICE_FIELDS = (
    *("id", "lookup_key", "nickname", "tiers", "tiers_mode", "transform_quantity", "recurring"),
    *("unit_amount", "unit_amount_decimal", "tax_behavior"),
)
PLAN_FIELDS = (
    *("id", "nickname", "tiers", "tiers_mode", "transform_usage", "interval", "interval_count"),
    *("usage_type", "amount", "amount_decimal"),
)


def parse_event(event: StripeObject) -> ParsedEvent | None:
    """Parse an event; None if its type is not used. Raises ``MalformedEventError``."""
    event_id, name = fields.require_text(event, "id"), fields.require_text(event, "type")
    if name not in KIND_BY_TYPE:
        return None
    at = fields.require_instant(event, "created")
    whole = fields.without_nul(get_object(get_object(event, "data"), "object"))
    try:
        return _parsed_event(event_id, name, whole, at)
    except MalformedEventError as error:
        raise MalformedEventError(f"data/object/{error.pointer}", str(error)) from None


def _parsed_event(event_id: str, name: str, whole: StripeObject, at: datetime) -> ParsedEvent:
    kind, object_id = KIND_BY_TYPE[name], fields.require_text(whole, "id")
    data = pick(whole, STORED_FIELDS[kind])
    if kind in NESTED_FIELDS:
        data |= NESTED_FIELDS[kind](whole)
    data |= {verb: True for verb in ("deleted", "payment_failed") if name.endswith("." + verb)}
    is_customer = kind is ObjectKind.CUSTOMER
    customer_id = object_id if is_customer else get_reference(whole, "customer")
    if customer_id is None and kind in {ObjectKind.SUBSCRIPTION, ObjectKind.INVOICE}:
        raise MalformedEventError("customer", "customer must be the id of a customer.")
    subscription_id = _subscription_id(kind, object_id, whole)
    rank = _rank(kind, name, data)
    return ParsedEvent(event_id, kind, object_id, customer_id, subscription_id, at, rank, data)


def _subscription_id(kind: ObjectKind, object_id: str, whole: StripeObject) -> str | None:
    match kind:
        case ObjectKind.SUBSCRIPTION:
            return object_id
        case ObjectKind.INVOICE:
            return objects.invoice_subscription_id(whole)
    return get_reference(whole, "subscription")


def _discount_fields(data: StripeObject) -> dict[str, Any]:
    holder = objects.coupon_holder(data)
    coupon = get_object(holder, "coupon")
    stored = (
        pick(coupon, STORED_FIELDS[ObjectKind.COUPON])
        if coupon
        else get_reference(holder, "coupon")
    )
    return {**pick(data, DISCOUNT_FIELDS), "coupon": stored}


def _single_discount(whole: StripeObject) -> dict[str, Any]:
    discount = get_object(whole, "discount")
    return {"discount": _discount_fields(discount)} if discount else {}


def _discount_lists(whole: StripeObject) -> dict[str, Any]:
    """Return the fields ``discounts`` and, of old API versions, ``discount``; most are only ids."""
    value = whole.get("discounts")
    many = [
        _discount_fields(each) if isinstance(each, dict) else each
        for each in (value if isinstance(value, list) else [])
        if isinstance(each, dict | str)
    ]
    return {"discounts": many, **_single_discount(whole)}


def _subscription_fields(whole: StripeObject) -> dict[str, Any]:
    items = [_item_fields(item) for item in get_objects(whole, "items")]
    has_more = get_object(whole, "items").get("has_more") is True
    return {
        **_discount_lists(whole),
        **stripe_charges.rate_fields(whole, "default_tax_rates"),
        "automatic_tax": pick(get_object(whole, "automatic_tax"), ("enabled",)),
        "items": {"data": items, "has_more": has_more},
    }


def _item_fields(item: StripeObject) -> dict[str, Any]:
    price, plan = get_object(item, "price"), get_object(item, "plan")
    sold = (
        {"price": _price_fields(price, PRICE_FIELDS)}
        if price
        else {"plan": _price_fields(plan, PLAN_FIELDS)}
    )
    return {
        **pick(item, ITEM_FIELDS),
        **sold,
        **stripe_charges.rate_fields(item, "tax_rates"),
        "discounts": _discount_lists(item)["discounts"],
    }


def _price_fields(data: StripeObject, names: Iterable[str]) -> dict[str, Any]:
    return {**pick(data, names), "product": get_reference(data, "product")}


def _invoice_fields(whole: StripeObject) -> dict[str, Any]:
    lines = [stripe_charges.line_fields(line) for line in get_objects(whole, "lines")]
    has_more = get_object(whole, "lines").get("has_more") is True
    error = objects.invoice_error(whole)
    return {
        "subscription": objects.invoice_subscription_id(whole),
        "lines": {"data": lines, "has_more": has_more},
        "last_finalization_error": pick(error, ("decline_code", "code", "message")),
    }


NESTED_FIELDS: Mapping[ObjectKind, Callable[[StripeObject], dict[str, Any]]] = {
    ObjectKind.CUSTOMER: _single_discount,
    ObjectKind.SUBSCRIPTION: _subscription_fields,
    ObjectKind.DISCOUNT: _discount_fields,
    ObjectKind.INVOICE: _invoice_fields,
}


def _rank(kind: ObjectKind, name: str, data: StripeObject) -> int:
    """Rank events of the same second: ``created`` comes first, ``deleted`` last.

    Subscriptions are also ranked by status, invoices only by status and attempts. The object is
    parsed here, so that an invalid one is rejected now and cannot fail in a later replay.
    """
    verb = name.rpartition(".")[2]
    rank = {"created": CREATED_RANK, "deleted": DELETED_RANK}.get(verb, 1)
    match kind:
        case ObjectKind.SUBSCRIPTION:
            status = objects.parse_subscription(data).status
            return rank * 10 + (STATUSES.index(status) if status in STATUSES else len(STATUSES))
        case ObjectKind.INVOICE:
            invoice = objects.parse_invoice(data)
            known = invoice.status in INVOICE_STATUSES
            position = INVOICE_STATUSES.index(invoice.status) if known else 1
            return position * 100 + min(invoice.attempt_count, MOST_ATTEMPTS)
        case ObjectKind.CUSTOMER:
            objects.parse_customer(data)
        case ObjectKind.DISCOUNT:
            objects.parse_discount(data)
        case ObjectKind.COUPON:
            objects.parse_coupon(data)
    return rank
