"""The discounts of a subscription over time: which invoices each of them comes off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from app.billing.amounts import Discount, Item
from app.billing.billing_events import AppliedDiscount, Coupon


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """Recurring discounts. ``some_unknown``: the terms of at least one coupon are not known."""

    discounts: Sequence[Discount]
    some_unknown: bool


@dataclass(slots=True)
class DiscountHistory:
    """The discounts of the newest event, and those of earlier events, which have been removed.

    A removed discount still counts for the time that an invoice before its removal pays for.
    """

    current: dict[str, AppliedDiscount] = field(default_factory=dict)
    removed: dict[str, AppliedDiscount] = field(default_factory=dict)

    def update(self, discounts: Iterable[AppliedDiscount], day: date) -> None:
        """Take the discounts of an event of a day; those that it lacks end on this day."""
        before, self.current = self.current, {each.key: each for each in discounts}
        for key, discount in before.items():
            self.removed[key] = replace(discount, ends_on=min(day, discount.ends_on or day))
        for key in self.current:
            self.removed.pop(key, None)

    def find(self, discount_id: str) -> AppliedDiscount | None:
        return self.current.get(discount_id)

    def changes(self, items: Sequence[Item]) -> set[date]:
        """Return the days of the invoices from which discounts begin or cease to count."""
        ends = {day for each in self._all() for day in (each.starts_on, each.ends_on) if day}
        return {item.cycle.next_invoice_on(day) for item in items if item.cycle for day in ends}

    def terms(self, coupons: Mapping[str, Coupon], currency: str) -> DiscountTerms:
        """Return the discounts that come off more than one charge.

        ``coupons``: the coupons that events name only by their id.
        """
        found, some_unknown = list[Discount](), False
        for applied in self._all():
            coupon = applied.coupon or coupons.get(applied.coupon_id or "")
            if coupon is None or (coupon.is_recurring and not _is_amount_known(coupon, currency)):
                some_unknown = some_unknown or applied.key in self.current
            elif coupon.is_recurring:
                found.append(_discount(applied, coupon))
        return DiscountTerms(found, some_unknown)

    def _all(self) -> Iterable[AppliedDiscount]:
        return [*self.current.values(), *self.removed.values()]


def _is_amount_known(coupon: Coupon, currency: str) -> bool:
    """Whether the amount off is known in a currency: Stripe sends it in one of several."""
    return not coupon.amount or coupon.currency in {None, currency}


def _discount(applied: AppliedDiscount, coupon: Coupon) -> Discount:
    return Discount(
        coupon.percent,
        coupon.amount,
        applied.item_id,
        coupon.products,
        applied.starts_on,
        applied.ends_on,
    )
