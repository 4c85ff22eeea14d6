"""The clock. Only endpoints and processes read it; all other code takes the time as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import text

from app.core.db import SessionFactory

DATABASE_TIME = text("SELECT clock_timestamp()")

Clock = Callable[[], datetime]


def shifted_clock(offset_seconds: float) -> Clock:
    """Return a UTC clock that is ``offset_seconds`` ahead (behind if negative), for demos."""
    offset = timedelta(seconds=offset_seconds)
    return lambda: datetime.now(UTC) + offset


class DatabaseClock:
    """The clock of the database, which all processes share.

    It is read now and then; in between the monotonic clock of the process carries it on, so that a
    changed clock of this machine has no effect. Until it is read it is the clock of the machine.
    ``offset_seconds``: how far it is ahead, for demos.
    """

    def __init__(self, offset_seconds: float = 0) -> None:
        self._offset = timedelta(seconds=offset_seconds)
        self.set(datetime.now(UTC))

    def __call__(self) -> datetime:
        time, at = self._reading
        return time + timedelta(seconds=monotonic() - at)

    def set(self, time: datetime) -> None:
        self._reading = (time + self._offset, monotonic())

    def read(self, sessions: SessionFactory) -> None:
        """Read the clock of the database; raise DBAPIError if that is away."""
        with sessions() as session:
            self.set(session.execute(DATABASE_TIME).scalar_one())


async def now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock()


Now = Annotated[datetime, Depends(now)]
