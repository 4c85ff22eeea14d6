"""Monthly partitions: create them ahead of time, drop them when they are past retention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

MONTHS_AHEAD = 2


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
    session.execute(text("SET LOCAL lock_timeout = '3s'"))
    for partitioned in PARTITIONED_TABLES:
        existing = _existing(session, partitioned.table)
        for start, end in months(first, last):
            name = f"{partitioned.table}_p{start:%Y%m}"
            if name not in existing and not _in_default(session, partitioned, start, end):
                session.execute(
                    text(
                        f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {partitioned.table}"
                        f" FOR VALUES FROM ('{start}') TO ('{end}')"
                    )
                )
                _desummarize(session, name)


def _desummarize(session: Session, name: str) -> None:
    """Remove the summary that a BRIN index makes of an empty table.

    A row inserted into a summarised range changes the summary, which costs ten times the insert.
    """
    session.execute(
        text(
            "SELECT brin_desummarize_range(i.indexrelid, 0)"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_am a ON a.oid = c.relam"
            " WHERE a.amname = 'brin' AND i.indrelid = to_regclass(:name)"
        ),
        {"name": name},
    )


def drop_old(session: Session, table: str, *, before: datetime) -> list[str]:
    """Drop the months that end before an instant and whose newest row is older than it."""
    session.execute(text("SET LOCAL lock_timeout = '3s'"))
    [partitioned] = [each for each in PARTITIONED_TABLES if each.table == table]
    dropped = []
    for name in sorted(_existing(session, table)):
        month = name.removeprefix(f"{table}_p")
        if not month.isdigit() or f"{before:%Y%m}" <= month:
            continue
        query = f"SELECT max({partitioned.age_column})::timestamptz FROM {name}"  # noqa: S608
        newest = session.scalar(text(query))
        if newest is None or newest < before:
            session.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    return dropped


def _existing(session: Session, table: str) -> set[str]:
    names = session.scalars(
        text(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name)"
        ),
        {"name": table},
    )
    return set(names)


def _in_default(session: Session, partitioned: PartitionedTable, start: date, end: date) -> bool:
    query = (
        f"SELECT EXISTS (SELECT FROM {partitioned.table}_default"  # noqa: S608 - our own names
        f" WHERE {partitioned.column} >= :start AND {partitioned.column} < :end)"
    )
    return bool(session.scalar(text(query), {"start": start, "end": end}))
