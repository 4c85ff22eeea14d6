from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.features.values import AccountFeatures
from app.health.assess import (
    NEW_DAYS,
    Assessment,
    PriceStatus,
    Status,
    Yardstick,
    assess,
    fit_benchmarks,
    is_new,
    month_ends,
    poolable,
)
from app.health.benchmark import Measure, Normalizer
from app.health.entitlement import Offer
from app.health.judge import facts_of
from app.health.metrics import Facts
from app.health.scorecard import Band
from tests.health.scoring import AS_OF, SCORECARD, known, simple, yardstick

OFFER = Offer(dict.fromkeys(("api", "export", "sso", "chat"), 1.0), {})


def by(*measures: Measure, **benchmark: Any) -> Yardstick:  # noqa: ANN401
    return yardstick(benchmark=replace(simple(*measures), **benchmark), offer=OFFER)


ALONE = by(normalizer=Normalizer.SHARE)


def judge(account: AccountFeatures, against: Yardstick = ALONE) -> Assessment:
    [found] = assess(against, [account], AS_OF)
    return found


def busy(account_id: str = "a1", **said: Any) -> AccountFeatures:  # noqa: ANN401
    """Half of the features, of the seats and of the end customers, and twice as much as before."""
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
    return known(account_id, **{**usage, **said})


def told(found: Assessment, name: str) -> dict[str, Any]:
    [one] = [entry for entry in found.details["measures"] if entry["name"] == name]
    return dict(one)


def test_an_account_is_scored_and_the_answer_says_what_of() -> None:
    found = judge(busy(plan="pro", renewal_on=date(2026, 9, 1)))

    assert (found.status, found.band, found.coverage) == (Status.OK, Band.HEALTHY, 1.0)
    assert found.score == pytest.approx((50 + 50 + 50 + 0.5 * 100) / 3.5, abs=1e-4)
    assert (found.mrr_cents, found.plan) == (100_000, "pro")
    assert told(found, "depth") == {
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
        "median": 100,
        "median_per_dollar": 10,
    }
    assert found.details["unused_product_features"] == ("chat", "sso")
    assert found.details["normalizer"] is Normalizer.SHARE
    assert found.details["renewal_on"] == date(2026, 9, 1)


def test_the_answer_names_everything_that_the_score_was_made_by() -> None:
    account = busy()
    details = judge(account).details

    made_by = {
        "benchmark_id": "2026-03-b1",
        "benchmark_month": date(2026, 3, 1),
        "benchmark_segment": None,
        "scorecard_version": 1,
        "card": "default",
        "definition": "d1",
        "inputs": account,
        "inputs_on": AS_OF,
    }
    assert {name: details[name] for name in made_by} == made_by
    assert (details["currency"], details["billed_in"]) == ("USD", "USD")
    assert (details["adjustments"], details["partial_window_days"]) == ((), None)


def test_effective_weights_add_up_to_one_whatever_is_missing() -> None:
    found = judge(busy(end_customers=None))

    weights = [entry["effective_weight"] for entry in found.details["measures"]]

    assert sum(weights) == pytest.approx(1, abs=1e-3)
    assert (told(found, "reach")["score"], told(found, "reach")["effective_weight"]) == (
        None,
        0,
    )


def test_points_of_the_measures_add_up_to_the_score() -> None:
    found = judge(busy(adopted=["api"], reached=80))

    points = [entry["effective_weight"] * entry["score"] for entry in found.details["measures"]]
    stated = [entry["points"] for entry in found.details["measures"]]
    missed = [entry["points_missed"] for entry in found.details["measures"]]

    assert sum(points) == pytest.approx(found.score, abs=0.05)
    assert sum(stated) == pytest.approx(found.score, abs=0.001)
    assert sum(stated) + sum(missed) == pytest.approx(100, abs=0.001)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"excluded": True}, Status.EXCLUDED),
        ({"excluded": True, "pays": False, "paid_until": AS_OF}, Status.EXCLUDED),
        ({"pays": False, "price_cents": None, "paid_until": AS_OF}, Status.CHURNED),
        ({"first_used_on": AS_OF, "first_paid_on": AS_OF}, Status.NEW),
        ({"first_used_on": None, "first_paid_on": None}, Status.NEW),
        ({"seats": None, "end_customers": None}, Status.INSUFFICIENT_DATA),
        ({}, Status.OK),
    ],
)
def test_only_an_account_in_good_standing_has_a_score(said: dict[str, Any], status: Status) -> None:
    found = judge(busy(**said))

    assert found.status is status
    assert (found.score is None) == (status is not Status.OK)
    assert (found.band is Band.UNKNOWN) == (status is not Status.OK)


def test_an_account_is_new_for_twenty_eight_days() -> None:
    started = AS_OF - timedelta(days=NEW_DAYS)

    assert not is_new(known(first_used_on=started, first_paid_on=None), AS_OF)
    assert is_new(known(first_used_on=started + timedelta(days=1), first_paid_on=None), AS_OF)
    assert not is_new(known(first_used_on=AS_OF, first_paid_on=started), AS_OF)


@pytest.mark.parametrize(
    ("said", "priced_accounts", "status"),
    [
        ({}, 20, PriceStatus.PRICED),
        ({}, 19, PriceStatus.UNPRICED),
        ({"no_rate": True, "price_cents": None}, 20, PriceStatus.NO_RATE),
        ({"pays": False, "price_cents": None}, 20, PriceStatus.NO_PRICE),
        ({"pays": False, "price_cents": None, "no_rate": True}, 20, PriceStatus.NO_PRICE),
    ],
)
def test_the_answer_says_whether_and_why_the_price_is_left_out(
    said: dict[str, Any], priced_accounts: int, status: PriceStatus
) -> None:
    found = judge(busy(**said), by(priced_accounts=priced_accounts))

    assert found.details["price_status"] is status
    priced = status is PriceStatus.PRICED
    assert (told(found, "depth")["per_dollar"] is not None) == priced
    assert found.score is not None, "an account without a price is ranked all the same"


def test_per_dollar_is_never_infinite() -> None:
    found = judge(busy(price_cents=0.0, mrr_cents=0))

    assert [entry.get("per_dollar") for entry in found.details["measures"]] == [None] * 4


def test_an_account_is_held_against_its_segment_where_that_has_a_benchmark() -> None:
    own = replace(simple(), segment="smb", normalizer=Normalizer.SHARE)
    both = replace(ALONE, benchmarks={**ALONE.benchmarks, "smb": own})
    accounts = [busy("a1", segment="smb"), busy("a2", segment="large"), busy("a3")]

    found = assess(both, accounts, AS_OF)

    assert [row.account_id for row in found] == ["a1", "a2", "a3"]
    assert [row.details["benchmark_segment"] for row in found] == ["smb", None, None]


def test_neither_order_nor_company_changes_an_assessment() -> None:
    accounts = [busy(f"a{number}", active_users=number) for number in range(20)]
    against = by()

    together = assess(against, accounts, AS_OF)

    assert together == [judge(account, against) for account in accounts]
    assert together[::-1] == assess(against, accounts[::-1], AS_OF)


def test_unused_features_are_named_only_where_somebody_said_what_the_features_are() -> None:
    guessed = replace(ALONE, features_configured=False)

    assert judge(busy(), guessed).details["unused_product_features"] == ()
    assert judge(busy(), ALONE).details["unused_product_features"] == ("chat", "sso")


def test_peers_are_neither_new_nor_churned_nor_excluded() -> None:
    accounts = [
        busy("kept"),
        busy("excluded", excluded=True),
        busy("churned", pays=False, paid_until=AS_OF),
        busy("new", first_used_on=AS_OF, first_paid_on=AS_OF),
        busy("free", pays=False),
    ]

    assert [row.account_id for row in poolable(accounts, AS_OF)] == ["kept", "free"]


def facts(accounts: list[AccountFeatures]) -> list[Facts]:
    return facts_of(OFFER, accounts, AS_OF)


def segment_of(number: int, size: int) -> str:
    return "smb" if number < size else "large"


@pytest.mark.parametrize(("size", "segments"), [(19, {"", "large"}), (20, {"", "smb", "large"})])
def test_a_segment_has_a_benchmark_of_its_own_from_twenty_accounts(
    size: int, segments: set[str]
) -> None:
    pool = facts([busy(f"a{number}", segment=segment_of(number, size)) for number in range(50)])

    fitted = fit_benchmarks(pool * 6, SCORECARD, ("api",))

    assert set(fitted) == segments
    assert fitted[""].normalizer is Normalizer.WORKSPACE
    assert fitted["large"].normalizer is Normalizer.SEGMENT
    assert fitted[""].product_features == ("api",)


def test_nineteen_accounts_are_held_against_their_shares() -> None:
    pool = facts([busy(f"a{number}") for number in range(19)])

    assert fit_benchmarks(pool * 6, SCORECARD, ())[""].normalizer is Normalizer.SHARE


@pytest.mark.parametrize(("paying", "accounts"), [(20, 20), (19, 39)])
def test_who_pays_nothing_is_no_peer_where_twenty_pay(paying: int, accounts: int) -> None:
    pool = [busy(f"p{number}") for number in range(paying)]
    pool += [busy(f"f{number}", price_cents=None, pays=False) for number in range(20)]

    assert fit_benchmarks(facts(pool), SCORECARD, ())[""].accounts == accounts


def test_month_ends_are_those_before_the_month() -> None:
    assert month_ends(date(2026, 3, 18)) == [
        *(date(2026, 2, 28), date(2026, 1, 31), date(2025, 12, 31)),
        *(date(2025, 11, 30), date(2025, 10, 31), date(2025, 9, 30)),
    ]
    assert month_ends(date(2026, 3, 31))[0] == date(2026, 2, 28)
    assert month_ends(date(2024, 3, 1), 1) == [date(2024, 2, 29)]
