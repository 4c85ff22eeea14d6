"""How many endpoints a workspace may have, however many are made at once."""

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
from tests.webhooks.delivery import VAULT

ENDPOINT = WebhookEndpointIn(url="https://crm.example/hook").model_dump()
SECRET_STORE = EndpointSecretStore(VAULT, ())


def create_endpoint(sessions: SessionFactory) -> bool:
    try:
        with transaction(sessions) as session:
            service.create_endpoint(
                session, Actor("acme", "test", NOW), ENDPOINT, desk=SECRET_STORE
            )
    except ConflictError:
        return False
    return True


def test_a_workspace_has_as_many_endpoints_as_it_may_also_if_they_are_made_at_once(
    committed: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_ENDPOINTS", 3)
    with transaction(committed) as session:
        factories.workspace(session)

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: create_endpoint(committed), range(16)))

    with transaction(committed) as session:
        assert session.scalar(select(func.count()).select_from(WebhookEndpoint)) == 3
    assert made.count(True) == 3
