"""Endpoints of benchmarks."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app.core.db import ReadSessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Cursor, Page, Paging
from app.core.schemas import ResponseModel, problem_responses
from app.health.definition import benchmark_queries
from app.health.definition.benchmark import Normalizer
from app.health.tables import Benchmark
from app.workspaces.auth import Reader

SHOWN_PERCENTILES = (10, 25, 50, 75, 90)

router = APIRouter(
    prefix="/api/v1",
    tags=["scorecards", "benchmarks"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)


class BenchmarkSegmentOut(ResponseModel):
    """The benchmark of one segment. Quantiles are of values adjusted for price where possible."""

    segment: str | None = Field(description="Null: the whole workspace.", examples=["smb"])
    normalizer: Normalizer
    accounts: int = Field(description="Accounts in the pool.", examples=[120])
    priced_accounts: int = Field(description="Accounts in the pool with a price.", examples=[110])
    measures: dict[str, dict[str, Any]] = Field(
        description="Elasticity, medians and quantiles by source.",
        examples=[{"reach": {"elasticity": 0.9, "median": 240, "median_per_dollar": 51}}],
    )


class BenchmarkOut(ResponseModel):
    """What the accounts of each segment are compared with in a month. Its content never changes."""

    id: str = Field(examples=["2026-03-5d1f0b7c2a9e"])
    month: date = Field(examples=["2026-03-01"])
    current: bool = Field(
        description="Whether it is the newest one for its month and ranking settings."
    )
    provisional: bool = Field(
        description="Whether it has too little data and is fitted again: each day, and within a day"
        " when there is much more data."
    )
    computed_at: datetime = Field(examples=["2026-03-01T00:10:00Z"])
    segments: list[BenchmarkSegmentOut]

    @classmethod
    def from_benchmark(cls, row: Benchmark) -> Self:
        segments = [_segment(config) for _, config in sorted(row.config.items())]
        return cls.from_row(row, segments=segments)


def _segment(config: dict[str, Any]) -> dict[str, Any]:
    shown = ("elasticity", "median", "median_per_dollar")
    measures = {
        name: {key: fitted[key] for key in shown} | {"quantiles": _quantiles(fitted)}
        for name, fitted in config["measures"].items()
    }
    return config | {"segment": config["segment"] or None, "measures": measures}


def _quantiles(fitted: dict[str, Any]) -> dict[str, float | None]:
    """Return the value of the first knot at or above each shown percentile, else None."""
    knots = fitted["priced"] if fitted["priced"]["values"] else fitted["plain"]
    knot_values = list(zip(knots["percentiles"], knots["values"], strict=True))
    return {
        f"p{shown}": next((value for at, value in knot_values if at >= shown), None)
        for shown in SHOWN_PERCENTILES
    }


@router.get("/benchmarks", summary="List benchmarks")
def list_benchmarks(
    session: ReadSessionDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100, description="Maximum number of items.")] = 12,
    cursor: Cursor = None,
) -> Page[BenchmarkOut]:
    """List the benchmarks that accounts were compared with, retired ones too, newest first."""
    paging = Paging(limit, cursor)
    page = benchmark_queries.list_benchmarks(session, caller.workspace_id, paging)
    return page.to_page(BenchmarkOut.from_benchmark)


@router.get("/benchmarks/{benchmark_id}", summary="Get a benchmark")
def get_benchmark(
    benchmark_id: Annotated[
        str,
        Path(
            max_length=100,
            description="The `benchmark_id` of a score.",
            examples=["2026-03-5d1f0b7c2a9e"],
        ),
    ],
    session: ReadSessionDep,
    caller: Reader,
) -> BenchmarkOut:
    """Return a benchmark. A benchmark that is no longer current stays available."""
    row = benchmark_queries.get_benchmark(session, caller.workspace_id, benchmark_id)
    return BenchmarkOut.from_benchmark(row)
