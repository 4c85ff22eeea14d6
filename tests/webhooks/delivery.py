"""Endpoints for tests, and a worker that delivers everything that is due and then stops."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.encryption import Encryptor
from app.core.postgres.commit_watch import CommitWatch
from app.tables import Attempt, Delivery, WebhookEndpoint
from app.webhooks import service
from app.webhooks.connector import Connector
from app.webhooks.delivery_worker import DeliveryWorker
from app.webhooks.http_client import HttpClient
from app.webhooks.service import EndpointSecretStore
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import ENCRYPTION_KEY, NOW

LOCALHOST = [ip_network("127.0.0.0/8")]
ENCRYPTOR = Encryptor.from_base64(ENCRYPTION_KEY)
SECRET_STORE = EndpointSecretStore(ENCRYPTOR, LOCALHOST)
ENDPOINT_DEFAULTS: dict[str, Any] = {
    "kind": "standard",
    "name": None,
    "types": [],
    "filter": {},
    "headers": {},
    "personal_data": False,
    "paused": False,
    "max_per_second": None,
}


def create_endpoint(
    session: Session,
    url: str = "https://crm.example/hook",
    **values: Any,  # noqa: ANN401
) -> tuple[str, str]:
    """Create an endpoint. Return its id and its secret."""
    factories.workspace(session)
    values = {**ENDPOINT_DEFAULTS, "url": url, **values}
    row, secret = service.create_endpoint(
        session, Actor("acme", "test", NOW), values, store=SECRET_STORE
    )
    session.commit()
    return row.id, secret or ""


def make_worker(
    sessions: SessionFactory,
    *,
    now: datetime = NOW,
    deadline_seconds: float = 20,
    public_url: str | None = None,
) -> DeliveryWorker:
    client = HttpClient(Connector(LOCALHOST), deadline_seconds=deadline_seconds)
    return DeliveryWorker(
        sessions, ENCRYPTOR, client, lambda: now, CommitWatch(sessions), public_url=public_url
    )


def deliver_due(sessions: SessionFactory, **options: Any) -> None:  # noqa: ANN401
    """Send everything that is due at one moment and record the results."""
    asyncio.run(deliver_until_idle(make_worker(sessions, **options)))


async def deliver_until_idle(worker: DeliveryWorker) -> None:
    while await worker.run_once() or worker.in_flight:
        await asyncio.gather(*worker.in_flight)
    await worker.run_once()
    worker.client.close()


def list_deliveries(session: Session) -> Sequence[Delivery]:
    session.expire_all()
    return session.scalars(select(Delivery).order_by(Delivery.message_id)).all()


def list_attempts(session: Session) -> Sequence[Attempt]:
    return session.scalars(select(Attempt).order_by(Attempt.id)).all()


def get_endpoint(session: Session, endpoint_id: str) -> WebhookEndpoint:
    return session.get_one(WebhookEndpoint, ("acme", endpoint_id), populate_existing=True)


def make_due(sessions: SessionFactory, at: datetime = NOW) -> None:
    """Make all deliveries due just before ``at``."""
    with transaction(sessions) as session:
        session.execute(update(Delivery).values(due_at=at - timedelta(seconds=1)))
