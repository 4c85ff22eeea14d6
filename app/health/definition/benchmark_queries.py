"""Queries of stored score definitions and benchmarks, whose content never changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any, Self

import orjson
from sqlalchemy import ColumnElement, Row, Update, and_, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import get_row, insert_if_missing
from app.core.sql import load_sql
from app.health.definition.benchmark import MIN_ACCOUNTS
from app.health.definition.benchmark import Benchmark as FittedBenchmark
from app.health.definition.score_definition import Definition
from app.health.tables import Benchmark, ScoreDefinition

SQL = load_sql(__file__)
CHECK_AFTER, OLD_AFTER = timedelta(seconds=15), timedelta(hours=1)
MOST_USAGE_ROWS = 1_000_000
"""Further rows are not counted: with so much usage, new accounts alone lead to another fit."""


def insert_definition(
    session: Session, workspace_id: str, definition: Definition, *, now: datetime
) -> None:
    """Store a definition under its digest unless it is stored already."""
    row = {"digest": definition.digest, "config": definition.to_json(), "created_at": now}
    insert_if_missing(session, ScoreDefinition, workspace_id=workspace_id, **row)


def parse_benchmarks(stored: Mapping[str, Any]) -> dict[str, FittedBenchmark]:
    """Return the benchmarks of a row by segment."""
    return {segment: FittedBenchmark.from_json(config) for segment, config in stored.items()}


@dataclass(frozen=True, slots=True)
class StoredBenchmarks:
    """The benchmarks of one month by segment, and the id of their row.

    ``is_new``: ``upsert_benchmarks`` inserted the row; false if the row existed before.
    """

    id: str
    month: date
    benchmarks: dict[str, FittedBenchmark]
    is_new: bool = False

    @classmethod
    def from_row(cls, row: Benchmark) -> Self:
        return cls(row.id, row.month, parse_benchmarks(row.config))


@dataclass(frozen=True, slots=True)
class DataSize:
    """How much data benchmarks can be fitted to: possible peers, and rows of daily counts."""

    accounts: int
    rows: int

    def calls_for_refit(self, row: Benchmark, now: datetime) -> bool:
        """Whether there is so much more data than in a stored benchmark that it is fitted again.

        That is a quarter more; for a provisional one any more, if there are few accounts or it is
        an hour old.
        """
        known = (row.accounts_known or 0, row.usage_rows or 0)
        size = (self.accounts, self.rows)
        if any(
            4 * more >= 5 * less and more > less for more, less in zip(size, known, strict=True)
        ):
            return True
        is_early = self.accounts < 2 * MIN_ACCOUNTS or now - row.computed_at >= OLD_AFTER
        return row.provisional and is_early and size > known


def load_data_size(
    session: Session, workspace_id: str, *, most_rows: int = MOST_USAGE_ROWS
) -> DataSize:
    values = {"workspace_id": workspace_id, "most_rows": most_rows}
    return DataSize(*session.execute(SQL.usage_size, values).one())


def list_workspaces_to_check(session: Session, *, now: datetime) -> Sequence[str]:
    """List the workspaces with a benchmark of today that was not checked a short time ago."""
    checked_at = func.coalesce(Benchmark.checked_at, Benchmark.computed_at)
    rows = select(Benchmark.workspace_id).where(_is_of_today(now), checked_at <= now - CHECK_AFTER)
    return session.scalars(rows.distinct().order_by(Benchmark.workspace_id)).all()


def check_benchmarks(
    session: Session, workspace_id: str, *, ranking_digest: str, now: datetime
) -> Benchmark | None:
    """Return the current benchmarks if they are of today and much data has come since."""
    of_today = (Benchmark.workspace_id == workspace_id, _is_of_today(now))
    row = session.scalar(
        select(Benchmark)
        .where(*of_today, Benchmark.ranking_digest == ranking_digest)
        .execution_options(populate_existing=True)
    )
    session.execute(update(Benchmark).where(*of_today).values(checked_at=now))
    if row is None:
        return None
    is_full = (row.usage_rows or 0) >= MOST_USAGE_ROWS  # then only more accounts can lead to a fit
    size = load_data_size(session, workspace_id, most_rows=0 if is_full else MOST_USAGE_ROWS)
    return row if size.calls_for_refit(row, now) else None


def _is_of_today(now: datetime) -> ColumnElement[bool]:
    midnight = datetime.combine(now, time.min, now.tzinfo)
    month = now.date().replace(day=1)
    return and_(Benchmark.current, Benchmark.month == month, Benchmark.computed_at >= midnight)


def find_benchmarks(
    session: Session, workspace_id: str, *, month: date, ranking_digest: str, now: datetime
) -> StoredBenchmarks | None:
    """Return the current benchmarks of a month, or None. Provisional ones last one day at most."""
    key = {"workspace_id": workspace_id, "month": month, "ranking_digest": ranking_digest}
    row = session.scalar(select(Benchmark).filter_by(**key).where(Benchmark.current))
    if row is None or (row.provisional and row.computed_at.date() != now.date()):
        return None
    return StoredBenchmarks.from_row(row)


def upsert_benchmarks(
    session: Session,
    workspace_id: str,
    fitted: Mapping[str, FittedBenchmark],
    *,
    month: date,
    ranking_digest: str,
    provisional: bool,
    now: datetime,
) -> StoredBenchmarks:
    """Make benchmarks the current ones of their month and ranking digest.

    The previous ones stay stored for the scores that name them. The id is a hash of the content:
    equal benchmarks reuse the row.
    """
    config = {segment: benchmark.to_json() for segment, benchmark in fitted.items()}
    content = orjson.dumps((month, ranking_digest, config), option=orjson.OPT_SORT_KEYS)
    benchmark_id = f"{month:%Y-%m}-{blake2b(content, digest_size=6).hexdigest()}"
    key = {"month": month, "ranking_digest": ranking_digest}
    session.execute(_retire(workspace_id).filter_by(**key))
    size = load_data_size(session, workspace_id)
    renewed = {
        "current": True,
        "provisional": provisional,
        "computed_at": now,
        "accounts_known": size.accounts,
        "usage_rows": size.rows,
        "checked_at": now,
    }
    new = insert(Benchmark).values(
        workspace_id=workspace_id, id=benchmark_id, config=config, **key, **renewed
    )
    upsert = new.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=renewed)
    is_new = session.scalar(upsert.returning(literal_column("xmax = 0")))
    return StoredBenchmarks(benchmark_id, month, dict(fitted), is_new=bool(is_new))


def _retire(workspace_id: str) -> Update:
    rows = update(Benchmark).filter_by(workspace_id=workspace_id).where(Benchmark.current)
    return rows.values(current=False)


def retire_benchmarks_since(session: Session, workspace_id: str, *, since: date) -> None:
    """Retire the benchmarks of months that start after ``since``: late history changed their pool.

    The next refresh fits them again.
    """
    session.execute(_retire(workspace_id).where(Benchmark.month > since))


def find_definition(session: Session, workspace_id: str, digest: str) -> Definition | None:
    row = session.get(ScoreDefinition, (workspace_id, digest))
    return Definition.from_json(row.config) if row else None


def load_scoring_rows(
    session: Session, workspace_id: str, digests: Collection[str], benchmark_ids: Collection[str]
) -> Sequence[Row[str, str, Any]]:
    """Return kind, key and content: definitions, benchmarks, plan names, the active scorecard.

    The built-in scorecard is not stored.
    """
    values = {"digests": list(digests), "benchmark_ids": list(benchmark_ids)}
    return session.execute(SQL.scoring_rows, values | {"workspace_id": workspace_id}).all()


def get_benchmark(session: Session, workspace_id: str, benchmark_id: str) -> Benchmark:
    return get_row(session, Benchmark, (workspace_id, benchmark_id))


def list_benchmarks(session: Session, workspace_id: str, paging: Paging) -> RowPage[Benchmark]:
    """Return a page of benchmarks, newest month first, including retired ones."""
    rows = select(Benchmark).filter_by(workspace_id=workspace_id)
    if after := paging.position(date, str):
        month, benchmark_id = after
        same_month = (Benchmark.month == month) & (Benchmark.id > benchmark_id)
        rows = rows.where((Benchmark.month < month) | same_month)
    rows = rows.order_by(Benchmark.month.desc(), Benchmark.id).limit(paging.fetch_limit)
    return paging.cut(session.scalars(rows).all(), lambda row: (row.month, row.id))
