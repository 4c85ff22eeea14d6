"""An agent with a key for a company of 24 accounts; one account has stopped using the product."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.core.db import create_session_factory
from app.core.postgres.engines import open_engine
from tests.conftest import CreateDatabase
from tests.mcp.agent import Agent
from tests.test_pipeline import World
from tests.web.accounts.conftest import fill

OLD_ID, NEW_ID = "c23", "renamed to this"


@pytest.fixture(scope="package")
def api(databases: CreateDatabase, migrated: str) -> Iterator[TestClient]:
    """A client of the workspace ``acme``; the workspace ``other`` has the account ``theirs``."""
    engine = open_engine(databases("mcp", template=migrated), pool_size=8)
    world = World(create_session_factory(engine))
    with TestClient(world.app) as running:
        client, other = world.client("acme"), world.client("other")
        client.portal = other.portal = running.portal
        fill(world, client)
        other.put("/api/v1/accounts/theirs", json={"name": "Secret of another tenant"})
        client.post(f"/api/v1/accounts/{OLD_ID}/rename", json={"account_id": NEW_ID})
        world.work()
        yield client
    engine.dispose()


@pytest.fixture
def agent(api: TestClient) -> Agent:
    return Agent(api)
