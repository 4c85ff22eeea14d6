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


@pytest.mark.parametrize("text", ["12,5", "1.234,50", "nan", "1e13", "-1", True, [1], "9" * 5000])
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
