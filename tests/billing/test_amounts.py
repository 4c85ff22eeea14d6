"""Monthly prices: tiers, packages, discounts, intervals, currencies; by example and property."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.amounts import (
    LARGEST_CENTS,
    MONTHS_PER_INTERVAL,
    Discount,
    Item,
    Price,
    Tier,
    graduated_charge,
    monthly_price,
    to_cents,
    volume_charge,
)

TIERS = [
    Tier(5, Fraction(1000), Fraction(500)),
    Tier(10, Fraction(800), Fraction(300)),
    Tier(None, Fraction(600), Fraction(0)),
]


def item(
    unit: int | None = 1000,
    quantity: int = 1,
    item_id: str = "si_1",
    names: tuple[str, ...] = (),
    **price: object,
) -> Item:
    known = {"interval": "month", "interval_count": 1, **price}
    cost = Price(unit_amount=None if unit is None else Fraction(unit), **known)  # type: ignore[arg-type]
    return Item(item_id, cost, quantity, names)


def cents(*items: Item, discounts: tuple[Discount, ...] = (), currency: str = "USD") -> int:
    return to_cents(monthly_price(items, discounts, {})[0], currency)


@pytest.mark.parametrize(
    ("interval", "count", "month"),
    [
        ("month", 1, 12000),
        ("month", 3, 4000),
        ("year", 1, 1000),
        ("year", 2, 500),
        ("week", 1, 52000),
        ("week", 4, 13000),
        ("day", 1, 365000),
        ("day", 30, 12167),
    ],
)
def test_every_interval_becomes_a_month(interval: str, count: int, month: int) -> None:
    assert cents(item(12000, interval=interval, interval_count=count)) == month


@pytest.mark.parametrize(
    ("quantity", "each_its_tier", "all_at_one"),
    [(0, 500, 500), (1, 1500, 1500), (5, 5500, 5500), (6, 6600, 5100), (12, 11000 - 500, 7200)],
)
def test_tiers_are_graduated_or_by_volume(
    quantity: int, each_its_tier: int, all_at_one: int
) -> None:
    """Of 12 the first 5 cost 10 each, the next 5 8 each, the last 2 6 each, and 5 + 3 flat."""
    if quantity == 12:
        each_its_tier = 5 * 1000 + 5 * 800 + 2 * 600 + 500 + 300
    assert graduated_charge(TIERS, quantity) == each_its_tier
    assert volume_charge(TIERS, quantity) == all_at_one


def test_quantities_beyond_the_last_tier_are_charged_at_it() -> None:
    closed = TIERS[:2]

    assert volume_charge(closed, 20) == 20 * 800 + 300
    assert graduated_charge(closed, 20) == 5 * 1000 + 5 * 800 + 500 + 300


@pytest.mark.parametrize(("round_up", "month"), [(True, 3000), (False, 2000)])
def test_packages_are_rounded_as_configured(round_up: bool, month: int) -> None:  # noqa: FBT001
    assert cents(item(1000, 25, package_size=10, round_up=round_up)) == month


def test_parts_of_a_cent_are_rounded_once_at_the_end() -> None:
    price = Price("month", 1, Fraction(Decimal("0.333333333333")))

    assert cents(Item("si_1", price, 3000, ())) == 1000


def test_metered_usage_has_no_recurring_price() -> None:
    assert monthly_price([item(1000, 5, metered=True)], (), {}) == (Fraction(0), True)


def test_an_unknown_price_is_what_the_last_invoice_charged() -> None:
    unknown = item(None, 12)

    assert monthly_price([unknown], (), {}) == (Fraction(0), False)
    assert monthly_price([unknown], (), {"si_1": Fraction(11000)}) == (Fraction(11000), True)
    assert monthly_price([unknown, item(500)], (), {}) == (Fraction(500), False)


def test_discounts_are_applied_in_turn() -> None:
    half, ten = Discount(percent=Fraction(50)), Discount(amount=Fraction(1000))

    assert cents(item(4000), discounts=(half,)) == 2000
    assert cents(item(4000), discounts=(half, half)) == 1000
    assert cents(item(4000), discounts=(ten,)) == 3000
    assert cents(item(4000), discounts=(half, ten)) == 1000
    assert cents(item(500), discounts=(ten,)) == 0
    assert cents(item(12000, interval="year"), discounts=(ten,)) == 917


def test_a_discount_of_an_item_does_not_change_the_others() -> None:
    discounts = (Discount(percent=Fraction(100), item_id="si_1"),)

    assert cents(item(4000), item(700, item_id="si_2"), discounts=discounts) == 700


def test_items_with_different_intervals_add_up() -> None:
    assert cents(item(4000, 2), item(12000, interval="year", item_id="si_2")) == 9000


@pytest.mark.parametrize(
    ("currency", "minor", "hundredths"),
    [
        ("USD", 1999, 1999),
        ("JPY", 1999, 199900),
        ("KWD", 1999, 200),
        ("UGX", 50000, 50000),
        ("ISK", 50000, 50000),
        ("USD", 10**20, LARGEST_CENTS),
        ("USD", -5, 0),
    ],
)
def test_money_is_hundredths_of_the_major_unit(currency: str, minor: int, hundredths: int) -> None:
    assert to_cents(Fraction(minor), currency) == hundredths


amounts = st.fractions(min_value=-(10**9), max_value=10**9)
units = st.one_of(st.none(), amounts)
tiers = st.lists(
    st.builds(Tier, st.one_of(st.none(), st.integers(0, 100)), amounts, amounts), max_size=4
)
prices = st.builds(
    Price,
    st.sampled_from(sorted(MONTHS_PER_INTERVAL)),
    st.integers(1, 36),
    units,
    tiers,
    st.booleans(),
    st.integers(1, 20),
    st.booleans(),
    st.booleans(),
)
items = st.lists(
    st.builds(
        Item,
        st.sampled_from("abc"),
        prices,
        st.integers(0, 10**6),
        st.sampled_from([(), ("base",), ("seat",)]),
    ),
    max_size=4,
)
discounts = st.lists(
    st.builds(
        Discount,
        st.fractions(0, 100),
        st.fractions(0, 10**6),
        st.one_of(st.none(), st.sampled_from("abc")),
        st.sampled_from([frozenset(), frozenset({"base"})]),
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("discount", "total"),
    [
        (Discount(percent=Fraction(50), products=frozenset({"base"})), 30_00 + 20_00),
        (Discount(amount=Fraction(1000), products=frozenset({"base", "x"})), 50_00 + 20_00),
        (Discount(amount=Fraction(7000), products=frozenset({"base"})), 0 + 20_00),
        (Discount(percent=Fraction(50), products=frozenset({"other"})), 60_00 + 20_00),
        (Discount(percent=Fraction(50), item_id="si_2", products=frozenset({"seat"})), 70_00),
        (Discount(percent=Fraction(50), item_id="si_2", products=frozenset({"base"})), 80_00),
        (Discount(amount=Fraction(2000)), 60_00),
    ],
)
def test_a_discount_for_some_products_applies_only_to_them(discount: Discount, total: int) -> None:
    base = item(6000, names=("price_1", "base"))
    seat = item(24000, item_id="si_2", names=("seat",), interval="year")

    assert cents(base, seat, discounts=(discount,)) == total


@given(items, discounts, st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_price_is_never_negative_and_a_discount_never_raises_it(
    items: list[Item], discounts: list[Discount], currency: str
) -> None:
    full = to_cents(monthly_price(items, (), {})[0], currency)

    assert 0 <= to_cents(monthly_price(items, discounts, {})[0], currency) <= full <= LARGEST_CENTS


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_more_units_of_graduated_tiers_never_cost_less(quantity: int, more: int) -> None:
    assert graduated_charge(TIERS, quantity) <= graduated_charge(TIERS, quantity + more)
