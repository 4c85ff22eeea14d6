"""When the next digest is due."""

from datetime import UTC, datetime

import pytest

from app.digests.schedule import next_time

WEDNESDAY = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "at", "zone", "weekday", "expected"),
    [
        (WEDNESDAY, "12:01", "UTC", None, "2026-03-18T12:01"),
        (WEDNESDAY, "12:00", "UTC", None, "2026-03-19T12:00"),
        (WEDNESDAY, "08:00", "Europe/Berlin", None, "2026-03-19T07:00"),
        (WEDNESDAY, "08:00", "Asia/Shanghai", None, "2026-03-19T00:00"),
        (WEDNESDAY, "23:30", "America/New_York", None, "2026-03-19T03:30"),
        (WEDNESDAY, "08:00", "UTC", 3, "2026-03-25T08:00"),
        (WEDNESDAY, "13:00", "UTC", 3, "2026-03-18T13:00"),
        (WEDNESDAY, "08:00", "UTC", 1, "2026-03-23T08:00"),
    ],
)
def test_the_next_time_is_by_the_clock_of_the_zone(
    after: datetime, at: str, zone: str, weekday: int | None, expected: str
) -> None:
    due = next_time(after, at=at, zone=zone, weekday=weekday)

    assert due.isoformat() == f"{expected}:00+00:00"


def test_the_hour_stays_when_the_clock_changes() -> None:
    """Berlin is at UTC+1 until 29 March 2026, then at UTC+2; 02:30 of that day does not exist."""
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)

    def due(at: str) -> datetime:
        return next_time(before, at=at, zone="Europe/Berlin", weekday=None)

    assert due("08:00") == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)
    assert due("02:30") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "03:30 by the clock"


def test_an_hour_that_comes_twice_counts_once() -> None:
    """On 25 October 2026 Berlin has 02:30 at 00:30 and at 01:30 UTC."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert next_time(first, at="02:30", zone="Europe/Berlin", weekday=None) == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC
    )
