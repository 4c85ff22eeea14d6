"""The hierarchy of accounts: its depth, and how the scores of a parent and its children combine."""

from enum import StrEnum

MOST_LEVELS = 10


class Rollup(StrEnum):
    """How the scores of an account and all accounts below it become one score.

    The mean weighted by MRR, the lowest, the plain mean, or the account's own score alone.
    """

    REVENUE_WEIGHTED = "revenue_weighted"
    WORST_CHILD = "worst_child"
    MEAN = "mean"
    OWN = "own"
