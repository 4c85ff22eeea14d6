"""What scores mean and are held against: definitions and benchmarks, kept for good."""

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
    session: Session, workspace_id: str, used: Definition, *, now: datetime
) -> None:
    """Store what scores mean, once."""
    values = {
        "workspace_id": workspace_id,
        "digest": used.digest,
        "config": used.to_json(),
        "created_at": now,
    }
    session.execute(insert(ScoreDefinition).values(values).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class StoredBenchmarks:
    """The benchmarks of one month by segment, and the id under which they are kept.

    ``is_new``: nothing like them was kept before.
    """

    id: str
    month: date
    benchmarks: dict[str, FittedBenchmark]
    is_new: bool = False

    @classmethod
    def of(cls, row: Benchmark) -> Self:
        fitted = {segment: FittedBenchmark.from_json(one) for segment, one in row.config.items()}
        return cls(row.id, row.month, fitted)


def find_benchmarks(
    session: Session, workspace_id: str, *, month: date, meaning: str, now: datetime
) -> StoredBenchmarks | None:
    """Return those that hold: a provisional set holds on the day that it was built."""
    row = session.scalar(
        select(Benchmark).where(
            Benchmark.workspace_id == workspace_id,
            Benchmark.month == month,
            Benchmark.meaning == meaning,
            Benchmark.current,
        )
    )
    if row is None or (row.provisional and row.computed_at.date() != now.date()):
        return None
    return StoredBenchmarks.of(row)


def upsert_benchmarks(
    session: Session,
    workspace_id: str,
    fitted: Mapping[str, FittedBenchmark],
    *,
    month: date,
    meaning: str,
    provisional: bool,
    now: datetime,
) -> StoredBenchmarks:
    """Let a set hold for a month; the one before it is kept for the scores that it explains."""
    config = {segment: benchmark.to_json() for segment, benchmark in fitted.items()}
    content = orjson.dumps((month, meaning, config), option=orjson.OPT_SORT_KEYS)
    benchmark_id = f"{month:%Y-%m}-{blake2b(content, digest_size=6).hexdigest()}"
    retire_benchmarks(session, workspace_id, Benchmark.month == month, Benchmark.meaning == meaning)
    new = insert(Benchmark).values(
        workspace_id=workspace_id,
        id=benchmark_id,
        month=month,
        meaning=meaning,
        config=config,
        provisional=provisional,
        current=True,
        computed_at=now,
    )
    again = {"current": True, "provisional": provisional, "computed_at": now}
    kept = new.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=again)
    is_new = session.scalar(kept.returning(literal_column("xmax = 0")))
    return StoredBenchmarks(benchmark_id, month, dict(fitted), is_new=bool(is_new))


def retire_benchmarks(session: Session, workspace_id: str, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(Benchmark)
        .where(Benchmark.workspace_id == workspace_id, Benchmark.current, *which)
        .values(current=False)
    )


def retire_benchmarks_since(session: Session, workspace_id: str, *, since: date) -> None:
    """Let none hold that history arriving afterwards would change; they are built again."""
    retire_benchmarks(session, workspace_id, Benchmark.month > since)


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
    """Newest month first; of a month those that hold no more too."""
    rows = select(Benchmark).where(Benchmark.workspace_id == workspace_id)
    if after := paging.after(date, str):
        month, benchmark_id = after
        same = (Benchmark.month == month) & (Benchmark.id > benchmark_id)
        rows = rows.where((Benchmark.month < month) | same)
    rows = rows.order_by(Benchmark.month.desc(), Benchmark.id).limit(paging.fetch_limit)
    return RowPage(*paging.cut(session.scalars(rows).all(), lambda row: (row.month, row.id)))
