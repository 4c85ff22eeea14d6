"""The workspace and period of a report, its query parameters, and its KPIs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Query
from pydantic import Field

from app.core.clock import Now
from app.core.errors import FieldError, UnprocessableError
from app.core.http.days import OtherDaysDep
from app.core.schemas import Day, ResponseModel
from app.workspaces.auth import Reader

DEFAULT_DAYS = 365


class InvalidPeriodError(UnprocessableError):
    code = "invalid_days"

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__("The report period is invalid.", errors=[FieldError(pointer, message)])


CHANGED_BY = Field(
    description="What became known after `known_on` and may have changed these figures: `merges`"
    " of accounts whose use is added up now; `account_exclusions` and `user_exclusions`: how many"
    " were excluded or included again, for all days; `account_changes`: accounts whose segment or"
    " start changed on the day on which they were created. Empty: the figures are those of"
    " `known_on`.",
    examples=[{"merges": 1}],
)


class Kpi(ResponseModel):
    """A key performance indicator, with everything that it was computed from."""

    csv_rows: ClassVar[tuple[str, ...]] = ()

    name: str = Field(examples=["gross_revenue_retention"])
    value: float | None = Field(
        description="Null: there is too little data to compute it.", examples=[0.94]
    )
    unit: str = Field(
        description="`share`, `points`, `days`, `cents`, `ratio`, or `amount`: the unit of the"
        " property that was added up.",
        examples=["share"],
    )
    formula: str = Field(examples=["retained MRR / opening MRR"])
    numerator: float | None = Field(examples=[940000])
    denominator: float | None = Field(examples=[1000000])
    n: int = Field(description="How many accounts or answers were counted.", examples=[120])
    exclusions: dict[str, int] = Field(
        description="How many accounts or answers were left out, by reason.",
        examples=[{"excluded": 2, "no_rate": 1}],
    )
    changed_by: dict[str, int] = CHANGED_BY
    currency: str | None = Field(description="The currency of an amount.", examples=["USD"])
    since: date | None = Field(description="Null: everything up to `until` counts.")
    until: date
    known_on: date = Field(description="Facts that became known later do not count.")


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What a report covers.

    ``since`` and ``until`` are inclusive. Only facts that were known on ``known_on`` count.
    Amounts are in ``currency``.
    """

    workspace_id: str
    currency: str
    since: date
    until: date
    known_on: date

    @property
    def known_before(self) -> datetime:
        """The end of the day ``known_on``."""
        return datetime.combine(self.known_on + timedelta(days=1), time.min, UTC)

    def kpi(self, name: str, formula: str, **fields: Any) -> Kpi:  # noqa: ANN401 - numbers
        """Build a KPI. Its value is numerator / denominator unless ``value`` is given.

        The value is None without a numerator, or if the denominator is None or 0.
        """
        above, below = fields.get("numerator"), fields.get("denominator")
        fields = {"unit": "share", "exclusions": {}, "changed_by": {}, "currency": None, **fields}
        fields.setdefault("value", above / below if above is not None and below else None)
        period = {"since": self.since, "until": self.until, "known_on": self.known_on}
        return Kpi(name=name, formula=formula, **(period | fields))


def sum_exclusions(exclusions: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up how many accounts the parts of a report leave out, by reason."""
    total: Counter[str] = Counter()
    for part in exclusions:
        total.update(part)
    return dict(total)


def days_before(day: date, days: int) -> date:
    """Subtract days, but go no further back than the first date of the calendar."""
    return date.fromordinal(max(day.toordinal() - days, date.min.toordinal()))


Since = Annotated[
    Day | None,
    Query(
        description="The first day; 365 days before `until` by default.", examples=["2026-01-01"]
    ),
]
Until = Annotated[
    Day | None, Query(description="The last day; today by default.", examples=["2026-03-17"])
]


def parse_report_query(
    *,
    caller: Reader,
    now: Now,
    other: OtherDaysDep,
    until: Until = None,
    since: Since = None,
) -> ReportQuery:
    """Parse the period of a report.

    A report as of a past day uses only what was known on that day, so it never changes.
    """
    today = now.date()
    since, until = other.fill(since, until)
    last = until or today
    first = since or days_before(last, DEFAULT_DAYS)
    if not first <= last <= today:
        start, end = other.names
        raise InvalidPeriodError(
            f"/query/{start}",
            f"`{start}` must not be after `{end}`, and `{end}` must not be after today.",
        )
    return ReportQuery(caller.workspace_id, caller.base_currency, first, last, last)


ReportQueryDep = Annotated[ReportQuery, Depends(parse_report_query)]
