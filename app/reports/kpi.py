"""A key figure, and all that it is made of."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.reports.schemas import Kpi


def days_before(day: date, days: int) -> date:
    """Go back, no further than the calendar does."""
    return date.fromordinal(max(day.toordinal() - days, date.min.toordinal()))


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Whose figures, over which days, and as they were known on which."""

    workspace_id: str
    currency: str
    since: date
    until: date
    known_on: date

    def kpi(self, name: str, formula: str, **figures: Any) -> Kpi:  # noqa: ANN401 - numbers
        """Divide, where there is something to divide by, unless a value is given."""
        above, below = figures.get("numerator"), figures.get("denominator")
        said = {"unit": "share", "exclusions": {}, "currency": None, **figures}
        said.setdefault("value", above / below if above is not None and below else None)
        return Kpi(
            name=name,
            formula=formula,
            since=self.since,
            until=self.until,
            known_on=self.known_on,
            **said,
        )
