from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.features.values import AccountFeatures
from app.health.definition.benchmark import Measure, Normalizer
from app.health.definition.entitlement import Offer
from app.health.definition.metrics import AccountFacts
from app.health.definition.scorecard import Band
from app.health.scoring.assess import (
    NEW_DAYS,
    Assessment,
    HealthStatus,
    PriceStatus,
    ScoringContext,
    assess_accounts,
    eligible_peers,
    fit_benchmarks,
    is_new,
    month_ends,
)
from app.health.scoring.evaluate import account_facts
from tests.health.builders import AS_OF, SCORECARD, make_account, make_context, simple_benchmark

OFFER = Offer(dict.fromkeys(("api", "export", "sso", "chat"), 1.0), {})


def context_with(*measures: Measure, **benchmark: Any) -> ScoringContext:  # noqa: ANN401
    return make_context(benchmark=replace(simple_benchmark(*measures), **benchmark), offer=OFFER)


WITHOUT_PEERS = context_with(normalizer=Normalizer.SHARE)


def assess_one(account: AccountFeatures, context: ScoringContext = WITHOUT_PEERS) -> Assessment:
    [found] = assess_accounts(context, [account], AS_OF)
    return found


def busy_account(account_id: str = "a1", **changes: Any) -> AccountFeatures:  # noqa: ANN401
    """Build an account that uses half of everything, and twice as much as in the window before."""
    usage = {
        "adopted": ["api", "export"],
        "adopted_before": ["api"],
        "active_users": 10,
        "active_users_before": 5,
        "seats": 20,
        "reached": 50,
        "reached_before": 25,
        "end_customers": 100,
    }
    return make_account(account_id, **{**usage, **changes})


def measure_details(found: Assessment, name: str) -> dict[str, Any]:
    [one] = [entry for entry in found.details["measures"] if entry["name"] == name]
    return dict(one)


def test_an_account_is_scored_with_the_details_of_its_measures() -> None:
    found = assess_one(busy_account(plan="pro", renewal_on=date(2026, 9, 1)))

    assert (found.status, found.band, found.coverage) == (HealthStatus.OK, Band.HEALTHY, 1.0)
    assert found.score == pytest.approx((50 + 50 + 50 + 0.5 * 100) / 3.5, abs=1e-4)
    assert (found.mrr_cents, found.plan) == (100_000, "pro")
    assert measure_details(found, "depth") == {
        "name": "depth",
        "source": "depth",
        "group": None,
        "score": 50,
        "weight": 1,
        "effective_weight": 0.2857,
        "points": 14.2857,
        "points_missed": 14.2857,
        "raw": 10,
        "before": 5,
        "share": 0.5,
        "per_dollar": 1,
        "adjusted": 10,
        "elasticity": 1,
        "median": None,
        "median_per_dollar": None,
    }
    ranked = measure_details(assess_one(busy_account(), context_with()), "depth")
    assert (ranked["median"], ranked["median_per_dollar"]) == (100, 10)
    assert found.details["unused_product_features"] == ("chat", "sso")
    assert found.details["normalizer"] is Normalizer.SHARE
    assert found.details["renewal_on"] == date(2026, 9, 1)


def test_the_details_name_everything_that_the_score_depends_on() -> None:
    account = busy_account()
    details = assess_one(account).details

    made_by = {
        "benchmark_id": "2026-03-b1",
        "benchmark_month": date(2026, 3, 1),
        "benchmark_segment": None,
        "scorecard_version": 1,
        "card": "default",
        "definition": WITHOUT_PEERS.definition.digest,
        "inputs": account,
        "inputs_on": AS_OF,
    }
    assert {name: details[name] for name in made_by} == made_by
    assert (details["currency"], details["billed_in"]) == ("USD", "USD")
    assert (details["adjustments"], details["partial_window_days"]) == ((), None)


def test_effective_weights_add_up_to_one_whatever_is_missing() -> None:
    found = assess_one(busy_account(end_customers=None))

    weights = [entry["effective_weight"] for entry in found.details["measures"]]

    assert sum(weights) == pytest.approx(1, abs=1e-3)
    assert (
        measure_details(found, "reach")["score"],
        measure_details(found, "reach")["effective_weight"],
    ) == (
        None,
        0,
    )


def test_points_of_the_measures_add_up_to_the_score() -> None:
    found = assess_one(busy_account(adopted=["api"], reached=80))

    points = [entry["effective_weight"] * entry["score"] for entry in found.details["measures"]]
    stated = [entry["points"] for entry in found.details["measures"]]
    missed = [entry["points_missed"] for entry in found.details["measures"]]

    assert sum(points) == pytest.approx(found.score, abs=0.05)
    assert sum(stated) == pytest.approx(found.score, abs=0.001)
    assert sum(stated) + sum(missed) == pytest.approx(100, abs=0.001)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"excluded": True}, HealthStatus.EXCLUDED),
        ({"excluded": True, "pays": False, "paid_until": AS_OF}, HealthStatus.EXCLUDED),
        ({"pays": False, "price_cents": None, "paid_until": AS_OF}, HealthStatus.CHURNED),
        ({"first_used_on": AS_OF, "first_paid_on": AS_OF}, HealthStatus.NEW),
        ({"first_used_on": None, "first_paid_on": None}, HealthStatus.NEW),
        ({"seats": None, "end_customers": None}, HealthStatus.INSUFFICIENT_DATA),
        ({}, HealthStatus.OK),
    ],
)
def test_only_accounts_with_status_ok_have_a_score(
    changes: dict[str, Any], status: HealthStatus
) -> None:
    found = assess_one(busy_account(**changes))

    assert found.status is status
    assert (found.score is None) == (status is not HealthStatus.OK)
    assert (found.band is Band.UNKNOWN) == (status is not HealthStatus.OK)


def test_an_account_is_new_for_twenty_eight_days() -> None:
    started = AS_OF - timedelta(days=NEW_DAYS)

    assert not is_new(make_account(first_used_on=started, first_paid_on=None), AS_OF)
    assert is_new(
        make_account(first_used_on=started + timedelta(days=1), first_paid_on=None), AS_OF
    )
    assert not is_new(make_account(first_used_on=AS_OF, first_paid_on=started), AS_OF)


@pytest.mark.parametrize(
    ("changes", "priced_accounts", "status"),
    [
        ({}, 20, PriceStatus.PRICED),
        ({}, 19, PriceStatus.UNPRICED),
        ({"no_rate": True, "price_cents": None}, 20, PriceStatus.NO_RATE),
        ({"pays": False, "price_cents": None}, 20, PriceStatus.NO_PRICE),
        ({"pays": False, "price_cents": None, "no_rate": True}, 20, PriceStatus.NO_PRICE),
    ],
)
def test_the_price_status_says_why_the_price_is_ignored(
    changes: dict[str, Any], priced_accounts: int, status: PriceStatus
) -> None:
    found = assess_one(busy_account(**changes), context_with(priced_accounts=priced_accounts))

    assert found.details["price_status"] is status
    priced = status is PriceStatus.PRICED
    assert (measure_details(found, "depth")["per_dollar"] is not None) == priced
    assert found.score is not None, "an account without a price is ranked all the same"


def test_per_dollar_is_never_infinite() -> None:
    found = assess_one(busy_account(price_cents=0.0, mrr_cents=0))

    assert [entry.get("per_dollar") for entry in found.details["measures"]] == [None] * 4


def test_an_account_is_compared_with_its_segment_if_it_has_a_benchmark() -> None:
    own = replace(simple_benchmark(), segment="smb", normalizer=Normalizer.SHARE)
    both = replace(WITHOUT_PEERS, benchmarks={**WITHOUT_PEERS.benchmarks, "smb": own})
    accounts = [
        busy_account("a1", segment="smb"),
        busy_account("a2", segment="large"),
        busy_account("a3"),
    ]

    found = assess_accounts(both, accounts, AS_OF)

    assert [row.account_id for row in found] == ["a1", "a2", "a3"]
    assert [row.details["benchmark_segment"] for row in found] == ["smb", None, None]


def test_order_and_other_accounts_do_not_change_an_assessment() -> None:
    accounts = [busy_account(f"a{number}", active_users=number) for number in range(20)]
    context = context_with()

    together = assess_accounts(context, accounts, AS_OF)

    assert together == [assess_one(account, context) for account in accounts]
    assert together[::-1] == assess_accounts(context, accounts[::-1], AS_OF)


def test_unused_features_are_listed_only_if_product_features_are_named() -> None:
    definition = replace(WITHOUT_PEERS.definition, configured=False)
    guessed = replace(WITHOUT_PEERS, definition=definition)

    assert assess_one(busy_account(), guessed).details["unused_product_features"] == ()
    assert assess_one(busy_account(), WITHOUT_PEERS).details["unused_product_features"] == (
        "chat",
        "sso",
    )


def test_peers_are_neither_new_nor_churned_nor_excluded() -> None:
    accounts = [
        busy_account("usual"),
        busy_account("excluded", excluded=True),
        busy_account("churned", pays=False, paid_until=AS_OF),
        busy_account("new", first_used_on=AS_OF, first_paid_on=AS_OF),
        busy_account("free", pays=False),
    ]

    assert [row.account_id for row in eligible_peers(accounts, AS_OF)] == ["usual", "free"]


def make_facts(accounts: list[AccountFeatures]) -> list[AccountFacts]:
    return account_facts(OFFER, accounts, AS_OF)


def segment_of(number: int, size: int) -> str:
    return "smb" if number < size else "large"


@pytest.mark.parametrize(("size", "segments"), [(19, {"", "large"}), (20, {"", "smb", "large"})])
def test_a_segment_has_its_own_benchmark_from_twenty_accounts(
    size: int, segments: set[str]
) -> None:
    pool = make_facts(
        [busy_account(f"a{number}", segment=segment_of(number, size)) for number in range(50)]
    )

    fitted = fit_benchmarks(pool * 6, SCORECARD, ("api",))

    assert set(fitted) == segments
    assert fitted[""].normalizer is Normalizer.WORKSPACE
    assert fitted["large"].normalizer is Normalizer.SEGMENT
    assert fitted[""].product_features == ("api",)


def test_nineteen_accounts_are_scored_by_shares() -> None:
    pool = make_facts([busy_account(f"a{number}") for number in range(19)])

    assert fit_benchmarks(pool * 6, SCORECARD, ())[""].normalizer is Normalizer.SHARE


@pytest.mark.parametrize(("paying", "accounts"), [(20, 20), (19, 39)])
def test_accounts_without_a_price_are_no_peers_if_twenty_pay(paying: int, accounts: int) -> None:
    pool = [busy_account(f"p{number}") for number in range(paying)]
    pool += [busy_account(f"f{number}", price_cents=None, pays=False) for number in range(20)]

    assert fit_benchmarks(make_facts(pool), SCORECARD, ())[""].accounts == accounts


def test_month_ends_are_before_the_month() -> None:
    assert month_ends(date(2026, 3, 18)) == [
        *(date(2026, 2, 28), date(2026, 1, 31), date(2025, 12, 31)),
        *(date(2025, 11, 30), date(2025, 10, 31), date(2025, 9, 30)),
    ]
    assert month_ends(date(2026, 3, 31))[0] == date(2026, 2, 28)
    assert month_ends(date(2024, 3, 1), 1) == [date(2024, 2, 29)]
