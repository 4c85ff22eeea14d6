"""A page of a list that is read in parts, each by an index of its own, with one statement."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

from sqlalchemy import CTE, ColumnElement, Subquery, func, select, true, union_all


def has_fewer(
    parts: Sequence[CTE],
    limit: int,
    where: Callable[[CTE], ColumnElement[bool]] = lambda _: true(),
) -> ColumnElement[bool]:
    """Whether parts have fewer rows than a page: else the next part need not be read."""
    counts = [
        select(func.count()).select_from(part).where(where(part)).scalar_subquery()
        for part in parts
    ]
    return reduce(add, counts) < limit


def all_rows(parts: Sequence[CTE]) -> Subquery:
    """Return the rows of all parts, in no order."""
    return union_all(*(select(part) for part in parts)).subquery("rows")
