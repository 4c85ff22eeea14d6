"""Queries of stored score definitions and benchmarks, whose content never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Self

import orjson
from sqlalchemy import ColumnElement, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.health.definition.benchmark import Benchmark as FittedBenchmark
from app.health.definition.score_definition import Definition
from app.health.tables import Benchmark, ScoreDefinition


def insert_definition(
    session: Session, workspace_id: str, definition: Definition, *, now: datetime
) -> None:
    """Store a definition under its digest unless it is stored already."""
    values = {
        "workspace_id": workspace_id,
        "digest": definition.digest,
        "config": definition.to_json(),
        "created_at": now,
    }
    session.execute(insert(ScoreDefinition).values(values).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class StoredBenchmarks:
    """The benchmarks of one month by segment, and the id of their row.

    ``is_new``: the row was inserted by this call.
    """

    id: str
    month: date
    benchmarks: dict[str, FittedBenchmark]
    is_new: bool = False

    @classmethod
    def from_row(cls, row: Benchmark) -> Self:
        fitted = {key: FittedBenchmark.from_json(config) for key, config in row.config.items()}
        return cls(row.id, row.month, fitted)


def find_benchmarks(
    session: Session, workspace_id: str, *, month: date, ranking_digest: str, now: datetime
) -> StoredBenchmarks | None:
    """Return the current benchmarks of a month, or None. Provisional ones expire with their day."""
    row = session.scalar(
        select(Benchmark).where(
            Benchmark.workspace_id == workspace_id,
            Benchmark.month == month,
            Benchmark.ranking_digest == ranking_digest,
            Benchmark.current,
        )
    )
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
    _retire(session, workspace_id, Benchmark.month == month, Benchmark.ranking_digest == ranking_digest)
    new = insert(Benchmark).values(
        workspace_id=workspace_id,
        id=benchmark_id,
        month=month,
        ranking_digest=ranking_digest,
        config=config,
        provisional=provisional,
        current=True,
        computed_at=now,
    )
    renewed = {"current": True, "provisional": provisional, "computed_at": now}
    upsert = new.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=renewed)
    is_new = session.scalar(upsert.returning(literal_column("xmax = 0")))
    return StoredBenchmarks(benchmark_id, month, dict(fitted), is_new=bool(is_new))


def _retire(session: Session, workspace_id: str, *conditions: ColumnElement[bool]) -> None:
    session.execute(
        update(Benchmark)
        .where(Benchmark.workspace_id == workspace_id, Benchmark.current, *conditions)
        .values(current=False)
    )


def retire_benchmarks_since(session: Session, workspace_id: str, *, since: date) -> None:
    """Retire the benchmarks of months that start after a day: late history changed their pool.

    The next refresh fits them again.
    """
    _retire(session, workspace_id, Benchmark.month > since)


def find_definition(session: Session, workspace_id: str, digest: str) -> Definition | None:
    row = session.get(ScoreDefinition, (workspace_id, digest))
    return Definition.from_json(row.config) if row else None


def find_benchmark(
    session: Session, workspace_id: str, benchmark_id: str | None
) -> Benchmark | None:
    return session.get(Benchmark, (workspace_id, benchmark_id)) if benchmark_id else None


def get_benchmark(session: Session, workspace_id: str, benchmark_id: str) -> Benchmark:
    row = find_benchmark(session, workspace_id, benchmark_id)
    if row is None:
        raise NotFoundError("benchmark", benchmark_id)
    return row


def list_benchmarks(session: Session, workspace_id: str, paging: Paging) -> RowPage[Benchmark]:
    """Return a page of benchmarks, newest month first, including retired ones."""
    rows = select(Benchmark).where(Benchmark.workspace_id == workspace_id)
    if after := paging.position(date, str):
        month, benchmark_id = after
        same_month = (Benchmark.month == month) & (Benchmark.id > benchmark_id)
        rows = rows.where((Benchmark.month < month) | same_month)
    rows = rows.order_by(Benchmark.month.desc(), Benchmark.id).limit(paging.fetch_limit)
    return RowPage(*paging.cut(session.scalars(rows).all(), lambda row: (row.month, row.id)))
