from datetime import date
from decimal import Decimal

import pytest

from app.accounts.traits import is_internal, parse_amount, split_account_traits, split_user_traits


def test_known_traits_become_columns_and_the_rest_stays() -> None:
    found = split_account_traits(
        {"name": " Acme ", "createdAt": "2024-05-01T10:00:00Z", "mrr": 49.995, "tier": "gold"}
    )

    assert found.columns == {"name": "Acme", "started_on": date(2024, 5, 1)}
    assert found.price == {"mrr_cents": 5000}
    assert found.rest == {"tier": "gold"}
    assert found.invalid == ()


def test_a_known_trait_that_cannot_be_read_is_named_and_left_out() -> None:
    found = split_account_traits(
        {"employees": "many", "currency": "dollars", "mrr": -1, "seats": 5.5}
    )

    assert found.columns == found.price == found.rest == {}
    assert found.invalid == ("employees", "currency", "mrr", "seats")


def test_parent_and_ids_elsewhere_are_ties() -> None:
    found = split_account_traits({"parentId": 7, "external_ids": {"crm": "1", "erp": None}})

    assert found.links == {"parent_id": "7", "external_ids": {"crm": "1"}}
    assert found.rest == {}


def test_a_known_trait_that_is_null_says_nothing() -> None:
    assert split_account_traits({"name": None, "tier": None}).rest == {"tier": None}


@pytest.mark.parametrize(("text", "number"), [("1,234.50", "1234.50"), ("99", "99"), (5, "5")])
def test_numbers_may_have_commas_between_groups(text: object, number: str) -> None:
    assert parse_amount(text) == Decimal(number)


@pytest.mark.parametrize("text", ["12,5", "1.234,50", "nan", "1e13", "-1", True, [1], "9" * 5000])
def test_what_could_mean_another_number_is_refused(text: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        parse_amount(text)


def test_a_user_is_named_by_parts_where_there_is_no_whole_name() -> None:
    found = split_user_traits({"firstName": "Ada", "lastName": None, "email": "ada@acme.example"})

    assert found.columns == {"email": "ada@acme.example", "name": "Ada"}


def test_people_of_the_vendor_are_known_by_their_domain() -> None:
    assert is_internal("Ines@Vendor.Example", ["vendor.example"])
    assert not is_internal("ines@notvendor.example", ["vendor.example"])
    assert not is_internal(None, ["vendor.example"])
