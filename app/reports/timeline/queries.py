"""The query of a page of a timeline."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, TextClause
from sqlalchemy.orm import Session

from app.core.sql import load_sql
from app.reports.timeline.kinds import NOTES, EntryKind

SQL = load_sql(__file__)
SILENT_DAYS, USED_DAYS, USAGE_DAYS = 28, 7, 400
"""A person is silent after 28 days without use, if they used the product for a week or longer.

Only the usage of the last 400 days is read.
"""

LAST_KEY = "~"
"""Sorts after the key of every entry."""

Position = tuple[datetime, str]
"""The time and the key of the entry after which a page starts."""


def list_entries(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    kinds: Collection[EntryKind],
    after: Position,
    today: date,
    limit: int,
) -> Sequence[Row[Any]]:
    """Return the newest entries of some kinds after a position, all with one statement."""
    values: dict[str, Any] = {"workspace_id": workspace_id, "account_id": account_id}
    values |= {"kinds": sorted(kinds), "at": after[0], "key": after[1], "limit": limit}
    values |= {"silent_days": SILENT_DAYS, "used_days": USED_DAYS, "usage_days": USAGE_DAYS}
    return session.execute(_page(frozenset(kinds)), {**values, "today": today}).all()


@cache
def _page(kinds: frozenset[EntryKind]) -> TextClause:
    """Return the statement that reads the parts of some kinds, and no other table."""
    names = sorted({"note" if kind in NOTES else kind.value for kind in kinds})
    parts = (SQL.fill("part", entries=SQL.fill(name)) for name in names)
    return SQL.compose("page", parts=" UNION ALL ".join(parts))
