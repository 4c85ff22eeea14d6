"""Parents and children among accounts: how deep they go, and how their scores become one."""

from enum import StrEnum

MOST_LEVELS = 10


class Rollup(StrEnum):
    """How the scores of a family become one: by MRR, the worst, the mean, or only its own."""

    REVENUE_WEIGHTED = "revenue_weighted"
    WORST_CHILD = "worst_child"
    MEAN = "mean"
    OWN = "own"
