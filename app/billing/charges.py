"""What invoices charged for the items of a subscription, for prices that events do not hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from app.billing.amounts import Item

ItemPrice = tuple[str, str | None]
"""The ids of an item and of its price; events that were stored earlier have no price."""


@dataclass(frozen=True, slots=True)
class Charge:
    """The amount for one interval before discounts. ``net_share``: the share that is no tax."""

    amount: Fraction
    net_share: Fraction | None


@dataclass(slots=True)
class LastCharges:
    """The last charge of each item and price; a charge for another quantity is dropped."""

    charges: dict[ItemPrice, Charge] = field(default_factory=dict)
    quantity_changed_at: dict[str, datetime] = field(default_factory=dict)

    def add_invoice(
        self, charges: Mapping[ItemPrice, Charge] | None, *, created_at: datetime
    ) -> None:
        """Take the charges of an invoice. One that is not complete (None) leaves none known."""
        if charges is None:
            self.charges.clear()
            return
        for (item_id, price_id), charge in charges.items():
            changed_at = self.quantity_changed_at.get(item_id)
            if changed_at is None or created_at >= changed_at:
                self.charges[item_id, price_id] = charge

    def update_items(self, before: Iterable[Item], after: Iterable[Item], *, at: datetime) -> None:
        """Drop the charges that a change of price or quantity makes outdated."""
        known = {item.item_id: item for item in before}
        for item in after:
            old = known.get(item.item_id, item)
            if old.quantity != item.quantity:
                self.quantity_changed_at[item.item_id] = at
                self.charges = {
                    key: charge for key, charge in self.charges.items() if key[0] != item.item_id
                }
            if old.price != item.price or old.price_id != item.price_id:
                self.charges.pop((item.item_id, None), None)

    def find(self, item: Item) -> Charge | None:
        key = item.item_id, item.price_id
        return self.charges.get(key) or self.charges.get((item.item_id, None))

    def amounts(self, items: Iterable[Item]) -> dict[str, Fraction]:
        """Return the charged amounts by item."""
        found = {item.item_id: self.find(item) for item in items}
        return {item_id: charge.amount for item_id, charge in found.items() if charge}


def net_share(item: Item, charge: Charge | None, *, is_tax_exempt: bool) -> Fraction | None:
    """Return the share of an item's price that is no tax, None if it is unknown.

    The rate on the item or subscription comes first, then the tax on the last invoice. Of a
    customer that is exempt, only an invoice shows how an inclusive price is charged.
    """
    if item.inclusive_tax and not is_tax_exempt:
        return 1 / (1 + item.inclusive_tax / 100)
    if charge is not None and charge.net_share is not None:
        return charge.net_share
    return Fraction(1) if item.inclusive_tax == 0 else None
