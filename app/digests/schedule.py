"""When the next digest is due, by the clock of its owner. Pure."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def next_time(after: datetime, *, at: str, zone: str, weekday: int | None) -> datetime:
    """Return the first time after an instant at which the clock of the zone shows ``at``.

    ``weekday``: only on this day of the week, 1 (Monday) to 7; None: on every day. An hour that the
    clock skips counts as the hour after it; one that it shows twice counts once.
    """
    local, clock = ZoneInfo(zone), time.fromisoformat(at)
    day = after.astimezone(local).date()
    while True:
        due = datetime.combine(day, clock, local).astimezone(UTC)
        if due > after and weekday in {None, day.isoweekday()}:
            return due
        day += timedelta(days=1)


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())
