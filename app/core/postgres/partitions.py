"""Monthly partitions: create them ahead of time, drop them when they are past retention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.core.sql import load_sql

SQL = load_sql(__file__)
MONTHS_AHEAD = 2
DELETED_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    """A table partitioned by month on ``column``; retention compares ``age_column``."""

    table: str
    column: str
    age_column: str


PARTITIONED_TABLES = (
    PartitionedTable("event", "client_at", "received_at"),
    PartitionedTable("daily_usage", "day", "known_on"),
    PartitionedTable("daily_reach", "day", "known_on"),
)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the months of a range of days as (start, start of the next month)."""
    start = first.replace(day=1)
    while start <= last:
        following = (start + timedelta(days=32)).replace(day=1)
        yield start, following
        start = following


def create_upcoming(session: Session, *, today: date) -> None:
    """Create the partitions of last month, this month and the next ``MONTHS_AHEAD`` months."""
    create(session, today - timedelta(days=31), today + timedelta(days=31 * MONTHS_AHEAD))


def create(session: Session, first: date, last: date) -> None:
    """Create the partitions of a range of days; skip months with rows in the default partition."""
    session.execute(SQL.set_lock_timeout)
    for partitioned in PARTITIONED_TABLES:
        table = partitioned.table
        existing = _list_partitions(session, table)
        in_default = SQL.compose("has_default_rows", table=table, column=partitioned.column)
        for start, end in months(first, last):
            name = f"{table}_p{start:%Y%m}"
            if name in existing or session.scalar(in_default, {"start": start, "end": end}):
                continue
            parts = {"partition": name, "table": table, "start": f"{start}", "end": f"{end}"}
            session.execute(SQL.compose("create_partition", **parts))
            session.execute(SQL.desummarize, {"name": name})


def drop_old(session: Session, table: str, *, before: datetime) -> list[str]:
    """Drop the months that end before an instant and whose newest row is older than it.

    Rows past their retention that lie elsewhere are deleted, ``DELETED_ROWS`` of a partition at a
    time: those of old months with newer rows, and those of the default partition.
    """
    session.execute(SQL.set_lock_timeout)
    [age_column] = [each.age_column for each in PARTITIONED_TABLES if each.table == table]
    dropped = []
    for name in sorted(_list_partitions(session, table)):
        month = name.removeprefix(f"{table}_p")
        if month.isdigit() and f"{before:%Y%m}" <= month:
            continue
        parts = {"age_column": age_column, "partition": name}
        newest = session.scalar(SQL.compose("find_newest", **parts))
        if month.isdigit() and (newest is None or newest < before):
            session.execute(SQL.compose("drop_partition", partition=name))
            dropped.append(name)
        elif newest is not None:
            values = {"before": before, "limit": DELETED_ROWS}
            session.execute(SQL.compose("delete_old_rows", **parts), values)
    return dropped


def _list_partitions(session: Session, table: str) -> set[str]:
    return set(session.scalars(SQL.list_partitions, {"name": table}))
