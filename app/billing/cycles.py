"""The days on which an item of a subscription is invoiced."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.core.months import add_months

MONTHS: Mapping[str, int] = {"month": 1, "year": 12}
DAYS: Mapping[str, int] = {"day": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class BillingCycle:
    """Invoices every ``interval_count`` intervals, also on ``ends_on``, the end of the paid period.

    ``starts_on``: the first day of the paid period, if it is known. ``first_on``: the first day of
    the subscription.
    """

    interval: str
    interval_count: int
    first_on: date
    ends_on: date
    starts_on: date | None = None

    def invoiced_on(self, day: date) -> date:
        """Return the day of the invoice that pays for a day."""
        known = (self._nth(self._index(day)), self.first_on, self.starts_on)
        return max((each for each in known if each is not None and each <= day), default=day)

    def next_invoice_on(self, day: date) -> date:
        """Return the day of the first invoice on a day or after it."""
        day = max(day, self.first_on)
        return day if self.invoiced_on(day) == day else self._nth(self._index(day) + 1)

    @property
    def _anchor(self) -> date:
        """The start of a whole period keeps the day of the month, its end may be shortened."""
        start = self.starts_on
        return start if start and self._after(start, 1) == self.ends_on else self.ends_on

    def _nth(self, n: int) -> date:
        return self._after(self._anchor, n)

    def _after(self, day: date, periods: int) -> date:
        try:
            if self.interval in MONTHS:
                return add_months(day, periods * self._length)
            return day + timedelta(periods * self._length)
        except (OverflowError, ValueError):  # beyond the last year of the calendar
            return date.max if periods > 0 else date.min

    @property
    def _length(self) -> int:
        """The length of a period in months, or in days."""
        return {**MONTHS, **DAYS}[self.interval] * self.interval_count

    def _index(self, day: date) -> int:
        """Return how many periods after the anchor the period begins that holds a day."""
        anchor = self._anchor
        if self.interval in DAYS:
            return (day - anchor).days // self._length
        months = 12 * (day.year - anchor.year) + day.month - anchor.month
        n = months // self._length
        return n if self._nth(n) <= day else n - 1
