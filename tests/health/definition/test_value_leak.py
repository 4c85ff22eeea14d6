"""What an account pays for and does not use, and what it uses beyond its plan."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.values import AccountFeatures
from app.health.definition.entitlement import (
    Entitlement,
    Offer,
    OverLimit,
    Seats,
    evaluate_entitlement,
)
from tests.health import builders

OFFER = Offer(
    weights={"export": 1.0, "api": 2.0, "sso": 1.0},
    plans={"pro": [], "basic": ["export"]},
    price_shares={"pro": {"sso": 0.25}},
    seat_prices={"pro": 1000, "free": None},
    limits={"pro": {"users": 5, "end_customers": 100, "export": 1000, "api": 0}},
)


def make_account(**values: Any) -> AccountFeatures:  # noqa: ANN401
    return builders.make_account(**{"feature_events": {}, **values})


def unused(entitlement: Entitlement) -> dict[str, int | None]:
    return {feature.key: feature.cents for feature in entitlement.unused}


def test_unused_features_stand_for_their_share_of_the_price() -> None:
    """The one that the plan names for a quarter; the others share the rest by weight."""
    entitlement = evaluate_entitlement(OFFER, make_account(plan="pro", price_cents=1000.0))

    assert unused(entitlement) == {"api": 500, "export": 250, "sso": 250}
    assert [feature.share for feature in entitlement.unused] == [0.5, 0.25, 0.25]
    assert entitlement.value_leak_cents == 1000


def test_an_adopted_feature_is_no_value_leak() -> None:
    entitlement = evaluate_entitlement(
        OFFER, make_account(plan="pro", price_cents=1000.0, adopted=["api", "sso"])
    )

    assert (unused(entitlement), entitlement.value_leak_cents) == ({"export": 250}, 250)


def test_the_only_feature_of_a_plan_stands_for_its_whole_price() -> None:
    assert unused(evaluate_entitlement(OFFER, make_account(plan="basic", price_cents=700.0))) == {
        "export": 700
    }


def test_without_shares_each_feature_stands_for_its_weight() -> None:
    entitlement = evaluate_entitlement(OFFER, make_account(plan="unknown", price_cents=1000.0))

    assert unused(entitlement) == {"api": 500, "export": 250, "sso": 250}


def test_a_granted_feature_is_paid_for_and_a_denied_one_is_not() -> None:
    exceptions = {"api": True, "export": False}
    entitlement = evaluate_entitlement(
        OFFER, make_account(plan="basic", price_cents=600.0, feature_exceptions=exceptions)
    )

    assert unused(entitlement) == {"api": 600}


def test_a_free_feature_is_no_value_leak() -> None:
    offer = Offer({"chat": 1.0, "sso": 1.0}, {}, price_shares={"pro": {"chat": 0.0}})

    assert unused(evaluate_entitlement(offer, make_account(plan="pro", price_cents=100.0))) == {
        "sso": 100
    }


def test_a_rest_of_the_price_without_features_belongs_to_the_product_itself() -> None:
    offer = Offer({"sso": 1.0}, {}, price_shares={"pro": {"sso": 0.2}})

    assert (
        evaluate_entitlement(offer, make_account(plan="pro", price_cents=100.0)).value_leak_cents
        == 20
    )


def test_idle_seats_cost_their_price_and_features_share_the_rest() -> None:
    """Ten seats for $100: four idle ones are $40, and half of the features of the rest $30."""
    offer = Offer({"api": 1.0, "sso": 1.0}, {}, seat_prices={"pro": 1000})
    account = make_account(
        plan="pro", price_cents=10_000.0, seats=10, active_users=6, adopted=["sso"]
    )

    entitlement = evaluate_entitlement(offer, account)

    assert entitlement.seats == Seats(bought=10, active=6, idle=4, idle_cents=4000)
    assert (unused(entitlement), entitlement.value_leak_cents) == ({"api": 3000}, 7000)


def test_more_people_than_seats_leave_none_idle() -> None:
    entitlement = evaluate_entitlement(OFFER, make_account(plan="pro", seats=3, active_users=5))

    assert entitlement.seats == Seats(bought=3, active=5, idle=0, idle_cents=0)


@pytest.mark.parametrize("plan", ["basic", None, "free"])
def test_idle_seats_without_a_price_are_only_counted(plan: str | None) -> None:
    entitlement = evaluate_entitlement(
        OFFER, make_account(plan=plan, seats=3, active_users=1, adopted=OFFER.weights)
    )

    assert entitlement.seats == Seats(bought=3, active=1, idle=2, idle_cents=None)
    assert entitlement.value_leak_cents == 0


@pytest.mark.parametrize("seats", [None, 0])
def test_an_account_without_seats_has_no_idle_seats(seats: int | None) -> None:
    assert evaluate_entitlement(OFFER, make_account(plan="pro", seats=seats)).seats is None


@pytest.mark.parametrize(
    ("account", "leak"),
    [
        (make_account(plan="pro", pays=False, price_cents=None, seats=9), 0),
        (make_account(plan="pro", pays=True, price_cents=None, seats=9), None),
    ],
)
def test_without_a_price_there_is_no_value_leak(account: AccountFeatures, leak: int | None) -> None:
    """The account pays nothing, or its price is unknown because there is no exchange rate."""
    entitlement = evaluate_entitlement(OFFER, account)

    assert entitlement.value_leak_cents == leak
    assert unused(entitlement) == dict.fromkeys(["api", "export", "sso"], leak)


def test_use_beyond_the_limits_of_the_plan_is_reported() -> None:
    events = {"export": 1250, "api": 7, "sso": 10**9}
    account = make_account(plan="pro", active_users=5, reached=150, feature_events=events)

    assert evaluate_entitlement(OFFER, account).over_limits == (
        OverLimit("api", limit=0, used=7, over_share=None),
        OverLimit("end_customers", limit=100, used=150, over_share=0.5),
        OverLimit("export", limit=1000, used=1250, over_share=0.25),
    )


def test_use_up_to_a_limit_is_allowed() -> None:
    account = make_account(plan="pro", active_users=5, reached=100, feature_events={"export": 1000})

    assert evaluate_entitlement(OFFER, account).over_limits == ()


def test_features_that_are_not_configured_are_not_paid_for() -> None:
    entitlement = evaluate_entitlement(
        OFFER, make_account(plan="pro", seats=9, active_users=5), configured=False
    )

    assert (entitlement.unused, entitlement.value_leak_cents) == ((), 4000)


keys = st.sampled_from("abcdefgh")
weights = st.dictionaries(keys, st.floats(0.001, 1000), max_size=8)
parts = st.dictionaries(keys, st.floats(0, 1), max_size=8)


@given(
    weights=weights,
    parts=parts,
    whole=st.floats(0.01, 1),
    adopted=st.sets(keys),
    price_cents=st.one_of(st.just(0.0), st.floats(0.5, 1e12)),
    seats=st.integers(0, 10**6),
    active_users=st.integers(0, 10**6),
    seat_price=st.integers(0, 10**6),
)
def test_the_value_leak_is_at_most_the_price_and_its_parts_add_up(
    *,
    weights: dict[str, float],
    parts: dict[str, float],
    whole: float,
    adopted: set[str],
    price_cents: float,
    seats: int,
    active_users: int,
    seat_price: int,
) -> None:
    total = sum(parts.values())
    shares = {key: whole * part / total for key, part in parts.items()} if total else {}
    offer = Offer(weights, {}, price_shares={"pro": shares}, seat_prices={"pro": seat_price})
    account = make_account(
        plan="pro",
        price_cents=price_cents,
        adopted=sorted(adopted),
        seats=seats,
        active_users=active_users,
    )

    entitlement = evaluate_entitlement(offer, account)

    cents = [feature.cents for feature in entitlement.unused]
    idle = (entitlement.seats and entitlement.seats.idle_cents) or 0
    assert all(part is not None and part >= 0 for part in cents)
    assert entitlement.value_leak_cents == idle + sum(part or 0 for part in cents)
    assert 0 <= entitlement.value_leak_cents <= price_cents
    assert not {feature.key for feature in entitlement.unused} & adopted


@given(adopted=st.lists(keys, unique=True), weights=weights, price_cents=st.floats(1, 1e9))
def test_more_adoption_never_raises_the_value_leak(
    adopted: list[str], weights: dict[str, float], price_cents: float
) -> None:
    offer = Offer(weights, {})
    leaks = [
        evaluate_entitlement(
            offer, make_account(price_cents=price_cents, adopted=adopted[:n])
        ).value_leak_cents
        for n in range(len(adopted) + 1)
    ]

    assert leaks == sorted(leaks, key=lambda leak: leak or 0, reverse=True)
