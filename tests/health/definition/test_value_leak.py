"""What an account pays for and does not use, and what it uses beyond what it pays for."""

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


def known(**said: Any) -> AccountFeatures:  # noqa: ANN401
    return builders.make_account(**{"feature_events": {}, **said})


def unused(found: Entitlement) -> dict[str, int | None]:
    return {feature.key: feature.cents for feature in found.unused}


def test_unused_features_stand_for_their_share_of_the_price() -> None:
    """The one that the plan names for a quarter; the others share the rest by weight."""
    found = evaluate_entitlement(OFFER, known(plan="pro", price_cents=1000.0))

    assert unused(found) == {"api": 500, "export": 250, "sso": 250}
    assert [feature.share for feature in found.unused] == [0.5, 0.25, 0.25]
    assert found.value_leak_cents == 1000


def test_what_is_adopted_costs_nothing_in_vain() -> None:
    found = evaluate_entitlement(
        OFFER, known(plan="pro", price_cents=1000.0, adopted=["api", "sso"])
    )

    assert (unused(found), found.value_leak_cents) == ({"export": 250}, 250)


def test_a_plan_that_includes_one_feature_asks_its_whole_price_for_it() -> None:
    assert unused(evaluate_entitlement(OFFER, known(plan="basic", price_cents=700.0))) == {
        "export": 700
    }


def test_without_shares_each_feature_stands_for_its_weight() -> None:
    found = evaluate_entitlement(OFFER, known(plan="unheard of", price_cents=1000.0))

    assert unused(found) == {"api": 500, "export": 250, "sso": 250}


def test_a_feature_that_is_granted_is_paid_for_and_one_that_is_denied_is_not() -> None:
    exceptions = {"api": True, "export": False}
    found = evaluate_entitlement(
        OFFER, known(plan="basic", price_cents=600.0, feature_exceptions=exceptions)
    )

    assert unused(found) == {"api": 600}


def test_a_feature_that_is_free_is_not_paid_in_vain() -> None:
    offer = Offer({"chat": 1.0, "sso": 1.0}, {}, price_shares={"pro": {"chat": 0.0}})

    assert unused(evaluate_entitlement(offer, known(plan="pro", price_cents=100.0))) == {"sso": 100}


def test_where_shares_leave_a_rest_that_nobody_shares_it_is_the_product_itself() -> None:
    offer = Offer({"sso": 1.0}, {}, price_shares={"pro": {"sso": 0.2}})

    assert evaluate_entitlement(offer, known(plan="pro", price_cents=100.0)).value_leak_cents == 20


def test_idle_seats_cost_their_price_and_features_share_what_is_left() -> None:
    """Ten seats for $100: four idle ones are $40, and half of the features of the rest $30."""
    offer = Offer({"api": 1.0, "sso": 1.0}, {}, seat_prices={"pro": 1000})
    account = known(plan="pro", price_cents=10_000.0, seats=10, active_users=6, adopted=["sso"])

    found = evaluate_entitlement(offer, account)

    assert found.seats == Seats(bought=10, active=6, idle=4, idle_cents=4000)
    assert (unused(found), found.value_leak_cents) == ({"api": 3000}, 7000)


def test_more_people_than_seats_leave_none_idle() -> None:
    found = evaluate_entitlement(OFFER, known(plan="pro", seats=3, active_users=5))

    assert found.seats == Seats(bought=3, active=5, idle=0, idle_cents=0)


@pytest.mark.parametrize("plan", ["basic", None, "free"])
def test_idle_seats_without_a_price_are_counted_only(plan: str | None) -> None:
    found = evaluate_entitlement(
        OFFER, known(plan=plan, seats=3, active_users=1, adopted=OFFER.weights)
    )

    assert found.seats == Seats(bought=3, active=1, idle=2, idle_cents=None)
    assert found.value_leak_cents == 0


@pytest.mark.parametrize("seats", [None, 0])
def test_without_seats_there_is_nothing_to_say_of_them(seats: int | None) -> None:
    assert evaluate_entitlement(OFFER, known(plan="pro", seats=seats)).seats is None


@pytest.mark.parametrize(
    ("account", "leak"),
    [
        (known(plan="pro", pays=False, price_cents=None, seats=9), 0),
        (known(plan="pro", pays=True, price_cents=None, seats=9), None),
    ],
)
def test_without_a_price_there_is_no_money(account: AccountFeatures, leak: int | None) -> None:
    """Nothing is paid, or it is not known how much for want of an exchange rate."""
    found = evaluate_entitlement(OFFER, account)

    assert found.value_leak_cents == leak
    assert unused(found) == dict.fromkeys(["api", "export", "sso"], leak)


def test_use_beyond_the_limits_of_the_plan_is_told() -> None:
    events = {"export": 1250, "api": 7, "sso": 10**9}
    account = known(plan="pro", active_users=5, reached=150, feature_events=events)

    assert evaluate_entitlement(OFFER, account).over_limits == (
        OverLimit("api", limit=0, used=7, over_share=None),
        OverLimit("end_customers", limit=100, used=150, over_share=0.5),
        OverLimit("export", limit=1000, used=1250, over_share=0.25),
    )


def test_a_limit_that_is_met_exactly_is_kept() -> None:
    account = known(plan="pro", active_users=5, reached=100, feature_events={"export": 1000})

    assert evaluate_entitlement(OFFER, account).over_limits == ()


def test_habits_that_nobody_has_named_product_features_are_not_paid_for() -> None:
    found = evaluate_entitlement(
        OFFER, known(plan="pro", seats=9, active_users=5), configured=False
    )

    assert (found.unused, found.value_leak_cents) == ((), 4000)


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
def test_nobody_loses_more_than_is_paid_and_the_parts_add_up(
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
    account = known(
        plan="pro",
        price_cents=price_cents,
        adopted=sorted(adopted),
        seats=seats,
        active_users=active_users,
    )

    found = evaluate_entitlement(offer, account)

    cents = [feature.cents for feature in found.unused]
    idle = (found.seats and found.seats.idle_cents) or 0
    assert all(part is not None and part >= 0 for part in cents)
    assert found.value_leak_cents == idle + sum(part or 0 for part in cents)
    assert 0 <= found.value_leak_cents <= price_cents
    assert not {feature.key for feature in found.unused} & adopted


@given(adopted=st.lists(keys, unique=True), weights=weights, price_cents=st.floats(1, 1e9))
def test_adopting_more_never_leaves_more_unused(
    adopted: list[str], weights: dict[str, float], price_cents: float
) -> None:
    offer = Offer(weights, {})
    leaks = [
        evaluate_entitlement(
            offer, known(price_cents=price_cents, adopted=adopted[:n])
        ).value_leak_cents
        for n in range(len(adopted) + 1)
    ]

    assert leaks == sorted(leaks, key=lambda leak: leak or 0, reverse=True)
