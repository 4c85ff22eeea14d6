"""Recurring prices to a month's price: tiers, packages, discounts, intervals, currencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

MONTHS_PER_INTERVAL: Mapping[str, Fraction] = {
    "day": Fraction(12, 365),
    "week": Fraction(12, 52),
    "month": Fraction(1),
    "year": Fraction(12),
}
"""How many months an interval counts: a year has 12, 52 weeks or 365 days."""

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
    """``up_to`` None: without an end. Amounts are minor units of the currency, as all here."""

    up_to: int | None
    unit: Fraction
    flat: Fraction


@dataclass(frozen=True, slots=True)
class Price:
    """What is charged each interval. ``unit`` None and no tiers: the payload does not say."""

    interval: str
    interval_count: int
    unit: Fraction | None
    tiers: Sequence[Tier] = ()
    by_volume: bool = False
    package_size: int = 1
    round_up: bool = False
    metered: bool = False

    def charge(self, quantity: int) -> Fraction | None:
        packs = (
            -(-quantity // self.package_size) if self.round_up else quantity // self.package_size
        )
        if self.metered:
            return Fraction(0)
        if self.tiers:
            return (
                volume_charge(self.tiers, packs)
                if self.by_volume
                else graduated_charge(self.tiers, packs)
            )
        return None if self.unit is None else self.unit * packs

    def per_month(self, amount: Fraction) -> Fraction:
        return amount / (MONTHS_PER_INTERVAL[self.interval] * self.interval_count)


@dataclass(frozen=True, slots=True)
class Discount:
    """Percent and amount off each charge, of one item (by its id) or of the whole.

    ``products``: the only ones that it is for; none named: for all.
    """

    percent: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)
    item_id: str | None = None
    products: frozenset[str] = frozenset()

    def applies_to_item(self, item: "Item") -> bool:
        return not self.products or not self.products.isdisjoint(item.names)

    def off(self, amount: Fraction) -> Fraction:
        return max(amount * (1 - self.percent / 100) - self.amount, Fraction(0))


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a subscription. ``names``: what the price and its product are called."""

    item_id: str
    price: Price
    quantity: int
    names: tuple[str, ...]
    default_plan: str | None = None


def graduated_charge(tiers: Sequence[Tier], quantity: int) -> Fraction:
    """Charge each unit at its own tier, and the flat amount of every tier that is reached."""
    total, before = Fraction(0), 0
    for n, tier in enumerate(tiers):
        if quantity <= before and n > 0:
            break
        until = quantity if tier.up_to is None else min(quantity, tier.up_to)
        total += tier.unit * max(until - before, 0) + tier.flat
        before = max(until, before)
    return total


def volume_charge(tiers: Sequence[Tier], quantity: int) -> Fraction:
    """Charge all units at the tier that the quantity falls into; beyond the last, at the last."""
    tier = next((t for t in tiers if t.up_to is None or quantity <= t.up_to), tiers[-1])
    return tier.unit * quantity + tier.flat


def monthly_price(
    items: Sequence[Item], discounts: Iterable[Discount], charged: Mapping[str, Fraction]
) -> tuple[Fraction, bool]:
    """Return a month's price in minor units, and whether the price of every item is known.

    ``charged``: what the last invoice charged for an item whose price the payload does not tell.
    A discount on the whole comes off as often as the first item that it is for is charged.
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
            amount = discount.off(amount) if discount.applies_to_item(item) else amount
        amounts.append(item.price.per_month(amount))
    for discount in (each for each in discounts if each.item_id is None):
        amounts = _discounted(items, amounts, discount)
    return sum(amounts, Fraction(0)), complete


def _discounted(
    items: Sequence[Item], amounts: Sequence[Fraction], discount: Discount
) -> list[Fraction]:
    """Take a discount off the items that it is for, in proportion to what each costs."""
    meant = [discount.applies_to_item(item) for item in items]
    before = sum(
        (amount for amount, is_meant in zip(amounts, meant, strict=True) if is_meant), Fraction(0)
    )
    if not before:
        return list(amounts)
    off = items[meant.index(True)].price.per_month(discount.amount)
    share = Discount(discount.percent, off).off(before) / before
    return [
        amount * share if is_meant else amount
        for amount, is_meant in zip(amounts, meant, strict=True)
    ]


def to_cents(amount: Fraction, currency: str) -> int:
    """Return hundredths of the major unit, half to even, whatever the currency's own minor is."""
    if currency in ZERO_DECIMALS:
        amount *= 100
    elif currency in THREE_DECIMALS:
        amount /= 10
    return min(max(round(amount), 0), LARGEST_CENTS)
