"""The limit of endpoints of a workspace under concurrent requests."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.core.db import SessionFactory, transaction
from app.core.errors import ConflictError
from app.tables import WebhookEndpoint
from app.webhooks import service
from app.webhooks.schemas import WebhookEndpointIn
from app.webhooks.service import EndpointSecretStore
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW
from tests.webhooks.delivery import ENCRYPTOR

ENDPOINT = WebhookEndpointIn(url="https://crm.example/hook").model_dump()
SECRET_STORE = EndpointSecretStore(ENCRYPTOR, ())


def create_endpoint(sessions: SessionFactory) -> bool:
    try:
        with transaction(sessions) as session:
            service.create_endpoint(
                session, Actor("acme", "test", NOW), ENDPOINT, store=SECRET_STORE
            )
    except ConflictError:
        return False
    return True


def test_the_limit_of_endpoints_holds_under_concurrency(
    committed: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_ENDPOINTS", 3)
    with transaction(committed) as session:
        factories.workspace(session)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: create_endpoint(committed), range(16)))

    with transaction(committed) as session:
        assert session.scalar(select(func.count()).select_from(WebhookEndpoint)) == 3
    assert results.count(True) == 3
