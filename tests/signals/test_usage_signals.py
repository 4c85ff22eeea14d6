from dataclasses import replace

import pytest

from app.signals.inputs import Champion, UnusedPaidFeature, UsePeriod
from app.signals.signal import Severity
from app.signals.thresholds import SignalThresholds
from tests.signals.builders import (
    account,
    activity,
    days_ago,
    detected,
    inputs,
    score_inputs,
    signals_named,
)


def test_a_steady_account_has_no_signal() -> None:
    assert detected(inputs()) == {}


@pytest.mark.parametrize(
    ("days", "level", "severity"),
    [(14, 14, "medium"), (29, 14, "medium"), (30, 30, "high"), (90, 90, "high"), (400, 90, "high")],
)
def test_a_silent_account_is_dormant_since_the_day_after_its_last_use(
    days: int, level: int, severity: str
) -> None:
    silent = inputs(
        account(last_used_on=days_ago(days)), activity=activity(active_days=0, first_day=None)
    )

    [signal] = signals_named("dormant", silent)

    assert signal.severity == severity
    assert signal.since == days_ago(days - 1)
    assert signal.evidence["days"] == days
    assert signal.evidence["level_days"] == level


def test_thirteen_days_of_silence_are_not_dormant() -> None:
    assert not signals_named("dormant", inputs(account(last_used_on=days_ago(13))))


def test_a_month_of_silence_is_usual_for_monthly_use() -> None:
    monthly = activity(active_days=3, first_day=days_ago(90))

    assert not signals_named(
        "dormant", inputs(account(last_used_on=days_ago(31)), activity=monthly)
    )
    assert signals_named("dormant", inputs(account(last_used_on=days_ago(90)), activity=monthly))


def test_an_account_that_never_used_the_product_is_dormant_since_its_first_paid_day() -> None:
    never = account(last_used_on=None, first_used_on=None, first_paid_on=days_ago(20))

    [signal] = signals_named(
        "dormant", inputs(never, activity=activity(active_days=0, first_day=None))
    )

    assert "last_used_on" not in signal.evidence
    assert signal.evidence["days"] == 20


def test_an_unknown_account_has_no_signals() -> None:
    unknown = account(last_used_on=None, first_used_on=None, first_paid_on=None, pays=False)

    assert (
        detected(inputs(unknown, activity=activity(weeks=(0,) * 13), score=score_inputs(unknown)))
        == {}
    )


@pytest.mark.parametrize(("now", "is_open"), [(20, True), (21, False), (0, True)])
def test_half_the_usual_events_in_a_week_are_a_drop(now: int, *, is_open: bool) -> None:
    dropped = inputs(activity=activity(weeks=(now, *[40] * 12)))

    assert bool(signals_named("usage_drop_vs_self", dropped)) is is_open


def test_the_usual_number_is_a_median_that_ignores_one_odd_week() -> None:
    [signal] = signals_named(
        "usage_drop_vs_self", inputs(activity=activity(weeks=(10, 400, *[40] * 11)))
    )

    assert signal.evidence["usual"] == 40
    assert signal.evidence["fall_share"] == 0.75
    assert signal.evidence["weeks"] == 12


@pytest.mark.parametrize(
    ("reached", "usual"),
    [
        ((4, *[4] * 7, *[20] * 5), 20),  # the older quarter: 4, 4 and five times 20
        ((4, *[4] * 9, *[20] * 3), None),  # four times 4 and three times 20
        ((4, *[20] * 5, *[25] * 7), 20),  # the newer quarter is not low
        ((4, *[6] * 5, *[20, 20]), None),  # two spans of an older quarter are too few
    ],
)
def test_a_number_that_fell_months_ago_and_stayed_low_is_compared_with_the_quarter_before(
    reached: tuple[int, ...], usual: int | None
) -> None:
    """Two weeks each, newest first. A fall from 6 to 4 may be chance."""
    signals = signals_named("reach_falling", inputs(activity=activity(reached=reached)))

    assert [each.evidence["usual"] for each in signals] == ([usual] if usual else [])


def test_a_fall_that_lasts_started_with_its_first_two_weeks() -> None:
    fell = inputs(activity=activity(reached=(*[4] * 8, *[20] * 5)))

    [signal] = signals_named("reach_falling", fell)

    assert signal.since == days_ago(8 * 14 - 1)
    assert signal.severity is Severity.MEDIUM


def test_weekly_events_that_fell_four_months_ago_are_still_a_drop() -> None:
    """Of the 13 weeks of the older quarter, seven lie before the fall."""
    fell = inputs(activity=activity(weeks=(*[10] * 19, *[40] * 7)))

    [signal] = signals_named("usage_drop_vs_self", fell)

    assert (signal.evidence["usual"], signal.evidence["weeks"]) == (40, 13)
    assert signal.since == days_ago(19 * 7 - 1)


def test_a_drop_starts_with_the_first_week_of_its_run() -> None:
    [signal] = signals_named(
        "usage_drop_vs_self", inputs(activity=activity(weeks=(10, 12, 9, *[40] * 10)))
    )

    assert signal.since == days_ago(20)


@pytest.mark.parametrize("weeks", [(1, *[6] * 12), (0, *[4] * 12)])
def test_a_few_events_fewer_may_be_chance(weeks: tuple[int, ...]) -> None:
    assert not signals_named("usage_drop_vs_self", inputs(activity=activity(weeks=weeks)))


def test_weeks_before_the_first_day_are_not_compared() -> None:
    """An account of 20 days has two whole weeks, of which one is the last."""
    young = account(first_used_on=days_ago(19), first_paid_on=days_ago(19))
    weeks = (2, 30, 25, *[0] * 10)

    assert not signals_named("usage_drop_vs_self", inputs(young, activity=activity(weeks=weeks)))


@pytest.mark.parametrize(
    ("now", "severity"), [(17, Severity.LOW), (16, Severity.LOW), (15, Severity.MEDIUM), (18, None)]
)
def test_reach_falls_by_a_third_or_more(now: int, severity: Severity | None) -> None:
    falling = inputs(activity=activity(reached=(now, *[25] * 5)))

    assert [each.severity for each in signals_named("reach_falling", falling)] == (
        [severity] if severity else []
    )


def test_fewer_people_than_usual_are_a_fall_of_depth() -> None:
    [signal] = signals_named("depth_falling", inputs(activity=activity(users=(2, 9, 8, 8, 7, 8))))

    assert signal.evidence == {"now": 2, "usual": 8, "fall_share": 0.75, "days": 14}
    assert signal.since == days_ago(13)


def test_two_people_of_four_may_be_chance() -> None:
    assert not signals_named("depth_falling", inputs(activity=activity(users=(2, *[4] * 5))))


def test_a_number_that_is_usually_zero_does_not_fall_whatever_the_thresholds() -> None:
    lowest = SignalThresholds(fall_people=0, drop_events=0)
    unused = inputs(activity=activity(weeks=(0,) * 13, users=(0,) * 6))

    assert not signals_named("depth_falling", unused, lowest)
    assert not signals_named("usage_drop_vs_self", unused, lowest)


CHAMPION = Champion(
    "ada", active_days=40, first_day=days_ago(90), last_day=days_ago(12), event_share=0.4
)


def test_the_evidence_of_a_silent_champion_names_the_user_and_the_days() -> None:
    [signal] = signals_named("champion_inactive", inputs(activity=activity(champion=CHAMPION)))

    assert signal.severity is Severity.MEDIUM
    assert signal.since == days_ago(11)
    assert signal.evidence == {
        "user_id": "ada",
        "days": 12,
        "last_used_on": "2026-03-06",
        "event_share": 0.4,
        "usual_gap_days": 2,
    }


@pytest.mark.parametrize(
    "champion",
    [
        replace(CHAMPION, last_day=days_ago(9)),
        replace(CHAMPION, active_days=10),  # every ninth day: twelve days are usual
        replace(CHAMPION, active_days=1, first_day=days_ago(12)),
        replace(CHAMPION, event_share=0.1),  # no more active than many others
    ],
)
def test_no_signal_for_users_who_are_no_champion_or_not_silent_for_long(champion: Champion) -> None:
    assert not signals_named("champion_inactive", inputs(activity=activity(champion=champion)))


def test_a_user_with_the_role_of_champion_needs_no_share_of_events() -> None:
    named = replace(CHAMPION, event_share=0.01, is_named=True)

    assert signals_named("champion_inactive", inputs(activity=activity(champion=named)))


def test_breadth_stalls_when_no_feature_was_adopted() -> None:
    score = score_inputs(unused=[UnusedPaidFeature(key, 0.25, 125_00) for key in ("chat", "pay")])
    old = {
        "export": UsePeriod(days_ago(90), days_ago(0)),
        "share": UsePeriod(days_ago(61), days_ago(0)),
    }

    [signal] = signals_named("breadth_stalled", inputs(score=score, activity=activity(uses=old)))

    assert signal.evidence == {"days": 61, "adopted": 2, "entitled": 4}
    assert not signals_named("breadth_stalled", inputs(score=score))  # first shared 20 days ago
    assert not signals_named(
        "breadth_stalled", inputs(activity=activity(uses=old))
    )  # all is adopted
