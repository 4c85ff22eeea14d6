"""Let a child process of the service end when its parent process is gone."""

import os

PARENT_PID_VARIABLE = "HEALTH_PARENT_PID"


def child_environment() -> dict[str, str]:
    """Return the environment for a child process that must end with this process."""
    return {**os.environ, PARENT_PID_VARIABLE: str(os.getpid())}


def is_child() -> bool:
    """Whether this process was started by another process of the service."""
    return os.environ.get(PARENT_PID_VARIABLE, str(os.getpid())) != str(os.getpid())


def is_gone() -> bool:
    """Whether this process was started as a child and its parent has ended."""
    parent = os.environ.get(PARENT_PID_VARIABLE)
    return parent is not None and os.getppid() != int(parent)
