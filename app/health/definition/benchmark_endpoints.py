"""Endpoints of benchmarks."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.core.db import ReadSessionDep
from app.core.pagination import Cursor, Page, Paging
from app.core.schemas import problem_responses
from app.health.definition import benchmark_queries
from app.health.definition.benchmark_schemas import BenchmarkOut
from app.workspaces.auth import Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["scorecards", "benchmarks"],
    responses=problem_responses(400, 401, 403, 404, 422),
)


@router.get("/benchmarks", summary="List benchmarks")
def list_benchmarks(
    session: ReadSessionDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100, description="Maximum number of items.")] = 12,
    cursor: Cursor = None,
) -> Page[BenchmarkOut]:
    """List what accounts were compared with, newest month first, including retired benchmarks."""
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
