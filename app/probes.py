"""Health checks and metrics of the API process. They need no key."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.core import metrics, migrations


def _example(status: int, media_type: str, example: object) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {media_type: {"example": example}}}}


router = APIRouter(tags=["operations"])


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
    checks = {
        **migrations.readiness_checks(request.app.state.sessions),
        "serving": not request.app.state.draining,
    }
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
def get_metrics() -> Response:
    """Return the metrics of all processes of this service in the Prometheus text format."""
    return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
