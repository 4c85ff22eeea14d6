"""How urgent it is to score an account again."""

from enum import IntEnum


class Priority(IntEnum):
    """The smaller comes first."""

    LIVE = 0
    SILENT = 1
    SWEEP = 2
