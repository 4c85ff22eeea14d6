"""The HTTP process: the app, its routes, and what it holds while it runs."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline

from app.accounts import aliases
from app.accounts.endpoints import router as accounts_router
from app.alerts.endpoints import router as alerts_router
from app.billing.endpoints import router as billing_router
from app.changes.endpoints import router as changes_router
from app.churn.registry.model_endpoints import router as churn_models_router
from app.churn.scoring.risk_endpoints import router as churn_risk_router
from app.core import errors, logs, metrics, migrations, parent_process, schemas
from app.core.clock import Clock, shifted_clock
from app.core.db import DatabaseSlots, SessionFactory, create_session_factory, open_engine
from app.core.encryption import Encryptor
from app.core.filters import schema
from app.core.http import csv_responses, etags
from app.core.http.language import RequestLogMiddleware
from app.core.settings import Settings
from app.engagement.endpoints import router as engagement_router
from app.events.ingestion.endpoints import native_router, sdk_router
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.limits import IngestLimits
from app.events.quarantine_endpoints import router as quarantine_router
from app.events.stats_endpoints import router as stats_router
from app.health.endpoints import router as health_router
from app.imports.endpoints import router as imports_router
from app.interventions.endpoints import router as interventions_router
from app.interventions.experiments.endpoints import router as experiments_router
from app.interventions.playbooks.endpoints import router as playbooks_router
from app.jobs.endpoints import router as jobs_router
from app.lifecycle.endpoints import router as lifecycle_router
from app.lifecycle.event_trace_endpoints import router as trace_router
from app.portfolio.endpoints import router as segments_router
from app.portfolio.fields import CHOICES, FIELDS
from app.portfolio.schemas import FILTER_SCHEMA_NAME
from app.reports.at_risk.endpoints import router as at_risk_router
from app.reports.backtests.endpoints import router as backtests_router
from app.reports.churn_causes.endpoints import router as causes_router
from app.reports.kpis.endpoints import router as reports_router
from app.reports.review.endpoints import router as review_router
from app.signals.endpoints import router as signals_router
from app.webhooks import message_endpoints, message_fields
from app.webhooks.endpoints import router as webhook_endpoints_router
from app.webhooks.service import EndpointSecretStore
from app.workspaces.auth import CallerCache
from app.workspaces.endpoints import router as workspaces_router

STATEMENT_TIMEOUT_SECONDS = 5
PARENT_SECONDS = 1
DESCRIPTION = """
How much value each customer account gets for each dollar it pays, what changed and why.

Send events with a Segment or RudderStack SDK pointed at this host, or to `POST /api/v1/events`;
read scores from `GET /api/v1/accounts/{account_id}/health`.
"""

probes = APIRouter(tags=["operations"])


@dataclass(frozen=True, slots=True)
class Storage:
    """How the app reaches its database; ``autocommit`` is for what one statement does."""

    sessions: SessionFactory
    autocommit: SessionFactory

    @classmethod
    def open(cls, url: str, *, pool_size: int) -> "Storage":
        """Open two pools; a request uses a connection of one of them at a time."""
        open_pool = partial(
            open_engine,
            url,
            pool_size=pool_size,
            statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS,
            point_access=True,
        )
        return cls(
            create_session_factory(open_pool()), create_session_factory(open_pool(autocommit=True))
        )


def _example(status: int, media_type: str, example: object) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {media_type: {"example": example}}}}


@probes.get("/health/live", responses=_example(200, "application/json", {"status": "live"}))
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@probes.get(
    "/health/ready",
    responses={
        **_example(200, "application/json", {"status": "ready", "checks": {"database": True}}),
        **_example(503, "application/json", {"status": "not_ready", "checks": {"database": False}}),
    },
)
def ready(request: Request) -> Response:
    """Say whether requests can be served: database reachable, migrations at head, not draining."""
    checks = {
        **migrations.readiness_checks(request.app.state.sessions),
        "serving": not request.app.state.draining,
    }
    status = 200 if all(checks.values()) else 503
    return JSONResponse(
        {"status": "ready" if status == 200 else "not_ready", "checks": checks},  # noqa: PLR2004
        status_code=status,
    )


@probes.get(
    "/metrics",
    response_class=Response,
    responses=_example(200, "text/plain", 'health_events_total{result="accepted"} 12.0'),
)
def metrics_page() -> Response:
    """Tell Prometheus."""
    return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """As many threads as connections: a request that has a thread never waits for the pool."""
    app.state.slots = DatabaseSlots(app.state.pool_size, queue=app.state.pool_size * 16)
    to_thread.current_default_thread_limiter().total_tokens = app.state.pool_size + 2
    drain_on_sigterm(app)
    watching = asyncio.create_task(stop_with_parent())
    yield
    watching.cancel()


def drain_on_sigterm(app: FastAPI) -> None:
    """Be unready from the signal on, while what was accepted is still answered."""
    if threading.current_thread() is not threading.main_thread():
        return
    stop = signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: FrameType | None) -> None:
        app.state.draining = True
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


async def stop_with_parent() -> None:
    """One of several API processes ends when the process that keeps them is gone."""
    while not parent_process.is_gone():  # noqa: ASYNC110 - another process has no event to wait for
        await asyncio.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def attach(app: FastAPI, storage: Storage, settings: Settings, clock: Clock) -> None:
    """Give the app a database, settings and a clock, and nothing that it has learnt yet."""
    app.state.sessions = storage.sessions
    app.state.autocommit_sessions = storage.autocommit
    app.state.pool_size = settings.pool_size
    app.state.clock = clock
    app.state.draining = False
    app.state.limits = IngestLimits.of(settings)
    app.state.import_bytes = settings.import_bytes
    app.state.known_names = KnownEventNames()
    app.state.known_callers = CallerCache()
    app.state.current_account_id = aliases.resolve_before_request
    key = settings.encryption_key
    app.state.vault = vault = Encryptor.of(key.get_secret_value() if key else None)
    app.state.webhook_desk = EndpointSecretStore(vault, settings.allowed_networks)


def create_app(storage: Storage, settings: Settings, clock: Clock) -> FastAPI:
    app = FastAPIOffline(  # its pages load nothing from other hosts
        redoc_url=None,
        title="Customer Health",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    attach(app, storage, settings, clock)
    errors.install(app)
    schemas.install(app)
    schema.install(app, FILTER_SCHEMA_NAME, FIELDS, choices=CHOICES)
    schema.install(
        app,
        message_fields.LANGUAGE,
        message_fields.FIELDS,
        open_prefixes=message_fields.OPEN_PREFIXES,
        choices={},
    )
    message_endpoints.add_webhooks_to_openapi(app)
    csv_responses.install(app)
    etags.install(app)
    app.add_middleware(RequestLogMiddleware)
    app.include_router(at_risk_router)  # its path would be an account's id
    for router in (sdk_router, native_router, accounts_router, health_router, workspaces_router):
        app.include_router(router)
    app.include_router(quarantine_router)
    app.include_router(stats_router)
    app.include_router(trace_router)
    app.include_router(jobs_router)
    app.include_router(imports_router)
    app.include_router(lifecycle_router)
    for router in (playbooks_router, interventions_router, experiments_router):
        app.include_router(router)
    app.include_router(segments_router)
    app.include_router(alerts_router)
    app.include_router(churn_risk_router)
    app.include_router(signals_router)
    app.include_router(billing_router)
    app.include_router(engagement_router)
    app.include_router(churn_models_router)
    app.include_router(changes_router)
    app.include_router(causes_router)
    app.include_router(review_router)
    app.include_router(reports_router)
    app.include_router(backtests_router)
    app.include_router(webhook_endpoints_router)
    app.include_router(message_endpoints.router)
    app.include_router(probes)
    return app


def from_environment() -> FastAPI:
    """Build the app for ``uvicorn --factory app.main:from_environment``."""
    settings = Settings()
    logs.configure(settings.log_level)
    if settings.database_url is None:
        raise SystemExit("HEALTH_DATABASE_URL is not set; `customer-health serve` sets it itself.")
    if settings.encryption_key is None:
        raise SystemExit("HEALTH_ENCRYPTION_KEY is not set; `customer-health serve` sees to it.")
    storage = Storage.open(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    app = create_app(storage, settings, shifted_clock(settings.clock_offset_seconds))
    gc.freeze()  # what is loaded stays: collecting need not look at it again and again
    return app
