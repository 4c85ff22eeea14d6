"""Notice that a transaction has ended: until then, work that was not found is not looked for."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.core.db import SessionFactory

SNAPSHOT = "SELECT CAST(pg_current_snapshot() AS text)"
READ_SECONDS = 0.08
"""How long threads share what was read: a little less than they wait between two looks."""

QUIET_SECONDS = 5.0
"""Work may also be due because time has passed: it is looked for this often in any case."""


class CommitWatch:
    """The snapshot of the database: while it is the same, every query finds the same rows.

    It changes with each transaction of the server that wrote something, also of other databases.
    What depends on the time or on locks without rows can change without it.
    """

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._snapshot = ""
        self._next_at = 0.0

    def snapshot(self) -> str:
        """Return the snapshot, which may have been read a moment ago; raise DBAPIError."""
        with self._lock:
            if time.monotonic() >= self._next_at:
                self._snapshot = self._read()
                self._next_at = time.monotonic() + READ_SECONDS
            return self._snapshot

    def forget(self) -> None:
        """Let the next call read: this process has probably written something."""
        self._next_at = 0.0

    def _read(self) -> str:
        engine = self._sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            return str(connection.exec_driver_sql(SNAPSHOT).scalar_one())


@dataclass
class Chore:
    """Work that is repeated at once if there was something to do.

    Else it is repeated after a pause, once a transaction has ended or the quiet was long.
    """

    work: Callable[[], bool]
    pause_seconds: float
    next_at: float = 0
    seen: str | None = None

    def step(self, snapshot: str) -> bool:
        """Do the work if it is due; ``snapshot`` must have been read before."""
        now = time.monotonic()
        if now < self.next_at or (snapshot == self.seen and now < self.next_at + QUIET_SECONDS):
            return False
        worked = self.work()
        self.seen = None if worked else snapshot
        self.next_at = time.monotonic() + (0 if worked else self.pause_seconds)
        return worked
