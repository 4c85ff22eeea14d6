from datetime import date
from decimal import Decimal

import pytest

from app.accounts.traits import is_internal, parse_amount, split_account_traits, split_user_traits


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
