"""The clock. Only endpoints and processes read it; all other code takes the time as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

Clock = Callable[[], datetime]


def shifted_clock(offset_seconds: float) -> Clock:
    """Return a UTC clock that is ``offset_seconds`` ahead (behind if negative), for demos."""
    offset = timedelta(seconds=offset_seconds)
    return lambda: datetime.now(UTC) + offset


async def now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock()


Now = Annotated[datetime, Depends(now)]
