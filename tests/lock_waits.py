"""Waiting for another connection without sleeping: until the database says so."""

import time

from sqlalchemy import text
from sqlalchemy.orm import Session

PATIENCE_SECONDS = 60

COUNT_BLOCKED = text("""
SELECT count(*) FROM pg_locks
WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
""")


def wait_until_blocked(holder: Session) -> None:
    """Return when another connection waits for a lock that this session holds."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not holder.scalar(COUNT_BLOCKED):
        if time.monotonic() > give_up_at:
            raise AssertionError("Nobody waits for this session.")
