import pytest

from app.health.definition.entitlement import Offer, breadth
from tests.health.builders import make_account

EVERYTHING = frozenset({"api", "export", "sso"})
OFFER = Offer(
    {"export": 1.0, "api": 2.0, "sso": 0.5},
    {"basic": ["export"], "all": [], "old": ["fax"], "mixed": ["api", "fax"]},
)


@pytest.mark.parametrize(
    ("plan", "features"),
    [
        ("basic", frozenset({"export"})),
        ("mixed", frozenset({"api"})),
        ("all", EVERYTHING),
        ("old", EVERYTHING),
        ("unheard of", EVERYTHING),
        (None, EVERYTHING),
    ],
)
def test_an_account_is_entitled_to_what_its_plan_includes(
    plan: str | None, features: frozenset[str]
) -> None:
    assert OFFER.entitled(make_account(plan=plan)) == features


def test_an_exception_grants_what_the_plan_lacks() -> None:
    assert OFFER.entitled(make_account(plan="basic", feature_exceptions={"sso": True})) == {
        "export",
        "sso",
    }


def test_an_exception_denies_what_the_plan_includes() -> None:
    assert OFFER.entitled(make_account(plan="basic", feature_exceptions={"export": False})) == set()


def test_an_exception_for_what_is_not_on_offer_grants_nothing() -> None:
    exceptions = {"fax": True, "telex": False}

    assert OFFER.entitled(make_account(plan="basic", feature_exceptions=exceptions)) == {"export"}


def test_breadth_weighs_the_entitled_features_that_are_adopted() -> None:
    width = breadth(OFFER, make_account(adopted=["api", "export"], adopted_before=["sso"]))

    assert (width.now, width.before, width.entitled) == (3.0, 0.5, 3.5)
    assert width.unused == ("sso",)


def test_what_an_account_is_not_entitled_to_counts_neither_as_used_nor_as_unused() -> None:
    width = breadth(
        OFFER, make_account(plan="basic", adopted=["api"], adopted_before=["api", "export"])
    )

    assert (width.now, width.before, width.entitled) == (0.0, 1.0, 1.0)
    assert width.unused == ("export",)


def test_a_feature_that_is_no_longer_on_offer_counts_nothing() -> None:
    assert breadth(OFFER, make_account(adopted=["fax"])).now == 0


def test_the_same_features_weigh_the_same_to_the_last_digit_in_any_order() -> None:
    weights = {f"f{number}": 1 / number for number in range(3, 40)}
    reversed_offer = Offer(dict(reversed(weights.items())), {})

    both = frozenset(weights)

    assert Offer(weights, {}).weight(both) == reversed_offer.weight(both)


def test_without_anything_on_offer_nothing_is_entitled() -> None:
    width = breadth(Offer({}, {}), make_account(adopted=["api"], feature_exceptions={"api": True}))

    assert (width.now, width.entitled, width.unused) == (0.0, 0.0, ())
