"""Parse what Stripe's invoices charge for items, and the tax that prices include."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.billing import fields
from app.billing.charges import Charge, ItemPrice
from app.billing.fields import (
    StripeObject,
    get_object,
    get_objects,
    get_reference,
    get_text,
    pick,
)

LINE_FIELDS = ("amount", "subscription_item", "proration")
RATE_FIELDS = ("percentage", "inclusive")
TAX_FIELDS = ("amount", "inclusive", "tax_behavior")


@dataclass(slots=True)
class _Sum:
    """The lines of one item and price. ``has_tax``: whether the lines say what tax they include."""

    amount: Fraction = Fraction(0)
    discount: Fraction = Fraction(0)
    tax: Fraction = Fraction(0)
    has_tax: bool = True

    def charge(self) -> Charge:
        """Return the charge; Stripe computes the tax after discounts."""
        taxed = self.amount - self.discount
        share = max(1 - self.tax / taxed, Fraction(0)) if self.has_tax and taxed > 0 else None
        return Charge(self.amount, share)


def line_fields(line: StripeObject) -> dict[str, Any]:
    """Return the fields of an invoice line that are stored."""
    return {
        **pick(line, LINE_FIELDS),
        "parent": pick(get_object(line, "parent"), ("subscription_item_details",)),
        "price": _price_id(line),
        "discount_amounts": _picked(line, "discount_amounts", ("amount",)),
        **{
            name: _picked(line, name, TAX_FIELDS)
            for name in ("taxes", "tax_amounts")
            if isinstance(line.get(name), list)
        },
    }


def rate_fields(holder: StripeObject, name: str) -> dict[str, Any]:
    """Return the tax rates of an item or subscription that are stored; an id stays an id."""
    rates = holder.get(name)
    stored = [
        pick(rate, RATE_FIELDS) if isinstance(rate, dict) else rate
        for rate in (rates if isinstance(rates, list) else [])
        if isinstance(rate, dict | str)
    ]
    return {name: stored} if stored else {}


def _picked(data: StripeObject, name: str, names: Iterable[str]) -> list[dict[str, Any]]:
    return [pick(each, names) for each in get_objects(data, name)]


def _price_id(line: StripeObject) -> str | None:
    """Return the price of a line; since API version 2025-03-31 ``pricing`` holds it."""
    details = get_object(get_object(line, "pricing"), "price_details")
    sent = get_reference(line, "price") or get_reference(line, "plan")
    return sent or get_reference(details, "price")


def parse_charges(invoice: StripeObject) -> Mapping[ItemPrice, Charge] | None:
    """Sum the charges of each item and price, before discounts and without prorations.

    Return None if the event holds only some of the lines.
    """
    if get_object(invoice, "lines").get("has_more") is True:
        return None
    sums: dict[ItemPrice, _Sum] = {}
    for line in get_objects(invoice, "lines"):
        details = get_object(get_object(line, "parent"), "subscription_item_details") or line
        item_id = get_text(details, "subscription_item")
        if item_id and details.get("proration") is not True:
            _add_line(sums.setdefault((item_id, _price_id(line)), _Sum()), line)
    return {key: each.charge() for key, each in sums.items()}


def _add_line(total: _Sum, line: StripeObject) -> None:
    total.amount += fields.get_number(line, "amount") or 0
    total.discount += sum(_amounts(get_objects(line, "discount_amounts")), Fraction(0))
    name = "taxes" if isinstance(line.get("taxes"), list) else "tax_amounts"
    total.has_tax = total.has_tax and isinstance(line.get(name), list)
    taxes = get_objects(line, name)
    included = [tax for tax in taxes if tax.get("inclusive") is True or _is_inclusive(tax)]
    total.tax += sum(_amounts(included), Fraction(0))


def _amounts(parts: Iterable[StripeObject]) -> Iterable[Fraction]:
    return (fields.get_number(part, "amount") or Fraction(0) for part in parts)


def _is_inclusive(data: StripeObject) -> bool:
    return data.get("tax_behavior") == "inclusive"


def parse_inclusive_tax(
    item: StripeObject, subscription: StripeObject, price: StripeObject
) -> Fraction | None:
    """Return the percent of tax that the price of an item includes.

    None: it includes tax whose rate is not in the event, as with automatic tax.
    """
    rates = item.get("tax_rates") or subscription.get("default_tax_rates")
    if rates and isinstance(rates, list):
        return _inclusive_percent(rates, price)
    automatic = get_object(subscription, "automatic_tax").get("enabled")
    return None if _is_inclusive(price) and automatic is not False else Fraction(0)


def _inclusive_percent(rates: Iterable[Any], price: StripeObject) -> Fraction | None:
    """Add up the inclusive rates; None if a rate is only an id."""
    total = Fraction(0)
    for rate in rates:
        percentage = fields.get_number(rate, "percentage") if isinstance(rate, dict) else None
        if percentage is None:
            return None
        if rate.get("inclusive", _is_inclusive(price)) is True:
            total += max(percentage, Fraction(0))
    return total
