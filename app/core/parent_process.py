"""A process that was started by another of the service ends when that one is gone."""

import os

PARENT_PID_VARIABLE = "HEALTH_PARENT_PID"


def child_environment() -> dict[str, str]:
    """Make the environment of a process that is to end with this one."""
    return {**os.environ, PARENT_PID_VARIABLE: str(os.getpid())}


def is_gone() -> bool:
    """Whether a parent was named that is not our parent (any more)."""
    parent = os.environ.get(PARENT_PID_VARIABLE)
    return parent is not None and os.getppid() != int(parent)
