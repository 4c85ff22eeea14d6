from datetime import date
from decimal import Decimal

import pytest

from app.accounts.billing_periods import parse_billing_period
from app.accounts.traits import parse_amount, split_account_traits
from app.accounts.user_traits import is_internal, split_user_traits


def test_known_traits_become_columns_and_the_rest_stays() -> None:
    traits = split_account_traits(
        {"name": " Acme ", "createdAt": "2024-05-01T10:00:00Z", "mrr": 49.995, "tier": "gold"}
    )

    assert traits.columns == {"name": "Acme", "started_on": date(2024, 5, 1)}
    assert traits.price == {"mrr_cents": 5000}
    assert traits.rest == {"tier": "gold"}
    assert traits.invalid == ()


def test_an_invalid_trait_is_named_and_left_out() -> None:
    traits = split_account_traits(
        {"employees": "many", "currency": "dollars", "mrr": -1, "seats": 5.5}
    )

    assert traits.columns == traits.price == traits.rest == {}
    assert traits.invalid == ("employees", "currency", "mrr", "seats")


def test_parent_and_external_ids_are_links() -> None:
    traits = split_account_traits({"parentId": 7, "external_ids": {"crm": "1", "erp": None}})

    assert traits.links == {"parent_id": "7", "external_ids": {"crm": "1"}}
    assert traits.rest == {}


def test_a_known_trait_that_is_null_is_ignored() -> None:
    assert split_account_traits({"name": None, "tier": None}).rest == {"tier": None}


@pytest.mark.parametrize(("text", "number"), [("1,234.50", "1234.50"), ("99", "99"), (5, "5")])
def test_numbers_may_have_commas_between_groups(text: object, number: str) -> None:
    assert parse_amount(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "12,5",
        "1.234,50",
        "1_5",
        "1_500",
        "\u0661\u0665",
        "nan",
        "1e13",
        "-1",
        True,
        [1],
        "9" * 5000,
    ],
)
def test_an_ambiguous_number_is_rejected(text: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        parse_amount(text)


def test_a_user_name_is_composed_of_first_and_last_name() -> None:
    traits = split_user_traits({"firstName": "Ada", "lastName": None, "email": "ada@acme.example"})

    assert traits.columns == {"email": "ada@acme.example", "name": "Ada"}


def test_people_of_the_vendor_have_an_internal_domain() -> None:
    assert is_internal("Ines@Vendor.Example", ["vendor.example"])
    assert not is_internal("ines@notvendor.example", ["vendor.example"])
    assert not is_internal(None, ["vendor.example"])


@pytest.mark.parametrize(
    ("value", "parent"),
    [(7.0, "7"), (2**70, str(2**70)), (" a1 ", "a1"), (1e300, None), (7.5, None), (True, None)],
)
def test_an_id_that_is_a_number_has_its_exact_digits_or_is_rejected(
    value: object, parent: str | None
) -> None:
    assert split_account_traits({"parent_id": value}).links.get("parent_id") == parent


@pytest.mark.parametrize(
    "text",
    ["1.500", "2,000", " 1.500 ", "+1.500", "250.000", "001.500", "0,500", "１.５００"],  # noqa: RUF001
)
def test_three_digits_behind_one_dot_or_comma_in_a_text_are_ambiguous(text: str) -> None:
    traits = split_account_traits({"mrr": text, "employees": text, "seats": text})

    assert traits.invalid == ("mrr", "employees", "seats")
    with pytest.raises(ValueError, match="must be"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.125, "1.125"),
        ("0.125", "0.125"),
        ("1250.125", "1250.125"),
        ("1,234,567", "1234567"),
        ("1,234.500", "1234.500"),
        ("1.50", "1.50"),
        ("1500", "1500"),
    ],
)
def test_other_numbers_are_not_ambiguous(value: object, number: str) -> None:
    assert parse_amount(value) == Decimal(number)


@pytest.mark.parametrize(
    ("value", "months"),
    [
        *(("monthly", 1), ("Month", 1), ("quarterly", 3), ("semi-annual", 6), ("half-yearly", 6)),
        *(("annual", 12), ("Yearly", 12), (" YEAR ", 12), ("2 years", 24), ("P1Y", 12)),
        *((1, 1), (12.0, 12), ("6", 6), ("6 months", 6), ("12-month", 12), ("120", 120)),
    ],
)
def test_a_billing_period_is_read_as_people_and_programs_write_it(
    value: object, months: int
) -> None:
    assert parse_billing_period(value) == months


@pytest.mark.parametrize(
    "value",
    [
        *("biannual", "bimonthly", "biennial", "weekly", "30 days", "custom", "", "1.5", "1_2"),
        *(0, -1, 121, "11 years", 1.5, True, None, [12], float("nan"), 1e300, "\u0661"),
    ],
)
def test_an_ambiguous_or_impossible_billing_period_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="number of months from 1 to 120"):
        parse_billing_period(value)


@pytest.mark.parametrize(
    ("sent", "price", "invalid"),
    [
        ({"billing_period": "annual"}, {"billing_period_months": 12}, ()),
        ({"billingPeriod": 3}, {"billing_period_months": 3}, ()),
        ({"billing_period": "biannual"}, {}, ("billing_period",)),
        ({"billing_period": None}, {}, ()),
    ],
)
def test_a_billing_period_is_a_term_and_stays_a_trait_for_filters(
    sent: dict[str, object], price: dict[str, int], invalid: tuple[str, ...]
) -> None:
    traits = split_account_traits(sent)

    assert (traits.price, traits.rest, traits.invalid) == (price, sent, invalid)
