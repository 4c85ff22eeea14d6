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
        ("unknown", EVERYTHING),
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


def test_an_exception_for_an_unknown_feature_grants_nothing() -> None:
    exceptions = {"fax": True, "telex": False}

    assert OFFER.entitled(make_account(plan="basic", feature_exceptions=exceptions)) == {"export"}


def test_breadth_weighs_the_entitled_features_that_are_adopted() -> None:
    result = breadth(OFFER, make_account(adopted=["api", "export"], adopted_before=["sso"]))

    assert (result.now, result.before, result.entitled) == (3.0, 0.5, 3.5)
    assert result.unused == ("sso",)


def test_features_without_entitlement_count_neither_as_used_nor_as_unused() -> None:
    result = breadth(
        OFFER, make_account(plan="basic", adopted=["api"], adopted_before=["api", "export"])
    )

    assert (result.now, result.before, result.entitled) == (0.0, 1.0, 1.0)
    assert result.unused == ("export",)


def test_a_feature_no_longer_on_offer_counts_nothing() -> None:
    assert breadth(OFFER, make_account(adopted=["fax"])).now == 0


def test_the_same_features_weigh_the_same_to_the_last_digit_in_any_order() -> None:
    weights = {f"f{number}": 1 / number for number in range(3, 40)}
    reversed_offer = Offer(dict(reversed(weights.items())), {})

    both = frozenset(weights)

    assert Offer(weights, {}).weight(both) == reversed_offer.weight(both)


def test_an_empty_offer_entitles_to_nothing() -> None:
    result = breadth(Offer({}, {}), make_account(adopted=["api"], feature_exceptions={"api": True}))

    assert (result.now, result.entitled, result.unused) == (0.0, 0.0, ())
