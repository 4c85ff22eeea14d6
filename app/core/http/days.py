"""Other names of the query parameters ``since`` and ``until``."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from app.core.schemas import Day


@dataclass(frozen=True, slots=True)
class OtherDays:
    """The days of ``from`` and ``to``. They count where ``since`` and ``until`` are not given."""

    since: date | None
    until: date | None

    def fill(self, since: date | None, until: date | None) -> tuple[date | None, date | None]:
        return since or self.since, until or self.until

    @property
    def names(self) -> tuple[str, str]:
        """The names of the parameters for errors: those that the request uses."""
        is_other = self.since is not None or self.until is not None
        return ("from", "to") if is_other else ("since", "until")


async def _other_days(
    first: Annotated[
        Day | None, Query(alias="from", deprecated=True, description="Another name of `since`.")
    ] = None,
    last: Annotated[
        Day | None, Query(alias="to", deprecated=True, description="Another name of `until`.")
    ] = None,
) -> OtherDays:
    return OtherDays(first, last)


OtherDaysDep = Annotated[OtherDays, Depends(_other_days)]
