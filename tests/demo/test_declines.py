from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any

from app.demo.simulate import Truth, World
from app.demo.world import PLANS, PRODUCT_FEATURES
from tests.demo.worlds import LAST_DAY, Days, periods


def affected_accounts(world: World, cause: str, *, min_days: int = 60) -> list[Truth]:
    """Return the accounts with a cause that stayed at least ``min_days`` after its onset.

    The onset lies four weeks after the first day or later.
    """
    until = {row.account_id: min(row.churned_on or LAST_DAY, LAST_DAY) for row in world.truth}
    return [
        truth
        for truth in world.truth
        if truth.cause == cause
        and truth.onset_on
        and truth.onset_on >= world.first_day + timedelta(days=28)
        and truth.onset_on + timedelta(days=min_days) <= until[truth.account_id]
    ]


def calls_of_account(days: Days, account_id: str, since: date, until: date) -> list[dict[str, Any]]:
    """List an account's calls from ``since`` to the day before ``until``."""
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
        measure(calls_of_account(days, case.account_id, case.onset_on - four_weeks, case.onset_on)),
        measure(calls_of_account(days, case.account_id, later, later + four_weeks)),
    )


def end_customers(calls: list[dict[str, Any]]) -> int:
    ids = (call.get("properties", {}).get("end_customer_id") for call in calls)
    return len(set(ids) - {None})


def test_affected_accounts_leave_more_often_than_the_others(full_world: World) -> None:
    affected = {row.account_id for row in full_world.truth if row.cause != "none"}
    left = {row.account_id for row in full_world.truth if row.churned_on}

    assert len(affected) == 180
    assert len(left & affected) / 180 > 2 * len(left - affected) / 420


def test_declines_begin_at_all_times(full_world: World) -> None:
    """From half a year before the first day to 90 days after the last one, evenly."""
    first, last = full_world.first_day - timedelta(days=180), LAST_DAY + timedelta(days=90)
    onsets = sorted(row.onset_on for row in full_world.truth if row.onset_on)

    assert first <= onsets[0]
    assert onsets[-1] <= last
    assert abs((onsets[90] - first) - (last - first) / 2) < timedelta(days=80)


def test_a_champion_that_left_is_inactive(long_world: World, long_days: Days) -> None:
    cases = affected_accounts(long_world, "champion_left", min_days=0)

    assert cases
    for case in cases:
        assert case.onset_on
        before = calls_of_account(long_days, case.account_id, long_world.first_day, case.onset_on)
        after = calls_of_account(long_days, case.account_id, case.onset_on, date.max)
        share = sum(call["userId"] == case.about for call in before) / len(before)
        assert share > 0.15
        assert all(call["userId"] != case.about for call in after)


def test_a_product_feature_that_was_never_adopted_has_no_event(
    long_world: World, long_days: Days
) -> None:
    names = {feature.key: feature.event_names for feature in PRODUCT_FEATURES}
    plans = {plan.key: plan.product_features for plan in PLANS}
    cases = affected_accounts(long_world, "feature_never_adopted", min_days=0)

    assert cases
    for case in cases:
        own_calls = calls_of_account(long_days, case.account_id, date.min, date.max)
        assert case.about in plans[periods(long_world, case.account_id)[-1].plan]
        assert not {call.get("event") for call in own_calls} & set(names[case.about])


def test_an_account_stuck_in_onboarding_does_not_complete_its_step(
    long_world: World, long_days: Days
) -> None:
    cases = affected_accounts(long_world, "stuck_in_onboarding")

    assert cases
    for case in cases:
        own_calls = calls_of_account(long_days, case.account_id, date.min, date.max)
        done = [
            c["properties"]["step"]
            for c in own_calls
            if c.get("event") == "Onboarding Step Completed"
        ]
        assert done
        assert case.about not in done


def test_fewer_end_customers_are_reached_when_reach_falls(
    long_world: World, long_days: Days
) -> None:
    cases = affected_accounts(long_world, "reach_fell")

    assert cases
    pairs = [before_and_after(long_days, case, end_customers) for case in cases]
    assert sum(after for _, after in pairs) < 0.75 * sum(before for before, _ in pairs)


def test_reach_falls_at_once(long_world: World, long_days: Days) -> None:
    """Compare the two weeks before the onset with the two weeks after it, for all accounts."""
    span, before, after = timedelta(days=14), 0, 0
    for case in affected_accounts(long_world, "reach_fell", min_days=14):
        assert case.onset_on
        own_calls = partial(calls_of_account, long_days, case.account_id)
        before += end_customers(own_calls(case.onset_on - span, case.onset_on))
        after += end_customers(own_calls(case.onset_on, case.onset_on + span))

    assert 0 < after < 0.6 * before


def test_the_champion_has_the_most_events_or_nearly_so(long_world: World, long_days: Days) -> None:
    cases = affected_accounts(long_world, "champion_left", min_days=0)

    assert cases
    for case in cases:
        assert case.onset_on
        own_calls = calls_of_account(
            long_days, case.account_id, long_world.first_day, case.onset_on
        )
        done = Counter(call["userId"] for call in own_calls)
        assert done[case.about] >= 0.75 * max(done.values())


def test_support_is_slow_at_once(long_world: World, long_days: Days) -> None:
    """A ticket is opened on the first day, and its reply takes more than a day."""
    cases = affected_accounts(long_world, "support_slow", min_days=14)

    assert cases
    for case in cases:
        assert case.onset_on
        own_calls = calls_of_account(long_days, case.account_id, case.onset_on, date.max)
        [opened, *_] = [call for call in own_calls if call.get("event") == "Ticket Created"]
        assert opened["timestamp"][:10] == case.onset_on.isoformat()
        ticket = opened["properties"]["ticket_id"]
        replies = [call for call in own_calls if call.get("event") == "Ticket First Reply"]
        for reply in replies:
            if reply["properties"]["ticket_id"] == ticket:
                assert reply["properties"]["minutes"] > 24 * 60


def test_a_price_rise_is_in_the_subscription(long_world: World) -> None:
    cases = affected_accounts(long_world, "price_rose", min_days=0)

    assert cases
    for case in cases:
        rows = periods(long_world, case.account_id)
        risen = [(a, b) for a, b in pairwise(rows) if b.starts_on == case.onset_on]
        assert [b.mrr_cents > 1.05 * a.mrr_cents for a, b in risen] == [True]
        assert [(a.plan, a.end_reason) for a, _ in risen] == [(risen[0][1].plan, "price_change")]


def test_first_replies_take_longer_when_support_is_slow(long_world: World, long_days: Days) -> None:
    onsets = {
        c.account_id: c.onset_on for c in affected_accounts(long_world, "support_slow", min_days=0)
    }
    slow: list[int] = []
    usual: list[int] = []
    for day, today in long_days:
        for call in today:
            if call.get("event") == "Ticket First Reply":
                onset = onsets.get(call["context"]["groupId"])
                minutes = slow if onset and day > onset + timedelta(days=14) else usual
                minutes.append(call["properties"]["minutes"])

    assert median(slow) > 5 * median(usual)
