"""The dialect of Stripe's webhooks: an event becomes a notice. Its names end in the reader."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from app.billing import fields
from app.billing import stripe_objects as objects
from app.billing.billing_events import MalformedEventError, ObjectKind, ParsedEvent
from app.billing.fields import get_object, get_objects, get_reference, get_text, pick

StripeObject = Mapping[str, Any]
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
    ObjectKind.CUSTOMER: ("name", "email", "metadata", "deleted"),
    ObjectKind.SUBSCRIPTION: (
        *("status", "currency", "metadata", "created", "start_date", "current_period_end"),
        *("cancel_at", "cancel_at_period_end", "ended_at", "trial_start", "trial_end"),
        *("pause_collection", "cancellation_details"),
    ),
    ObjectKind.DISCOUNT: (),
    ObjectKind.COUPON: ("id", "percent_off", "amount_off", "currency", "duration", "applies_to"),
    ObjectKind.CHECKOUT: ("client_reference_id",),
    ObjectKind.INVOICE: (
        *("id", "status", "currency", "amount_due", "amount_paid", "attempt_count", "due_date"),
        *("created", "next_payment_attempt", "status_transitions"),
    ),
}
DISCOUNT_FIELDS = ("id", "end", "subscription", "subscription_item")
PRICE_FIELDS = (
    *("id", "lookup_key", "nickname", "tiers", "tiers_mode", "transform_quantity", "recurring"),
    *("unit_amount", "unit_amount_decimal"),
)
PLAN_FIELDS = (
    *("id", "nickname", "tiers", "tiers_mode", "transform_usage", "interval", "interval_count"),
    *("usage_type", "amount", "amount_decimal"),
)


def parse_event(event: StripeObject) -> ParsedEvent | None:
    """Read an event; None: of a type that tells us nothing. Raises ``MalformedEventError``."""
    event_id, name = fields.require_text(event, "id"), fields.require_text(event, "type")
    if name not in KIND_BY_TYPE:
        return None
    at = fields.get_instant(event, "created")
    if at is None:
        raise MalformedEventError("created", "created is wanted: seconds since 1970.")
    whole = fields.without_nul(get_object(get_object(event, "data"), "object"))
    try:
        return _parsed_event(event_id, name, whole, at)
    except MalformedEventError as error:
        raise MalformedEventError(f"data/object/{error.pointer}", str(error)) from None


def _parsed_event(event_id: str, name: str, whole: StripeObject, at: datetime) -> ParsedEvent:
    kind, object_id = KIND_BY_TYPE[name], fields.require_text(whole, "id")
    said = {**pick(whole, STORED_FIELDS[kind]), **NESTED_FIELDS[kind](whole)}
    said |= {verb: True for verb in ("deleted", "payment_failed") if name.endswith("." + verb)}
    customer_id = object_id if kind is ObjectKind.CUSTOMER else get_reference(whole, "customer")
    if customer_id is None and kind in {ObjectKind.SUBSCRIPTION, ObjectKind.INVOICE}:
        raise MalformedEventError("customer", "customer is wanted: an id.")
    subscription_id = (
        object_id if kind is ObjectKind.SUBSCRIPTION else _subscription_id(kind, whole)
    )
    rank = RANKS[kind](name, said)
    return ParsedEvent(event_id, kind, object_id, customer_id, subscription_id, at, rank, said)


def _subscription_id(kind: ObjectKind, whole: StripeObject) -> str | None:
    if kind is ObjectKind.INVOICE:
        return objects.invoice_subscription_id(whole)
    return get_reference(whole, "subscription")


def _discount_fields(said: StripeObject) -> dict[str, Any]:
    source = get_object(said, "source")
    holder = source if source.get("coupon") is not None else said
    coupon = get_object(holder, "coupon")
    told = (
        pick(coupon, STORED_FIELDS[ObjectKind.COUPON])
        if coupon
        else get_reference(holder, "coupon")
    )
    return {**pick(said, DISCOUNT_FIELDS), "coupon": told}


def _customer_fields(whole: StripeObject) -> dict[str, Any]:
    discount = get_object(whole, "discount")
    return {"discount": _discount_fields(discount)} if discount else {}


def _discount_lists(whole: StripeObject) -> dict[str, Any]:
    """Keep the list of discounts and the older single one; most are told by their ids."""
    listed = whole.get("discounts")
    many = [
        _discount_fields(each) if isinstance(each, dict) else each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict | str)
    ]
    one = get_object(whole, "discount")
    return {"discounts": many, **({"discount": _discount_fields(one)} if one else {})}


def _subscription_fields(whole: StripeObject) -> dict[str, Any]:
    items = [_item_fields(item) for item in get_objects(whole, "items")]
    has_more = get_object(whole, "items").get("has_more") is True
    return {**_discount_lists(whole), "items": {"data": items, "has_more": has_more}}


def _item_fields(item: StripeObject) -> dict[str, Any]:
    price, plan = get_object(item, "price"), get_object(item, "plan")
    sold = (
        {"price": _price_fields(price, PRICE_FIELDS)}
        if price
        else {"plan": _price_fields(plan, PLAN_FIELDS)}
    )
    discounts = _discount_lists(item)["discounts"]
    return {**pick(item, ("id", "quantity", "current_period_end")), **sold, "discounts": discounts}


def _price_fields(said: StripeObject, names: Iterable[str]) -> dict[str, Any]:
    return {**pick(said, names), "product": get_reference(said, "product")}


def _invoice_fields(whole: StripeObject) -> dict[str, Any]:
    payment = get_object(get_object(whole, "payment_intent"), "last_payment_error")
    error = payment or get_object(whole, "last_finalization_error")
    lines = [
        {
            **pick(line, ("amount", "subscription_item", "proration")),
            "parent": pick(get_object(line, "parent"), ("subscription_item_details",)),
        }
        for line in get_objects(whole, "lines")
    ]
    return {
        "subscription": objects.invoice_subscription_id(whole),
        "lines": lines,
        "last_finalization_error": pick(error, ("decline_code", "code", "message")),
    }


def _no_fields(_: StripeObject) -> dict[str, Any]:
    return {}


NESTED_FIELDS: Mapping[ObjectKind, Callable[[StripeObject], dict[str, Any]]] = {
    ObjectKind.CUSTOMER: _customer_fields,
    ObjectKind.SUBSCRIPTION: _subscription_fields,
    ObjectKind.DISCOUNT: _discount_fields,
    ObjectKind.COUPON: _no_fields,
    ObjectKind.CHECKOUT: _no_fields,
    ObjectKind.INVOICE: _invoice_fields,
}


def _rank(name: str, _: StripeObject) -> int:
    """Of two events in one second the first comes first, and what deletes comes last."""
    verb = name.rpartition(".")[2]
    return {"created": CREATED_RANK, "deleted": DELETED_RANK}.get(verb, 1)


def _rank_of_subscription(name: str, said: StripeObject) -> int:
    status = objects.parse_subscription(said).status
    ahead = STATUSES.index(status) if status in STATUSES else len(STATUSES)
    return _rank(name, said) * 10 + ahead


def _rank_of_invoice(_: str, said: StripeObject) -> int:
    found = objects.parse_invoice(said)
    ahead = INVOICE_STATUSES.index(found.status) if found.status in INVOICE_STATUSES else 1
    return ahead * 100 + min(found.attempt_count, MOST_ATTEMPTS)


def _rank_checked(check: Callable[[StripeObject], object]) -> Callable[[str, StripeObject], int]:
    """Rank by the verb, after the object has been read once, so that it can be read later."""

    def rank(name: str, said: StripeObject) -> int:
        check(said)
        return _rank(name, said)

    return rank


RANKS: Mapping[ObjectKind, Callable[[str, StripeObject], int]] = {
    ObjectKind.CUSTOMER: _rank_checked(objects.parse_customer),
    ObjectKind.SUBSCRIPTION: _rank_of_subscription,
    ObjectKind.DISCOUNT: _rank_checked(objects.parse_discount),
    ObjectKind.COUPON: _rank_checked(objects.parse_coupon),
    ObjectKind.CHECKOUT: _rank,
    ObjectKind.INVOICE: _rank_of_invoice,
}


def account_in_metadata(said: StripeObject, key: str) -> str | None:
    """Read the account that somebody wrote into an object's metadata."""
    return get_text(get_object(said, "metadata"), key)


def account_of_checkout(said: StripeObject) -> str | None:
    """Read the account that a checkout was started for."""
    return get_text(said, "client_reference_id")
