"""A process that was started by another of the service ends when that one is gone."""

import os

VARIABLE = "HEALTH_PARENT_PID"


def environment() -> dict[str, str]:
    """Make the environment of a process that is to end with this one."""
    return {**os.environ, VARIABLE: str(os.getpid())}


def is_gone() -> bool:
    """Whether a parent was named that is not our parent (any more)."""
    parent = os.environ.get(VARIABLE)
    return parent is not None and os.getppid() != int(parent)
