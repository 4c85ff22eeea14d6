"""Two tenants with one of everything, all under the same ids; the texts of one are a canary."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, Text, select, text

from app.core.db import SessionFactory
from app.core.postgres.engines import open_engine
from app.tables import metadata
from tests.conftest import CreateDatabase, attach_test_storage, client_of, savepoints
from tests.other_tenant import create_other_tenant, request
from tests.tenant_routes import CREATE_OWN_BODIES

OWN, OTHER = "acme", "other"
CANARY = "zz-canary-of-another-tenant"


@dataclass(frozen=True)
class Tenants:
    """``secrets``: the canary and the ids that the service made for the other tenant."""

    engine: Engine
    own_key: str
    other_key: str
    secrets: Sequence[bytes]


@pytest.fixture(scope="session")
def factor(request: pytest.FixtureRequest) -> int:
    """How many times more requests than among all tests."""
    return int(request.config.getoption("--hostile"))


@pytest.fixture(scope="session")
def tenants(databases: CreateDatabase, migrated: str, app: FastAPI) -> Iterator[Tenants]:
    engine = open_engine(databases("hostile", template=migrated), pool_size=20)
    own_key, other_key = (create_other_tenant(engine, app, each) for each in (OWN, OTHER))
    with engine.begin() as connection:
        attach_test_storage(app, savepoints(connection))
        with TestClient(app, headers={"Authorization": f"Bearer {other_key}"}) as theirs:
            plant_canary(theirs)
    with engine.connect() as connection:
        ids = generated_ids(connection, OTHER) - generated_ids(connection, OWN)
    yield Tenants(engine, own_key, other_key, [CANARY.encode(), *(each.encode() for each in ids)])
    engine.dispose()


def plant_canary(theirs: TestClient) -> None:
    """Write the canary into every text of the other tenant that a body can set."""
    for name, body in CREATE_OWN_BODIES.items():
        text_body = json.dumps(body).replace("Mine", CANARY).replace("mine", CANARY)
        assert request(theirs, name, body=json.loads(text_body)).status_code == 200


def generated_ids(connection: Connection, workspace_id: str) -> set[str]:
    """Return every id of a workspace that the service made."""
    return {
        each
        for table in metadata.sorted_tables
        if {"workspace_id", "id"} <= {*table.columns.keys()} and isinstance(table.c.id.type, Text)
        for each in connection.scalars(
            select(table.c.id).where(table.c.workspace_id == workspace_id)
        )
    }


def rows_digest(sessions: SessionFactory, workspace_id: str) -> dict[str, Any]:
    """Return a digest of all rows of a workspace by table."""
    parts = [
        f"SELECT '{table.name}', md5(string_agg(t::text, '|' ORDER BY t::text))"  # noqa: S608
        f' FROM "{table.name}" t WHERE workspace_id = :workspace_id'
        for table in metadata.sorted_tables
        if "workspace_id" in table.columns
    ]
    with sessions() as session:
        rows = session.execute(text(" UNION ALL ".join(parts)), {"workspace_id": workspace_id})
        return {row[0]: row[1] for row in rows}


@pytest.fixture(scope="session")
def engine(tenants: Tenants) -> Engine:
    return tenants.engine


@pytest.fixture
def ours(running_app: TestClient, sessions: SessionFactory, tenants: Tenants) -> TestClient:
    """The client of the own tenant, in a transaction that is rolled back after the test."""
    attach_test_storage(running_app.app, sessions)  # type: ignore[arg-type]
    return client_of(running_app, tenants.own_key)
