"""The objects inside Stripe's events, of API versions old and new, read from what we keep."""

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from app.billing import fields
from app.billing.amounts import Item, Price, Tier, to_cents
from app.billing.fields import count, day, mapping, mappings, moment, reference, text
from app.billing.notices import (
    Coupon,
    Customer,
    Given,
    Invoice,
    MalformedEventError,
    Standing,
)

Said = Mapping[str, Any]
MOST_ATTEMPTS = 10**6


def customer(said: Said) -> Customer:
    deleted = said.get("deleted") is True
    discount = mapping(said, "discount")
    given_one = given(discount) if discount else None
    return Customer(text(said, "name"), text(said, "email"), deleted, given_one)


def coupon(said: Said) -> Coupon:
    """Read a coupon. One for a single charge changes no recurring price."""
    return Coupon(
        fields.number(said, "percent_off") or Fraction(0),
        fields.number(said, "amount_off") or Fraction(0),
        (text(said, "currency") or "").upper() or None,
        said.get("duration") in {"forever", "repeating"},
        frozenset(
            each for each in _list(mapping(said, "applies_to"), "products") if isinstance(each, str)
        ),
    )


def given(said: Said) -> Given:
    """Read a discount. The coupon is in it, or under ``source``, whole or as an id."""
    source = mapping(said, "source")
    holder = source if source.get("coupon") is not None else said
    whole = mapping(holder, "coupon")
    return Given(
        reference(holder, "coupon"),
        coupon(whole) if whole.get("duration") is not None else None,
        day(said, "end"),
        text(said, "subscription_item"),
    )


def standing(said: Said) -> Standing:
    items = tuple(_item(item) for item in mappings(said, "items"))
    period_end = _period_end(said)
    started = day(said, "start_date") or day(said, "created")
    if started is None:
        raise MalformedEventError("start_date", "start_date is wanted: seconds since 1970.")
    return Standing(
        status=fields.wanted(said, "status"),
        currency=_currency(said),
        starts_on=started,
        ended_on=day(said, "ended_at"),
        cancels_on=_cancels_on(said, period_end),
        period_ends_on=period_end,
        trial_started_on=day(said, "trial_start"),
        trial_ends_on=day(said, "trial_end"),
        collects=mapping(said, "pause_collection").get("behavior", "keep_as_draft")
        == "keep_as_draft",
        reason=_reason(mapping(said, "cancellation_details")),
        items=items,
        is_whole=mapping(said, "items").get("has_more") is not True,
        discounts=tuple(_discounts(said)),
    )


def _period_end(said: Said) -> date | None:
    """Read when the paid period ends: of the subscription, since 2025-03-31 of its items."""
    ends = [day(item, "current_period_end") for item in mappings(said, "items")]
    known = [end for end in (day(said, "current_period_end"), *ends) if end is not None]
    return min(known, default=None)


def _cancels_on(said: Said, period_end: date | None) -> date | None:
    at_period_end = period_end if said.get("cancel_at_period_end") is True else None
    return day(said, "cancel_at") or at_period_end


def _reason(details: Said) -> str | None:
    """Take what the customer said before what Stripe did."""
    return text(details, "feedback") or text(details, "reason")


def _discounts(said: Said) -> Iterable[Given | str]:
    """List discounts once each, rather told whole than by id; the older single field is one."""
    listed = [*_list(said, "discounts"), said.get("discount")]
    for item in mappings(said, "items"):
        of_item = _list(item, "discounts")
        listed += [
            {**each, "subscription_item": item.get("id")} if isinstance(each, dict) else each
            for each in of_item
        ]
    found: dict[str, Given | str] = {}
    for each in sorted(listed, key=lambda one: not isinstance(one, dict)):
        if isinstance(each, dict):
            found[text(each, "id") or "the only one"] = given(each)
        elif isinstance(each, str):
            found.setdefault(each, each)
    return found.values()


def _list(said: Said, name: str) -> list[Any]:
    value = said.get(name)
    return value if isinstance(value, list) else []


def _item(said: Said) -> Item:
    price = mapping(said, "price") or _price_of_plan(mapping(said, "plan"))
    product = reference(price, "product")
    named = (text(price, "id"), text(price, "lookup_key"), product, text(price, "nickname"))
    return Item(
        fields.wanted(said, "id"),
        _price(price),
        count(said, "quantity", 1),
        tuple(name for name in named if name),
        named[1] or named[3] or product,
    )


def _price_of_plan(plan: Said) -> Said:
    """Read the older object for a recurring price as the newer one."""
    return {
        **plan,
        "unit_amount": plan.get("amount"),
        "unit_amount_decimal": plan.get("amount_decimal"),
        "transform_quantity": plan.get("transform_usage"),
        "recurring": plan,
    }


def _price(said: Said) -> Price:
    recurring, packs = mapping(said, "recurring"), mapping(said, "transform_quantity")
    interval = text(recurring, "interval") or "month"
    if interval not in ("day", "week", "month", "year"):
        raise MalformedEventError("interval", "interval must be day, week, month or year.")
    return Price(
        interval,
        max(count(recurring, "interval_count", 1), 1),
        fields.amount(said, "unit_amount"),
        tuple(_tier(tier) for tier in mappings(said, "tiers")),
        by_volume=said.get("tiers_mode") == "volume",
        pack=max(count(packs, "divide_by", 1), 1),
        round_up=packs.get("round") == "up",
        metered=recurring.get("usage_type") == "metered",
    )


def _tier(said: Said) -> Tier:
    return Tier(
        None if said.get("up_to") in (None, "inf") else count(said, "up_to"),
        fields.amount(said, "unit_amount") or Fraction(0),
        fields.amount(said, "flat_amount") or Fraction(0),
    )


def _currency(said: Said) -> str:
    code = fields.wanted(said, "currency").upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():  # noqa: PLR2004
        raise MalformedEventError("currency", "currency must be a code of three letters.")
    return code


def invoice(said: Said) -> Invoice:
    currency, moves = _currency(said), mapping(said, "status_transitions")
    amounts = [fields.number(said, name) or Fraction(0) for name in ("amount_due", "amount_paid")]
    due, paid = (to_cents(each, currency) for each in amounts)
    created_at = moment(said, "created")
    if created_at is None:
        raise MalformedEventError("created", "created is wanted: seconds since 1970.")
    return Invoice(
        fields.wanted(said, "id"),
        subscription_of_invoice(said),
        fields.wanted(said, "status"),
        currency,
        due,
        paid,
        min(count(said, "attempt_count"), MOST_ATTEMPTS),
        created_at,
        moment(said, "due_date"),
        moment(moves, "finalized_at"),
        moment(moves, "paid_at"),
        moment(said, "next_payment_attempt"),
        _failure(said),
        _charged(mappings(said, "lines")),
    )


def subscription_of_invoice(said: Said) -> str | None:
    """Read the subscription: of the invoice, since 2025-03-31 of its parent."""
    details = mapping(mapping(said, "parent"), "subscription_details")
    return reference(said, "subscription") or reference(details, "subscription")


def _failure(said: Said) -> str | None:
    """Read why a payment failed. Events seldom hold it: only with the payment told along."""
    payment = mapping(mapping(said, "payment_intent"), "last_payment_error")
    error = payment or mapping(said, "last_finalization_error")
    told = text(error, "decline_code") or text(error, "code") or text(error, "message")
    return told or ("payment_failed" if said.get("payment_failed") is True else None)


def _charged(lines: Iterable[Said]) -> dict[str, Fraction]:
    """Sum what was charged for each item, before discounts, without what was prorated."""
    charged: dict[str, Fraction] = {}
    for line in lines:
        details = mapping(mapping(line, "parent"), "subscription_item_details") or line
        item_id = text(details, "subscription_item")
        if item_id and details.get("proration") is not True:
            amount = fields.number(line, "amount") or Fraction(0)
            charged[item_id] = charged.get(item_id, Fraction(0)) + amount
    return charged
