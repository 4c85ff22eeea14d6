"""The dialect of Stripe's webhooks: an event becomes a notice. Its names end in the reader."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from app.billing import fields
from app.billing import stripe_objects as objects
from app.billing.fields import kept, mapping, mappings, reference, text
from app.billing.notices import Kind, MalformedEventError, Notice

Said = Mapping[str, Any]
VERBS: Mapping[Kind, tuple[str, Iterable[str]]] = {
    Kind.CUSTOMER: ("customer.", ("created", "updated", "deleted")),
    Kind.SUBSCRIPTION: (
        "customer.subscription.",
        ("created", "updated", "deleted", "trial_will_end", "paused", "resumed"),
    ),
    Kind.DISCOUNT: ("customer.discount.", ("created", "updated", "deleted")),
    Kind.COUPON: ("coupon.", ("created", "updated")),
    Kind.CHECKOUT: ("checkout.session.", ("completed",)),
    Kind.INVOICE: (
        "invoice.",
        ("finalized", "paid", "payment_failed", "voided", "marked_uncollectible"),
    ),
}
TYPES = {prefix + verb: kind for kind, (prefix, verbs) in VERBS.items() for verb in verbs}
CREATED, DELETED = 0, 20
STATUSES = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled")
INVOICE_STATUSES = ("draft", "open", "uncollectible", "void", "paid")
MOST_ATTEMPTS = 99

KEPT: Mapping[Kind, tuple[str, ...]] = {
    Kind.CUSTOMER: ("name", "email", "metadata", "deleted"),
    Kind.SUBSCRIPTION: (
        *("status", "currency", "metadata", "created", "start_date", "current_period_end"),
        *("cancel_at", "cancel_at_period_end", "ended_at", "trial_start", "trial_end"),
        *("pause_collection", "cancellation_details"),
    ),
    Kind.DISCOUNT: (),
    Kind.COUPON: ("id", "percent_off", "amount_off", "currency", "duration", "applies_to"),
    Kind.CHECKOUT: ("client_reference_id",),
    Kind.INVOICE: (
        *("id", "status", "currency", "amount_due", "amount_paid", "attempt_count", "due_date"),
        *("created", "next_payment_attempt", "status_transitions"),
    ),
}
OF_DISCOUNT = ("id", "end", "subscription", "subscription_item")
OF_PRICE = (
    *("id", "lookup_key", "nickname", "tiers", "tiers_mode", "transform_quantity", "recurring"),
    *("unit_amount", "unit_amount_decimal"),
)
OF_PLAN = (
    *("id", "nickname", "tiers", "tiers_mode", "transform_usage", "interval", "interval_count"),
    *("usage_type", "amount", "amount_decimal"),
)


def read(event: Said) -> Notice | None:
    """Read an event; None: of a type that tells us nothing. Raises ``MalformedEventError``."""
    event_id, name = fields.wanted(event, "id"), fields.wanted(event, "type")
    if name not in TYPES:
        return None
    at = fields.moment(event, "created")
    if at is None:
        raise MalformedEventError("created", "created is wanted: seconds since 1970.")
    whole = fields.storable(mapping(mapping(event, "data"), "object"))
    try:
        return _notice(event_id, name, whole, at)
    except MalformedEventError as error:
        raise MalformedEventError(f"data/object/{error.pointer}", str(error)) from None


def _notice(event_id: str, name: str, whole: Said, at: datetime) -> Notice:
    kind, object_id = TYPES[name], fields.wanted(whole, "id")
    said = {**kept(whole, KEPT[kind]), **SAID[kind](whole)}
    said |= {verb: True for verb in ("deleted", "payment_failed") if name.endswith("." + verb)}
    customer_id = object_id if kind is Kind.CUSTOMER else reference(whole, "customer")
    if customer_id is None and kind in {Kind.SUBSCRIPTION, Kind.INVOICE}:
        raise MalformedEventError("customer", "customer is wanted: an id.")
    subscription_id = object_id if kind is Kind.SUBSCRIPTION else _subscription(kind, whole)
    rank = RANKS[kind](name, said)
    return Notice(event_id, kind, object_id, customer_id, subscription_id, at, rank, said)


def _subscription(kind: Kind, whole: Said) -> str | None:
    if kind is Kind.INVOICE:
        return objects.subscription_of_invoice(whole)
    return reference(whole, "subscription")


def _of_discount(said: Said) -> dict[str, Any]:
    source = mapping(said, "source")
    holder = source if source.get("coupon") is not None else said
    coupon = mapping(holder, "coupon")
    told = kept(coupon, KEPT[Kind.COUPON]) if coupon else reference(holder, "coupon")
    return {**kept(said, OF_DISCOUNT), "coupon": told}


def _of_customer(whole: Said) -> dict[str, Any]:
    discount = mapping(whole, "discount")
    return {"discount": _of_discount(discount)} if discount else {}


def _discounts(whole: Said) -> dict[str, Any]:
    """Keep the list of discounts and the older single one; most are told by their ids."""
    listed = whole.get("discounts")
    many = [
        _of_discount(each) if isinstance(each, dict) else each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict | str)
    ]
    one = mapping(whole, "discount")
    return {"discounts": many, **({"discount": _of_discount(one)} if one else {})}


def _of_subscription(whole: Said) -> dict[str, Any]:
    items = [_of_item(item) for item in mappings(whole, "items")]
    has_more = mapping(whole, "items").get("has_more") is True
    return {**_discounts(whole), "items": {"data": items, "has_more": has_more}}


def _of_item(item: Said) -> dict[str, Any]:
    price, plan = mapping(item, "price"), mapping(item, "plan")
    sold = {"price": _of_price(price, OF_PRICE)} if price else {"plan": _of_price(plan, OF_PLAN)}
    discounts = _discounts(item)["discounts"]
    return {**kept(item, ("id", "quantity", "current_period_end")), **sold, "discounts": discounts}


def _of_price(said: Said, names: Iterable[str]) -> dict[str, Any]:
    return {**kept(said, names), "product": reference(said, "product")}


def _of_invoice(whole: Said) -> dict[str, Any]:
    payment = mapping(mapping(whole, "payment_intent"), "last_payment_error")
    error = payment or mapping(whole, "last_finalization_error")
    lines = [
        {
            **kept(line, ("amount", "subscription_item", "proration")),
            "parent": kept(mapping(line, "parent"), ("subscription_item_details",)),
        }
        for line in mappings(whole, "lines")
    ]
    return {
        "subscription": objects.subscription_of_invoice(whole),
        "lines": lines,
        "last_finalization_error": kept(error, ("decline_code", "code", "message")),
    }


def _nothing_more(_: Said) -> dict[str, Any]:
    return {}


SAID: Mapping[Kind, Callable[[Said], dict[str, Any]]] = {
    Kind.CUSTOMER: _of_customer,
    Kind.SUBSCRIPTION: _of_subscription,
    Kind.DISCOUNT: _of_discount,
    Kind.COUPON: _nothing_more,
    Kind.CHECKOUT: _nothing_more,
    Kind.INVOICE: _of_invoice,
}


def _rank(name: str, _: Said) -> int:
    """Of two events in one second the first comes first, and what deletes comes last."""
    verb = name.rpartition(".")[2]
    return {"created": CREATED, "deleted": DELETED}.get(verb, 1)


def _rank_of_subscription(name: str, said: Said) -> int:
    status = objects.standing(said).status
    ahead = STATUSES.index(status) if status in STATUSES else len(STATUSES)
    return _rank(name, said) * 10 + ahead


def _rank_of_invoice(_: str, said: Said) -> int:
    found = objects.invoice(said)
    ahead = INVOICE_STATUSES.index(found.status) if found.status in INVOICE_STATUSES else 1
    return ahead * 100 + min(found.attempt_count, MOST_ATTEMPTS)


def _rank_checked(check: Callable[[Said], object]) -> Callable[[str, Said], int]:
    """Rank by the verb, after the object has been read once, so that it can be read later."""

    def rank(name: str, said: Said) -> int:
        check(said)
        return _rank(name, said)

    return rank


RANKS: Mapping[Kind, Callable[[str, Said], int]] = {
    Kind.CUSTOMER: _rank_checked(objects.customer),
    Kind.SUBSCRIPTION: _rank_of_subscription,
    Kind.DISCOUNT: _rank_checked(objects.given),
    Kind.COUPON: _rank_checked(objects.coupon),
    Kind.CHECKOUT: _rank,
    Kind.INVOICE: _rank_of_invoice,
}


def named_account(said: Said, key: str) -> str | None:
    """Read the account that somebody wrote into an object's metadata."""
    return text(mapping(said, "metadata"), key)


def referenced_account(said: Said) -> str | None:
    """Read the account that a checkout was started for."""
    return text(said, "client_reference_id")
