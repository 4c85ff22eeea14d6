"""When a source is silent, for sources with different rhythms."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events.sources.silence_detection import MIN_ALLOWED_GAP, MIN_HOURS, detect_rhythm

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY


def hours(days: Sequence[int], of_day: Sequence[int], *, weeks: int = 8) -> list[datetime]:
    """Return hours with events on the same days and hours of each week."""
    return [
        MONDAY + week * WEEK + day * DAY + hour * HOUR
        for week in range(weeks)
        for day in days
        for hour in of_day
    ]


ROUND_THE_CLOCK = hours(range(7), range(24))
OFFICE = hours(range(5), range(8, 18))
NIGHTLY = hours(range(7), [3])
WEEKLY_SHORT = hours([6], range(3))
WEEKLY_LONG = hours([6], range(24))


def test_a_source_that_sends_every_hour_is_silent_after_a_day() -> None:
    assert detect_rhythm(ROUND_THE_CLOCK).usual_gap == HOUR
    assert detect_rhythm(ROUND_THE_CLOCK).allowed == MIN_ALLOWED_GAP


def test_a_source_with_office_hours_may_pause_over_a_weekend_but_no_longer() -> None:
    allowed = detect_rhythm(OFFICE).allowed

    assert allowed is not None
    assert timedelta(hours=63) < allowed < 4 * DAY


def test_a_nightly_source_may_miss_two_nights() -> None:
    assert detect_rhythm(NIGHTLY).allowed == 3 * DAY


@pytest.mark.parametrize("load", [WEEKLY_SHORT, WEEKLY_LONG])
def test_a_weekly_load_is_not_silent_between_two_weeks(load: list[datetime]) -> None:
    allowed = detect_rhythm(load).allowed

    assert allowed is not None
    assert WEEK < allowed < 4 * WEEK


@pytest.mark.parametrize(
    "too_little",
    [[], [MONDAY], hours([0], range(24), weeks=1), hours([0, 2], [4], weeks=8)],
    ids=["nothing", "one hour", "a burst of one day", "few hours"],
)
def test_a_new_source_has_no_rhythm(too_little: list[datetime]) -> None:
    found = detect_rhythm(too_little)

    assert (found.usual_gap, found.allowed) == (None, None)
    assert found.silent_from(MONDAY) is None


def test_one_outage_does_not_make_the_next_one_usual() -> None:
    outage = [hour for hour in ROUND_THE_CLOCK if not MONDAY + WEEK < hour < MONDAY + 2 * WEEK]

    assert detect_rhythm(outage).allowed == MIN_ALLOWED_GAP


@given(st.sets(st.integers(0, 56 * 24), min_size=MIN_HOURS))
def test_a_usual_gap_never_counts_as_silence(numbers: set[int]) -> None:
    """At most two of all past pauses, the longest ones, would have counted as silence."""
    found = detect_rhythm(sorted(MONDAY + number * HOUR for number in numbers))
    gaps = [later - earlier for earlier, later in pairwise(sorted(numbers))]

    if found.allowed is not None:
        assert found.allowed >= MIN_ALLOWED_GAP
        assert sum(gap * HOUR > found.allowed for gap in gaps) <= 2
