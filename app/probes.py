"""Health checks and metrics. They need no key.

The metrics of queues are read from the database when they are asked for: they are the same in every
process.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.accounts.refresh_queue import FAILURES_UNTIL_PARKED
from app.core import metrics
from app.core.clock import Clock
from app.core.db import SessionFactory, transaction
from app.core.errors import NotFoundError, reason
from app.core.http.routes import DeclaredRoute
from app.core.postgres import migrations
from app.core.settings import VERSION
from app.core.sql import load_sql

SQL = load_sql(__file__)
QUEUES = ("refresh_live", "refresh_silent", "refresh_sweep", "deliveries", "jobs")


@dataclass(frozen=True)
class ServiceCollector(Collector):
    """The version of the service, and the length and age of its queues."""

    sessions: SessionFactory
    clock: Clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        build = GaugeMetricFamily(
            "health_build_info", "The version of the service.", labels=("version", "schema")
        )
        build.add_metric((VERSION, migrations.HEAD), 1)
        yield build
        values = {"now": self.clock(), "failures_until_parked": FAILURES_UNTIL_PARKED}
        try:
            with transaction(self.sessions) as session:
                found = {
                    row.queue: (row.entries, float(row.seconds or 0))
                    for row in session.execute(SQL.queues, values)
                }
        except SQLAlchemyError:  # without the database, the other metrics still help
            return
        entries = GaugeMetricFamily(
            "health_queue_entries", "Entries that wait in a queue.", labels=("queue",)
        )
        oldest = GaugeMetricFamily(
            "health_queue_oldest_seconds", "How long the oldest entry waits.", labels=("queue",)
        )
        for queue in QUEUES:
            count, seconds = found.get(queue, (0, 0.0))
            entries.add_metric((queue,), count)
            oldest.add_metric((queue,), max(seconds, 0.0))
        parked = GaugeMetricFamily("health_accounts_parked", "Accounts that are parked now.")
        parked.add_metric((), found.get("parked", (0, 0.0))[0])
        yield from (entries, oldest, parked)


def _example(status: int, media_type: str, example: object) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {media_type: {"example": example}}}}


router = APIRouter(tags=["operations"], route_class=DeclaredRoute)
FIRST_PAGE = "/today"
START = {"docs": "/docs", "openapi": "/openapi.json", "ready": "/health/ready"}


@router.get("/", include_in_schema=False)
async def get_start(request: Request) -> Response:
    """Lead browsers to the page, and tell other clients where the documentation is."""
    vary = {"Vary": "Accept"}
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(FIRST_PAGE, headers=vary)
    return JSONResponse({"service": request.app.title, "version": VERSION} | START, headers=vary)


@router.get(
    "/health/live",
    summary="Check that the process answers",
    responses=_example(200, "application/json", {"status": "live"}),
)
async def get_liveness() -> dict[str, str]:
    """Return 200 as long as the process answers at all."""
    return {"status": "live"}


@router.get(
    "/health/ready",
    summary="Check that requests can be served",
    responses={
        **_example(200, "application/json", {"status": "ready", "checks": {"database": True}}),
        **_example(503, "application/json", {"status": "not_ready", "checks": {"database": False}}),
    },
)
def get_readiness(request: Request) -> Response:
    """Return 200 if requests can be served, else 503.

    The database answers, has the schema of this version or a newer one, and applies the settings
    of its connections; the process is not ending.
    """
    state = request.app.state

    def log(error: DBAPIError) -> None:
        state.outages.report(code="not_ready", reason=reason(error))

    checks = migrations.readiness_checks(state.sessions, on_error=log)
    if failed := [name for name in checks if checks["database"] and not checks[name]]:
        state.outages.report(code="not_ready", reason=", ".join(failed))
    checks["serving"] = not state.draining
    is_ready = all(checks.values())
    return JSONResponse(
        {"status": "ready" if is_ready else "not_ready", "checks": checks},
        status_code=200 if is_ready else 503,
    )


@router.get(
    "/metrics",
    summary="Get the Prometheus metrics",
    response_class=Response,
    responses=_example(200, "text/plain", 'health_events_total{result="accepted"} 12.0'),
)
def get_metrics(request: Request) -> Response:
    """Return the metrics of all processes of this service in the Prometheus text format.

    404 if the service has another port for them (`HEALTH_METRICS_PORT`).
    """
    state = request.app.state
    if not state.serves_metrics:
        raise NotFoundError(
            "metrics", "at this port: they are at HEALTH_METRICS_PORT", in_workspace=False
        )
    registry = metrics.create_registry(ServiceCollector(state.sessions, state.clock))
    return Response(
        generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
