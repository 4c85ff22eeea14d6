"""The monthly price of a subscription: tiers, packages, discounts, intervals, currencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import compress

from app.billing.cycles import MONTHS, BillingCycle
from app.core.months import LONGEST_TERM_MONTHS

MONTHS_PER_INTERVAL: Mapping[str, Fraction] = {
    "day": Fraction(12, 365),
    "week": Fraction(12, 52),
    "month": Fraction(1),
    "year": Fraction(12),
}
"""A year has 12 months, 52 weeks or 365 days."""

ZERO_DECIMALS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF"),
        *("VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
LARGEST_CENTS = 10**14


@dataclass(frozen=True, slots=True)
class Tier:
    """A price tier. ``up_to`` None: no upper limit. All amounts here are minor units."""

    up_to: int | None
    unit_amount: Fraction
    flat_amount: Fraction


@dataclass(frozen=True, slots=True)
class Price:
    """What is charged per interval. Without ``unit_amount`` and tiers the price is unknown.

    ``by_volume``: all units cost the tier of the whole quantity; else each unit costs its own tier.
    ``package_size``: units per package. ``round_up``: a part of a package counts as a whole one.
    """

    interval: str
    interval_count: int
    unit_amount: Fraction | None
    tiers: Sequence[Tier] = ()
    by_volume: bool = False
    package_size: int = 1
    round_up: bool = False
    metered: bool = False

    def charge(self, quantity: int) -> Fraction | None:
        """Return the charge per interval; None if the price is unknown. A metered price is 0."""
        packages = (
            -(-quantity // self.package_size) if self.round_up else quantity // self.package_size
        )
        if self.metered:
            return Fraction(0)
        if self.tiers:
            charge = volume_charge if self.by_volume else graduated_charge
            return charge(self.tiers, packages)
        return None if self.unit_amount is None else self.unit_amount * packages

    def per_month(self, amount: Fraction) -> Fraction:
        """Convert an amount per interval to an amount per month."""
        return amount / (MONTHS_PER_INTERVAL[self.interval] * self.interval_count)


@dataclass(frozen=True, slots=True)
class Discount:
    """Percent and amount off each charge, of one item (``item_id``) or of the subscription.

    ``products``: the discount applies only to these; empty: to all. It comes off the invoices from
    ``starts_on`` to the day before ``ends_on``; None: without a limit.
    """

    percent: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)
    item_id: str | None = None
    products: frozenset[str] = frozenset()
    starts_on: date | None = None
    ends_on: date | None = None

    def applies_to_item(self, item: "Item") -> bool:
        is_for_item = not self.products or not self.products.isdisjoint(item.names)
        return is_for_item and self._is_in_force(item.invoiced_on)

    def _is_in_force(self, day: date | None) -> bool:
        if day is None:
            return True
        is_over = self.ends_on is not None and self.ends_on <= day
        return not is_over and (self.starts_on is None or self.starts_on <= day)

    def apply_to(self, amount: Fraction) -> Fraction:
        return max(amount * (1 - self.percent / 100) - self.amount, Fraction(0))


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a subscription. ``names``: ids and names of its price and product.

    ``inclusive_tax``: the percent of tax that the price includes; None: it includes tax at a rate
    that is not known. ``net_share``: the share of the price that is no tax; None: unknown.
    ``invoiced_on``: the day of the invoice that pays for the day that is looked at.
    """

    item_id: str
    price: Price
    quantity: int
    names: tuple[str, ...]
    default_plan: str | None = None
    price_id: str | None = None
    cycle: BillingCycle | None = None
    inclusive_tax: Fraction | None = Fraction(0)
    net_share: Fraction | None = Fraction(1)
    invoiced_on: date | None = None

    def on_day(self, day: date) -> "Item":
        return replace(self, invoiced_on=self.cycle.invoiced_on(day)) if self.cycle else self


def find_most_expensive(items: Iterable[Item]) -> Item | None:
    """Return the item with the highest price per month; None if there is none."""
    return max(
        items,
        key=lambda item: item.price.per_month(item.price.charge(item.quantity) or Fraction(0)),
        default=None,
    )


def billing_months(items: Iterable[Item]) -> int | None:
    """Return for how many months the most expensive item is billed; None for days and weeks."""
    item = find_most_expensive(items)
    months = MONTHS.get(item.price.interval, 0) * item.price.interval_count if item else 0
    return months if 1 <= months <= LONGEST_TERM_MONTHS else None


def graduated_charge(tiers: Sequence[Tier], quantity: int) -> Fraction:
    """Charge each unit at its own tier, and the flat amount of every tier that is reached."""
    total, before = Fraction(0), 0
    for n, tier in enumerate(tiers):
        if quantity <= before and n > 0:
            break
        until = quantity if tier.up_to is None else min(quantity, tier.up_to)
        total += tier.unit_amount * max(until - before, 0) + tier.flat_amount
        before = max(until, before)
    return total


def volume_charge(tiers: Sequence[Tier], quantity: int) -> Fraction:
    """Charge all units at the tier of the quantity; beyond the last tier, at the last."""
    tier = next((t for t in tiers if t.up_to is None or quantity <= t.up_to), tiers[-1])
    return tier.unit_amount * quantity + tier.flat_amount


def monthly_price(
    items: Sequence[Item], discounts: Iterable[Discount], charged: Mapping[str, Fraction]
) -> tuple[Fraction, bool]:
    """Return the net price per month in minor units, and whether the price of every item is known.

    ``charged``: by item, what the last invoice charged; used if the event has no price. A discount
    on the subscription comes off once per interval of the first item that it applies to. Discounts
    come off before tax is taken out.
    """
    discounts = list(discounts)
    amounts, complete = list[Fraction](), True
    for item in items:
        amount = item.price.charge(item.quantity)
        if amount is None:
            amount = charged.get(item.item_id)
        complete = complete and amount is not None
        amount = max(amount or Fraction(0), Fraction(0))
        for discount in (each for each in discounts if each.item_id == item.item_id):
            amount = discount.apply_to(amount) if discount.applies_to_item(item) else amount
        amounts.append(item.price.per_month(amount))
    for discount in (each for each in discounts if each.item_id is None):
        amounts = _discounted(items, amounts, discount)
    shares = [item.net_share for item in items]
    complete = complete and not any(
        amount and share is None for amount, share in zip(amounts, shares, strict=True)
    )
    net = (amount * (share or 0) for amount, share in zip(amounts, shares, strict=True))
    return sum(net, Fraction(0)), complete


def _discounted(
    items: Sequence[Item], amounts: Sequence[Fraction], discount: Discount
) -> list[Fraction]:
    """Distribute a discount over the items that it applies to, in proportion to their amounts."""
    applies = [discount.applies_to_item(item) for item in items]
    before = sum(compress(amounts, applies), Fraction(0))
    if not before:
        return list(amounts)
    amount_off = items[applies.index(True)].price.per_month(discount.amount)
    share = Discount(discount.percent, amount_off).apply_to(before) / before
    return [
        amount * share if applied else amount
        for amount, applied in zip(amounts, applies, strict=True)
    ]


def to_cents(amount: Fraction, currency: str) -> int:
    """Convert minor units of a currency to hundredths of its major unit, rounded half to even."""
    if currency in ZERO_DECIMALS:
        amount *= 100
    elif currency in THREE_DECIMALS:
        amount /= 10
    return min(max(round(amount), 0), LARGEST_CENTS)
