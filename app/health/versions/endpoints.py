"""Scorecards, benchmarks and overrides over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Cursor, Page, Paging, PagingDep, RowPage
from app.core.schemas import problem_responses
from app.health.definition import benchmark_queries, scorecard_queries
from app.health.definition.scorecard import Scorecard
from app.health.versions import service, simulation_service
from app.health.versions.schemas import BenchmarkOut, ScorecardOut, SimulationOut
from app.workspaces.auth import AdminActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["scorecards"], responses=problem_responses(400, 401, 403, 404, 422)
)

ScorecardVersion = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/scorecards", status_code=201)
def draft_scorecard(body: Scorecard, session: SessionDep, change: AdminActor) -> ScorecardOut:
    """Store a new version as a draft. It scores nobody until it is activated, and never changes."""
    return ScorecardOut.model_validate(service.draft(session, change, body))


@router.get("/scorecards")
def list_scorecards(
    session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ScorecardOut]:
    """List versions, newest first. Version 1 is built in."""
    found = scorecard_queries.list_scorecards(session, caller.workspace_id, paging)
    if not found.rows and paging.cursor is None:
        first = service.find_built_in(session, caller.workspace_id)
        found = RowPage([first] if first else [], None)
    return found.to_page(ScorecardOut.model_validate)


@router.get("/scorecards/{version}")
def get_scorecard(
    version: ScorecardVersion, session: ReadSessionDep, caller: Reader
) -> ScorecardOut:
    """Show a version."""
    row = service.find_built_in(session, caller.workspace_id) if version == 1 else None
    row = row or scorecard_queries.get_scorecard(session, caller.workspace_id, version)
    return ScorecardOut.model_validate(row)


@router.delete("/scorecards/{version}", status_code=204, responses=problem_responses(409))
def discard_scorecard(version: ScorecardVersion, session: SessionDep, change: AdminActor) -> None:
    """Throw a draft away."""
    service.discard(session, change, version)


@router.post("/scorecards/{version}/simulate")
def simulate_scorecard(
    version: ScorecardVersion, session: SessionDep, caller: Reader, now: Now
) -> SimulationOut:
    """Say what would change if this version held today: bands, movers, rank correlation."""
    found = simulation_service.simulate(session, caller.workspace_id, version, now=now)
    return SimulationOut.model_validate(found)


@router.post("/scorecards/{version}/activate")
def activate_scorecard(
    version: ScorecardVersion, session: SessionDep, change: AdminActor
) -> ScorecardOut:
    """Let a version hold from now on. Every account is scored again; the past stays as it was."""
    return ScorecardOut.model_validate(service.activate(session, change, version))


@router.get("/benchmarks", tags=["benchmarks"])
def list_benchmarks(
    session: ReadSessionDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100, description="How many items at most.")] = 12,
    cursor: Cursor = None,
) -> Page[BenchmarkOut]:
    """List what accounts were held against, newest month first."""
    paging = Paging(limit, cursor)
    found = benchmark_queries.list_benchmarks(session, caller.workspace_id, paging)
    return found.to_page(BenchmarkOut.of)


@router.get("/benchmarks/{benchmark_id}", tags=["benchmarks"])
def get_benchmark(
    benchmark_id: Annotated[str, Path(max_length=100)], session: ReadSessionDep, caller: Reader
) -> BenchmarkOut:
    """Show a benchmark, also one that holds no more."""
    return BenchmarkOut.of(
        benchmark_queries.get_benchmark(session, caller.workspace_id, benchmark_id)
    )
