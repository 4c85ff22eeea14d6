"""Wait without sleeping until another connection is blocked by a lock."""

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
            raise AssertionError("No connection waits for a lock of this session.")
