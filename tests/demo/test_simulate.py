import ast
import csv
import hashlib
import io
import json
import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from app.demo.simulate import World, example_account, generate_calls, simulate, truth_csv
from app.demo.world import PLANS, PRODUCT_FEATURES
from tests.demo.worlds import LAST_DAY, Days, calls, periods

DEMO = Path(__file__).parents[2] / "app" / "demo"
SIMULATOR = ("world", "engagement", "activity", "owners", "simulate")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(0[89]|1[0-7]):[0-5]\d:[0-5]\d\.\d{3}Z")


def digest(seed: int) -> str:
    world = simulate(seed=seed, last_day=LAST_DAY, accounts=20, days=60)
    days = [[str(day), today] for day, today in generate_calls(world, seed=seed)]
    parts = [json.dumps(days), truth_csv(world), repr(world)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(7) == digest(7)
    assert digest(7) != digest(8)


def test_the_full_size_has_about_500_000_events(days: Days) -> None:
    full_size = sum(len(today) for _, today in days) * (600 * 548) / (60 * 120)

    assert 430_000 < full_size < 570_000


def test_half_of_the_calls_reach_an_end_customer(days: Days) -> None:
    reached = ["end_customer_id" in call.get("properties", {}) for call in calls(days)]

    assert 0.4 < sum(reached) / len(reached) < 0.6


def test_message_ids_are_unique(days: Days) -> None:
    ids = [call["messageId"] for call in calls(days)]

    assert len(ids) == len(set(ids))


def test_days_are_in_order_and_end_with_the_last_day(world: World, days: Days) -> None:
    assert [day for day, _ in days] == [world.first_day + timedelta(days=n) for n in range(120)]
    assert days[-1][0] == LAST_DAY


def test_calls_are_in_order_and_within_the_working_hours_of_their_day(days: Days) -> None:
    for day, today in days:
        instants = [call["timestamp"] for call in today]

        assert instants == sorted(instants)
        assert all(INSTANT.fullmatch(at) and at.startswith(f"{day}") for at in instants)


def test_calls_have_the_form_of_segment_calls(world: World, days: Days) -> None:
    known = {account.account_id for account in world.accounts}

    for call in calls(days):
        assert call["type"] in {"track", "identify", "group", "page"}
        assert call["context"]["groupId"] in known
        assert call["userId"]
        assert call["type"] != "track" or call["event"]


def test_everything_is_marked_as_simulated(world: World, days: Days) -> None:
    assert world.simulated
    assert all(account.simulated for account in world.accounts)
    traits = [call["traits"] for call in calls(days) if "traits" in call]
    assert all(each["simulated"] is True and "mrr" not in each for each in traits)


def test_a_user_is_identified_before_any_other_call(days: Days) -> None:
    identified: set[str] = set()

    for call in calls(days):
        if call["type"] == "identify":
            assert call["traits"]["email"].endswith(".example")
            identified.add(call["userId"])
        assert call["userId"] in identified


def test_every_product_feature_is_used(days: Days) -> None:
    names = {call.get("event") for call in calls(days)}

    assert all(set(feature.event_names) <= names for feature in PRODUCT_FEATURES)


def test_no_product_feature_outside_the_plan_is_used(long_world: World, long_days: Days) -> None:
    features = {name: f.key for f in PRODUCT_FEATURES for name in f.event_names}
    included = {plan.key: set(plan.product_features) for plan in PLANS}
    rows = {
        account.account_id: periods(long_world, account.account_id)
        for account in long_world.accounts
    }

    for day, today in long_days:
        for call in today:
            if call.get("event") in features:
                paid = [row for row in rows[call["context"]["groupId"]] if row.starts_on <= day]
                assert features[call["event"]] in included[paid[-1].plan]


def test_periods_of_a_subscription_join_without_gaps(long_world: World) -> None:
    for account in long_world.accounts:
        rows = periods(long_world, account.account_id)

        assert rows[0].starts_on == account.started_on
        assert len({row.subscription_id for row in rows}) == 1
        assert all(row.ends_on == following.starts_on for row, following in pairwise(rows))
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
        assert row.end_known_on <= LAST_DAY
        assert row.end_reason


def test_the_truth_has_every_account_that_left_and_those_that_will(full_world: World) -> None:
    """It goes on for 90 days; who gives notice after the last day still pays without an end."""
    left = {row.account_id: row.ends_on for row in full_world.subscriptions if row.end_known_on}
    truth = {row.account_id: row.churned_on for row in full_world.truth if row.churned_on}
    later = {account_id: truth[account_id] for account_id in truth.keys() - left}
    last_periods = [periods(full_world, account_id)[-1] for account_id in later]

    assert truth == left | later
    assert later
    assert all(LAST_DAY < day <= LAST_DAY + timedelta(days=90) for day in later.values())
    assert {(row.ends_on, row.end_known_on, row.end_reason) for row in last_periods} == {
        (None, None, None)
    }
    assert len({row.cause for row in full_world.truth}) == 7


def test_nothing_later_than_the_last_day_is_shown(full_world: World) -> None:
    assert max(row.starts_on for row in full_world.subscriptions) <= LAST_DAY
    assert max(account.started_on for account in full_world.accounts) <= LAST_DAY


def test_people_are_unhappier_where_an_account_is_about_to_leave(
    long_world: World, long_days: Days
) -> None:
    ends = {row.account_id: row.churned_on for row in long_world.truth if row.churned_on}
    last_half_year: list[int] = []
    before: list[int] = []
    for day, today in long_days:
        for call in today:
            if call.get("event") == "NPS Submitted":
                end = ends.get(call["context"]["groupId"], date.max)
                scores = last_half_year if end - day < timedelta(days=180) else before
                scores.append(call["properties"]["score"])

    assert sum(last_half_year) / len(last_half_year) < sum(before) / len(before) - 1


def test_accounts_are_silent_before_their_start_and_after_their_end(
    long_world: World, long_days: Days
) -> None:
    starts = {account.account_id: account.started_on for account in long_world.accounts}
    ends = {row.account_id: row.churned_on or date.max for row in long_world.truth}

    for day, today in long_days:
        for call in today:
            account_id = call["context"]["groupId"]
            assert starts[account_id] <= day < ends.get(account_id, date.max)


def test_one_account_in_five_leaves_in_a_year_half_of_the_affected_and_a_tenth_of_the_others(
    full_world: World,
) -> None:
    """Three in ten have a cause. Over many seeds the shares are .21, .53 and .09."""
    left_on = {row.account_id: row.churned_on for row in full_world.truth}
    affected = {row.account_id for row in full_world.truth if row.cause != "none"}
    ends = {key: day if day and day <= LAST_DAY else LAST_DAY for key, day in left_on.items()}

    def share(account_ids: set[str]) -> float:
        tenures = [
            ends.get(account.account_id, LAST_DAY) - max(account.started_on, full_world.first_day)
            for account in full_world.accounts
            if account.account_id in account_ids
        ]
        left = sum((left_on.get(key) or date.max) <= LAST_DAY for key in account_ids)
        return left / (sum(tenures, timedelta()) / timedelta(days=365))

    everybody = {account.account_id for account in full_world.accounts}
    assert 0.17 < share(everybody) < 0.24
    assert 0.4 < share(affected) < 0.65
    assert 0.07 < share(everybody - affected) < 0.11


def test_the_example_pays_and_began_to_decline_a_month_ago_or_more(full_world: World) -> None:
    example = example_account(full_world)
    [row] = [row for row in full_world.truth if row.account_id == example]
    others = [
        each.onset_on
        for each in full_world.truth
        if each.onset_on
        and each.onset_on <= LAST_DAY - timedelta(days=30)
        and periods(full_world, each.account_id)[-1].ends_on is None
    ]

    assert periods(full_world, example)[-1].ends_on is None
    assert row.onset_on == max(others)
    next_day = simulate(seed=1, last_day=LAST_DAY + timedelta(days=1))
    assert example_account(next_day) == example


def test_the_truth_file_has_the_truth(world: World) -> None:
    rows = list(csv.DictReader(io.StringIO(truth_csv(world))))

    assert [row["account_id"] for row in rows] == [row.account_id for row in world.truth]
    assert {row["cause"] for row in rows} == {row.cause for row in world.truth}
    assert rows[0].keys() == {"account_id", "cause", "onset_on", "strength", "churned_on", "about"}


@pytest.mark.parametrize("file", SIMULATOR)
def test_the_simulator_does_not_import_the_product(file: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((DEMO / f"{file}.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module or "")

    own_modules = {name for name in imported if name.split(".")[0] == "app"}
    assert own_modules <= {f"app.demo.{name}" for name in SIMULATOR}
