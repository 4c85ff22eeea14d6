"""The states of a job."""

from enum import StrEnum


class JobState(StrEnum):
    """``queued``: waits. ``running``: claimed by a process. The others are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
