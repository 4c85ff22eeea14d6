"""Where a job stands."""

from enum import StrEnum


class JobState(StrEnum):
    """``queued`` waits for its turn, ``running`` is held by a process; the others are the end."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
