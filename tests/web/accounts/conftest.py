"""A workspace of 24 accounts with two scored days; one account has stopped using the product."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.db import create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.members import service
from app.members.roles import Role
from app.workspaces.service import Actor
from tests.conftest import CreateDatabase
from tests.test_pipeline import NAMES, START, World, events_of_months, send, terms_event
from tests.web.conftest import Browser, sign_in

HOSTILE = '<img src=x onerror=alert(1)> & "Sons" \'{{7*7}}'
SILENT = "c05"
LATER = START + timedelta(days=28)


@dataclass
class Company:
    """A running service with the workspace ``acme``, and the workspace ``other`` beside it."""

    world: World
    api: TestClient
    members: list[str] = field(default_factory=list)

    def browser(self, role: Role = Role.MEMBER, workspace_id: str = "acme") -> Browser:
        with transaction(self.world.sessions) as session:
            actor = Actor(workspace_id, "test", LATER)
            email = f"{role}-{workspace_id}-{len(self.members)}@example.com"
            self.members.append(email)
            _, token = service.invite_member(session, actor, email=email, name="Kim", role=role)
        return sign_in(self.api, f"/sign-in/{token}")


@pytest.fixture(scope="package")
def company(databases: CreateDatabase, migrated: str) -> Iterator[Company]:
    engine = open_engine(databases("page", template=migrated), pool_size=8)
    world = World(create_session_factory(engine))
    with TestClient(world.app) as running:
        api = world.client("acme")
        api.portal = running.portal
        fill(world, api)
        other = world.client("other")
        other.portal = running.portal
        other.put("/api/v1/accounts/theirs", json={"name": "Secret of another tenant"})
        other.put("/api/v1/segments/theirs", json={"name": "Their segment", "filter": {}})
        yield Company(world, api)
    engine.dispose()


def fill(world: World, api: Any) -> None:  # noqa: ANN401 - a client over HTTP or in the process
    send(api, [terms_event(name, 100 * (1 + index % 4)) for index, name in enumerate(NAMES)])
    send(api, events_of_months(START))
    world.work()
    world.now = LATER
    recent = [
        event for event in events_of_months(LATER, 28) if event["context"]["groupId"] != SILENT
    ]
    send(api, recent)
    owners = {"c00": "ann@example.com", SILENT: "kim@example.com"}
    for account_id, owner in owners.items():
        api.patch(f"/api/v1/accounts/{account_id}", json={"owner": owner})
    api.patch("/api/v1/accounts/c01", json={"name": HOSTILE})
    api.post("/api/v1/accounts/c03/notes", json={"text": "Written before."})
    api.post("/api/v1/accounts/c03/tasks", json={"title": "Planned before"})
    world.work()


@pytest.fixture
def reader(company: Company) -> Browser:
    return company.browser(Role.VIEWER)
