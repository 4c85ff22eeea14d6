"""The clock, asked only at the edges. An offset moves it for demos and tests; it never stands."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

Clock = Callable[[], datetime]


def shifted_clock(offset_seconds: float) -> Clock:
    """Tell the time in UTC, so many seconds ahead (or, if negative, behind)."""
    offset = timedelta(seconds=offset_seconds)
    return lambda: datetime.now(UTC) + offset


async def now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock()


Now = Annotated[datetime, Depends(now)]
