import ast
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from app.demo.simulate import Subscription, Truth, World, events, simulate, truth_csv

LAST_DAY = date(2026, 1, 31)
DEMO = Path(__file__).parents[2] / "app" / "demo"
SIMULATOR = ("world", "activity", "simulate")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(0[89]|1[0-7]):[0-5]\d:[0-5]\d\.\d{3}Z")

Days = list[tuple[date, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(seed=3, last_day=LAST_DAY, accounts=60, days=120)


@pytest.fixture(scope="module")
def days(world: World) -> Days:
    return list(events(world, seed=3))


@pytest.fixture(scope="module")
def long_world() -> World:
    """Long enough for every cause to take effect."""
    return simulate(seed=5, last_day=LAST_DAY, accounts=80, days=400)


@pytest.fixture(scope="module")
def long_days(long_world: World) -> Days:
    return list(events(long_world, seed=5))


@pytest.fixture(scope="module")
def full_world() -> World:
    return simulate(seed=1, last_day=LAST_DAY)


def calls(days: Days) -> Iterator[dict[str, Any]]:
    return (call for _, today in days for call in today)


def digest(seed: int) -> str:
    world = simulate(seed=seed, last_day=LAST_DAY, accounts=20, days=60)
    made = [[str(day), today] for day, today in events(world, seed=seed)]
    told = [json.dumps(made), truth_csv(world), repr(world)]
    return hashlib.sha256("".join(told).encode()).hexdigest()


def troubled(world: World, cause: str, *, seen_for: int = 60) -> list[Truth]:
    """Pick the strong cases of a cause that stayed for so many days after its onset."""
    until = {truth.account_id: truth.churned_on or LAST_DAY for truth in world.truth}
    return [
        truth
        for truth in world.truth
        if truth.cause == cause
        and truth.onset_on
        and truth.onset_on + timedelta(days=seen_for) <= until[truth.account_id]
    ]


def told(days: Days, account_id: str, since: date, until: date) -> list[dict[str, Any]]:
    """List an account's calls from one day up to another, which is left out."""
    return [
        call
        for day, today in days
        if since <= day < until
        for call in today
        if call["context"]["groupId"] == account_id
    ]


def before_and_after(
    days: Days, case: Truth, measure: Callable[[list[dict[str, Any]]], float]
) -> tuple[float, float]:
    """Measure 28 days before the onset and 28 days from a month after it."""
    assert case.onset_on
    four_weeks, month = timedelta(days=28), timedelta(days=30)
    later = case.onset_on + month
    return (
        measure(told(days, case.account_id, case.onset_on - four_weeks, case.onset_on)),
        measure(told(days, case.account_id, later, later + four_weeks)),
    )


def end_customers(calls: list[dict[str, Any]]) -> int:
    found = (call.get("properties", {}).get("end_customer_id") for call in calls)
    return len(set(found) - {None})


def periods(world: World, account_id: str) -> list[Subscription]:
    return [row for row in world.subscriptions if row.account_id == account_id]


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(7) == digest(7)
    assert digest(7) != digest(8)


def test_the_volume_is_about_that_of_400_000_events_for_the_full_size(days: Days) -> None:
    full_size = sum(len(today) for _, today in days) * (300 * 548) / (60 * 120)

    assert 350_000 < full_size < 450_000


def test_half_of_the_calls_reach_an_end_customer(days: Days) -> None:
    reached = ["end_customer_id" in call.get("properties", {}) for call in calls(days)]

    assert 0.4 < sum(reached) / len(reached) < 0.6


def test_message_ids_are_unique(days: Days) -> None:
    ids = [call["messageId"] for call in calls(days)]

    assert len(ids) == len(set(ids))


def test_days_come_in_order_and_end_with_the_last(world: World, days: Days) -> None:
    assert [day for day, _ in days] == [world.first_day + timedelta(days=n) for n in range(120)]
    assert days[-1][0] == LAST_DAY


def test_calls_come_in_order_within_the_working_hours_of_their_day(days: Days) -> None:
    for day, today in days:
        instants = [call["timestamp"] for call in today]

        assert instants == sorted(instants)
        assert all(INSTANT.fullmatch(at) and at.startswith(f"{day}") for at in instants)


def test_calls_look_like_those_of_a_segment_sdk(world: World, days: Days) -> None:
    known = {account.account_id for account in world.accounts}

    for call in calls(days):
        assert call["type"] in {"track", "identify", "group", "page"}
        assert call["context"]["groupId"] in known
        assert call["userId"]
        assert call["type"] != "track" or call["event"]


def test_everything_says_that_it_is_simulated(world: World, days: Days) -> None:
    assert world.simulated
    assert all(account.simulated for account in world.accounts)
    traits = [call["traits"] for call in calls(days) if "traits" in call]
    assert all(found["simulated"] is True and "mrr" not in found for found in traits)


def test_a_user_is_introduced_before_doing_anything(days: Days) -> None:
    seen: set[str] = set()

    for call in calls(days):
        if call["type"] == "identify":
            assert call["traits"]["email"].endswith(".example")
            seen.add(call["userId"])
        assert call["userId"] in seen


def test_every_product_feature_is_used_by_someone(world: World, days: Days) -> None:
    names = {call.get("event") for call in calls(days)}

    assert all(set(feature.event_names) <= names for feature in world.product_features)


def test_nobody_uses_a_product_feature_outside_the_plan(long_world: World, long_days: Days) -> None:
    owner = {name: f.key for f in long_world.product_features for name in f.event_names}
    included = {plan.key: set(plan.product_features) for plan in long_world.plans}
    rows = {
        account.account_id: periods(long_world, account.account_id)
        for account in long_world.accounts
    }

    for day, today in long_days:
        for call in today:
            if call.get("event") in owner:
                paid = [row for row in rows[call["context"]["groupId"]] if row.starts_on <= day]
                assert owner[call["event"]] in included[paid[-1].plan]


def test_periods_of_a_subscription_join_without_gaps(long_world: World) -> None:
    for account in long_world.accounts:
        rows = periods(long_world, account.account_id)

        assert rows[0].starts_on == account.started_on
        assert len({row.subscription_id for row in rows}) == 1
        assert all(one.ends_on == after.starts_on for one, after in pairwise(rows))
        assert all(row.starts_on < row.renewal_on for row in rows)
        assert all(9900 <= row.mrr_cents <= 400_000 and 3 <= row.seats <= 120 for row in rows)


def test_notice_is_given_within_thirty_days_before_the_end(full_world: World) -> None:
    left = [row for row in full_world.subscriptions if row.end_known_on]

    assert left
    for row in left:
        assert row.ends_on
        assert row.end_known_on
        assert row.known_on < row.end_known_on
        assert timedelta(0) < row.ends_on - row.end_known_on <= timedelta(days=30)
        assert row.ends_on <= LAST_DAY
        assert row.end_reason


def test_the_truth_names_every_account_that_left(long_world: World) -> None:
    left = {row.account_id: row.ends_on for row in long_world.subscriptions if row.end_known_on}
    truth = {row.account_id: row.churned_on for row in long_world.truth if row.churned_on}

    assert truth == left
    assert len({row.cause for row in long_world.truth}) == 7


def test_accounts_are_silent_before_their_start_and_after_their_end(
    long_world: World, long_days: Days
) -> None:
    starts = {account.account_id: account.started_on for account in long_world.accounts}
    ends = {row.account_id: row.churned_on or date.max for row in long_world.truth}

    for day, today in long_days:
        for call in today:
            account_id = call["context"]["groupId"]
            assert starts[account_id] <= day < ends.get(account_id, date.max)


def test_about_one_account_in_seven_leaves_in_a_year(full_world: World) -> None:
    ends = {row.account_id: row.churned_on or LAST_DAY for row in full_world.truth}
    stays = [
        ends.get(account.account_id, LAST_DAY) - max(account.started_on, full_world.first_day)
        for account in full_world.accounts
    ]
    left = sum(row.churned_on is not None for row in full_world.truth)

    assert 0.12 < left / (sum(stays, timedelta()) / timedelta(days=365)) < 0.20


def test_affected_accounts_leave_more_often_than_the_others(full_world: World) -> None:
    affected = {row.account_id for row in full_world.truth if row.cause != "none"}
    left = {row.account_id for row in full_world.truth if row.churned_on}

    assert len(affected) == 90
    assert len(left & affected) / 90 > 2 * len(left - affected) / 210


def test_a_third_of_the_declines_are_recent_and_still_open(full_world: World) -> None:
    onsets = [(row.onset_on, row.churned_on) for row in full_world.truth if row.onset_on]
    recent = [left for onset, left in onsets if onset > LAST_DAY - timedelta(days=120)]

    assert min(onset for onset, _ in onsets) >= full_world.first_day + timedelta(days=120)
    assert sum(left is None for left in recent) >= 90 / 3


def test_a_champion_who_left_does_nothing_any_more(long_world: World, long_days: Days) -> None:
    cases = troubled(long_world, "champion_left", seen_for=0)

    assert cases
    for case in cases:
        assert case.onset_on
        before = told(long_days, case.account_id, long_world.first_day, case.onset_on)
        after = told(long_days, case.account_id, case.onset_on, date.max)
        share = sum(call["userId"] == case.about for call in before) / len(before)
        assert share > 0.15
        assert all(call["userId"] != case.about for call in after)


def test_a_product_feature_that_was_never_adopted_has_no_event(
    long_world: World, long_days: Days
) -> None:
    names = {feature.key: feature.event_names for feature in long_world.product_features}
    plans = {plan.key: plan.product_features for plan in long_world.plans}
    cases = troubled(long_world, "feature_never_adopted", seen_for=0)

    assert cases
    for case in cases:
        mine = told(long_days, case.account_id, date.min, date.max)
        assert case.about in plans[periods(long_world, case.account_id)[-1].plan]
        assert not {call.get("event") for call in mine} & set(names[case.about])


def test_who_is_stuck_in_onboarding_gets_no_further(long_world: World, long_days: Days) -> None:
    cases = troubled(long_world, "stuck_in_onboarding")

    assert cases
    for case in cases:
        mine = told(long_days, case.account_id, date.min, date.max)
        done = [
            c["properties"]["step"] for c in mine if c.get("event") == "Onboarding Step Completed"
        ]
        assert done
        assert case.about not in done


def test_fewer_end_customers_are_reached_when_reach_falls(
    long_world: World, long_days: Days
) -> None:
    cases = troubled(long_world, "reach_fell")

    assert cases
    pairs = [before_and_after(long_days, case, end_customers) for case in cases]
    assert sum(after for _, after in pairs) < 0.75 * sum(before for before, _ in pairs)


def test_a_price_rise_is_in_the_subscription(long_world: World) -> None:
    cases = troubled(long_world, "price_rose", seen_for=0)

    assert cases
    for case in cases:
        rows = periods(long_world, case.account_id)
        risen = [(a, b) for a, b in pairwise(rows) if b.starts_on == case.onset_on]
        assert [b.mrr_cents > 1.05 * a.mrr_cents for a, b in risen] == [True]
        assert [(a.plan, a.end_reason) for a, _ in risen] == [(risen[0][1].plan, "price_change")]


def test_first_replies_take_longer_when_support_is_slow(long_world: World, long_days: Days) -> None:
    onsets = {c.account_id: c.onset_on for c in troubled(long_world, "support_slow", seen_for=0)}
    slow: list[int] = []
    usual: list[int] = []
    for day, today in long_days:
        for call in today:
            if call.get("event") == "Ticket First Reply":
                onset = onsets.get(call["context"]["groupId"])
                waits = slow if onset and day > onset + timedelta(days=14) else usual
                waits.append(call["properties"]["minutes"])

    assert median(slow) > 5 * median(usual)


def test_the_truth_file_holds_the_truth(world: World) -> None:
    rows = list(csv.DictReader(io.StringIO(truth_csv(world))))

    assert [row["account_id"] for row in rows] == [row.account_id for row in world.truth]
    assert {row["cause"] for row in rows} == {row.cause for row in world.truth}
    assert rows[0].keys() == {"account_id", "cause", "onset_on", "strength", "churned_on", "about"}


@pytest.mark.parametrize("file", SIMULATOR)
def test_the_simulator_knows_nothing_of_the_product(file: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((DEMO / f"{file}.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module or "")

    ours = {name for name in imported if name.split(".")[0] == "app"}
    assert ours <= {f"app.demo.{name}" for name in SIMULATOR}
