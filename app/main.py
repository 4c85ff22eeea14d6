"""The API process: the application, its routes, and its state."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from sqlalchemy.exc import SQLAlchemyError

from app import openapi, probes
from app.accounts import aliases
from app.accounts.endpoints import routers as accounts_routers
from app.alerts.endpoints import routers as alerts_routers
from app.billing.endpoints import routers as billing_routers
from app.changes.endpoints import router as changes_router
from app.churn.endpoints import models_router as churn_models_router
from app.collaboration.endpoints import routers as collaboration_routers
from app.core import errors, logs, parent_process
from app.core.clock import Clock, DatabaseClock
from app.core.db import DatabaseSlots, SessionFactory, create_session_factory
from app.core.encryption import Encryptor
from app.core.http.body_guard import BodyGuardMiddleware
from app.core.http.cors import CorsMiddleware
from app.core.http.csv_responses import CsvMiddleware
from app.core.http.etags import ETagMiddleware
from app.core.http.protocol import Connections
from app.core.http.request_log import RequestLogMiddleware
from app.core.postgres.engines import REQUEST_TIMEOUT_SECONDS, database_address, open_engine
from app.core.settings import VERSION, Settings
from app.digests.endpoints import router as digests_router
from app.engagement.endpoints import routers as engagement_routers
from app.events.ingestion.browser_endpoints import CORS_PATHS
from app.events.ingestion.browser_endpoints import router as browser_router
from app.events.ingestion.endpoints import native_router, sdk_router
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.limits import IngestLimits
from app.events.ingestion.otel_endpoints import router as otel_router
from app.events.ingestion.posthog_endpoints import router as posthog_router
from app.events.quarantine.endpoints import router as quarantine_router
from app.events.sources.endpoints import router as stats_router
from app.health.endpoints import routers as health_routers
from app.imports.endpoints import router as imports_router
from app.imports.upload_limits import UploadLimits
from app.interventions.endpoints import router as interventions_router
from app.interventions.experiments.endpoints import router as experiments_router
from app.interventions.playbooks.endpoints import router as playbooks_router
from app.jobs.endpoints import router as jobs_router
from app.lifecycle.endpoints import router as lifecycle_router
from app.lifecycle.event_trace_endpoints import router as trace_router
from app.mcp import endpoints as mcp_endpoints
from app.members.endpoints import router as members_router
from app.members.oidc import IdentityProvider
from app.members.service import SessionLimits
from app.portfolio.churn_risk_endpoints import router as churn_risk_router
from app.portfolio.endpoints import routers as portfolio_routers
from app.reports.backtests.endpoints import router as backtests_router
from app.reports.endpoints import at_risk_router
from app.reports.endpoints import router as reports_router
from app.reports.movers.endpoints import router as movers_router
from app.reports.people.endpoints import router as people_router
from app.reports.review.endpoints import router as review_router
from app.reports.sentiment.endpoints import router as sentiment_report_router
from app.reports.timeline.endpoints import router as timeline_router
from app.reports.today.endpoints import router as today_router
from app.signals.endpoints import router as signals_router
from app.web.endpoints import routers as web_routers
from app.web.frame import page_route
from app.web.live.hub import Hub
from app.webhooks import message_endpoints
from app.webhooks.endpoints import router as webhook_endpoints_router
from app.webhooks.service import EndpointSecretStore
from app.workspaces.auth import CallerCache, authorize
from app.workspaces.endpoints import router as workspaces_router

PARENT_CHECK_SECONDS = 1
CLOCK_SECONDS = 5
WAITING_REQUESTS_PER_SLOT = 16

ROUTERS = (  # none includes others: FastAPI would build the routes of those once more
    probes.router,  # first: FastAPI prepares routes in order, at the first request
    at_risk_router,  # before accounts: otherwise its path would be read as the id of an account
    sdk_router,
    native_router,
    posthog_router,
    otel_router,
    browser_router,
    *accounts_routers,
    *health_routers,
    workspaces_router,
    members_router,
    quarantine_router,
    stats_router,
    trace_router,
    jobs_router,
    imports_router,
    lifecycle_router,
    playbooks_router,
    interventions_router,
    experiments_router,
    *portfolio_routers,
    *alerts_routers,
    churn_risk_router,
    signals_router,
    *billing_routers,
    *engagement_routers,
    *collaboration_routers,
    digests_router,
    churn_models_router,
    changes_router,
    review_router,
    reports_router,
    movers_router,
    sentiment_report_router,
    today_router,
    people_router,
    timeline_router,
    backtests_router,
    webhook_endpoints_router,
    message_endpoints.router,
    mcp_endpoints.router,
    *web_routers,
)


@dataclass(frozen=True, slots=True)
class Storage:
    """The session factories of the app; ``autocommit`` is for requests of one statement."""

    sessions: SessionFactory
    autocommit: SessionFactory

    @classmethod
    def open(
        cls,
        url: str,
        *,
        pool_size: int,
        prepared_statements: bool = True,
        renewal_grace_days: int | None = None,
    ) -> "Storage":
        """Open two connection pools. A request uses a connection of one of them at a time."""
        open_pool = partial(
            open_engine,
            url,
            pool_size=pool_size,
            statement_timeout_seconds=REQUEST_TIMEOUT_SECONDS,
            point_access=True,
            prepared_statements=prepared_statements,
        )
        factory = partial(create_session_factory, renewal_grace_days=renewal_grace_days)
        return cls(factory(open_pool()), factory(open_pool(autocommit=True)))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
    """Allow as many threads as connections, so that a request with a thread never waits for one."""
    pool_size = app.state.pool_size
    app.state.slots = DatabaseSlots(pool_size, queue=pool_size * WAITING_REQUESTS_PER_SLOT)
    app.state.uploads = UploadLimits(pool_size)
    to_thread.current_default_thread_limiter().total_tokens = pool_size + 2
    app.state.tool_server = None
    drain_on_sigterm(app)
    tasks = [asyncio.create_task(each) for each in (stop_with_parent(), follow_clock(app))]
    yield {"connections": app.state.connections}
    for task in tasks:
        task.cancel()
    await mcp_endpoints.stop(app)


async def follow_clock(app: FastAPI) -> None:
    """Read the clock of the database now and then, if the app has that clock."""
    clock = app.state.clock
    while isinstance(clock, DatabaseClock):
        with suppress(SQLAlchemyError):  # until the database is back its last reading counts
            await to_thread.run_sync(clock.read, app.state.autocommit_sessions)
        await asyncio.sleep(CLOCK_SECONDS)


def drain_on_sigterm(app: FastAPI) -> None:
    """Report not ready from SIGTERM on, while accepted requests are still answered."""
    if threading.current_thread() is not threading.main_thread():
        return
    stop = signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: FrameType | None) -> None:
        app.state.draining = True
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


async def stop_with_parent() -> None:
    """End this process when the process that started it is gone."""
    while not parent_process.is_gone():  # noqa: ASYNC110 - another process has no event to wait for
        await asyncio.sleep(PARENT_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def attach(app: FastAPI, storage: Storage, settings: Settings, clock: Clock) -> None:
    """Set the state of the app: database, settings and clock, with empty caches."""
    app.state.sessions = storage.sessions
    app.state.autocommit_sessions = storage.autocommit
    app.state.pool_size = settings.pool_size
    app.state.clock = clock
    app.state.draining = False
    app.state.connections = Connections(
        settings.max_connections, settings.max_connections_per_address
    )
    app.state.serves_metrics = settings.metrics_port is None
    app.state.limits = IngestLimits.from_settings(settings)
    app.state.import_bytes = settings.import_bytes
    app.state.public_url = settings.public_url
    app.state.identity_provider = identity_provider(settings)
    app.state.session_limits = SessionLimits(
        timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
    )
    app.state.live = Hub(app.state)
    app.state.known_names = KnownEventNames()
    app.state.caller_cache = CallerCache()
    app.state.current_account_id = aliases.resolve_before_request
    host = database_address(settings.database_url)
    app.state.outages = logs.OutageLog("answered_503", host=host)
    key = settings.encryption_key
    app.state.encryptor = encryptor = Encryptor.from_base64(key.get_secret_value() if key else None)
    app.state.endpoint_secret_store = EndpointSecretStore(encryptor, settings.allowed_networks)


def identity_provider(settings: Settings) -> IdentityProvider | None:
    """Return what members sign in by beside links, if it is set."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret = settings.oidc_client_secret
    return IdentityProvider(
        settings.oidc_issuer, settings.oidc_client_id, secret.get_secret_value() if secret else None
    )


def create_app(storage: Storage, settings: Settings, clock: Clock) -> FastAPI:
    app = FastAPIOffline(  # its documentation pages load nothing from other hosts
        redoc_url=None,
        title=openapi.TITLE,
        version=VERSION,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
    )
    errors.install(app)
    page_route.install(app)
    attach(app, storage, settings, clock)
    openapi.install(app)
    app.add_middleware(BodyGuardMiddleware, authorize=authorize)
    for middleware in (CsvMiddleware, ETagMiddleware, RequestLogMiddleware):  # the last is first
        app.add_middleware(middleware)
    app.add_middleware(CorsMiddleware, paths=CORS_PATHS)
    for router in ROUTERS:
        app.include_router(router)
    return app


def from_environment() -> FastAPI:
    """Build the app from the settings."""
    settings = Settings()
    logs.configure(settings.log_level)
    if settings.database_url is None:
        raise SystemExit("HEALTH_DATABASE_URL is not set. Run `customer-health serve`: it sets it.")
    if settings.encryption_key is None:
        raise SystemExit(
            "HEALTH_ENCRYPTION_KEY is not set. Run `customer-health serve`: it sets it."
        )
    storage = Storage.open(
        settings.database_url.get_secret_value(),
        pool_size=settings.pool_size,
        prepared_statements=settings.prepared_statements,
        renewal_grace_days=settings.renewal_grace_days,
    )
    return create_app(storage, settings, DatabaseClock(settings.clock_offset_seconds))
