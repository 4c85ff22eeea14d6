"""The page in a real Chromium: a service on a port, and browsers (`make browser`)."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from app.core.db import create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.members import service
from app.members.roles import Role
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import CreateDatabase
from tests.servers.processes import eventually, free_port
from tests.test_pipeline import World
from tests.web.accounts.conftest import LATER, fill

AXE = Path(__file__).parents[2] / ".venv" / ".axe" / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of axe.min.js in the package axe-core 4.14.1 of the npm registry."""
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@dataclass
class Site:
    """A running service with the workspace ``acme`` of 24 accounts."""

    url: str
    world: World
    api: httpx.Client
    members: int = 0

    def link(self, role: Role = Role.ADMIN) -> str:
        """Return the sign-in link of a new member."""
        self.members += 1
        email = f"{role}-{self.members}@example.com"
        with transaction(self.world.sessions) as session:
            actor = Actor("acme", "test", LATER)
            _, token = service.invite_member(session, actor, email=email, name="Kim", role=role)
        return f"{self.url}/sign-in/{token}"


@pytest.fixture(scope="session")
def site(databases: CreateDatabase, migrated: str) -> Iterator[Site]:
    engine = open_engine(databases("browser", template=migrated), pool_size=12)
    world = World(create_session_factory(engine))
    server = uvicorn.Server(uvicorn.Config(world.app, port=free_port(), log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    with transaction(world.sessions) as session:
        key = factories.api_key(session, factories.workspace(session))
    url = f"http://127.0.0.1:{server.config.port}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120) as api:
        fill(world, api)
        world.now += timedelta(minutes=1)  # a page that is opened later has missed none of it
        yield Site(url, world, api)
    server.should_exit = True
    thread.join()
    engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = which("chromium")
    assert path, "There is no Chromium: run `make browser`, which installs it."
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


def error_of(line: ConsoleMessage) -> list[str]:
    """Return the error of a line of the console; a page that is an error by itself is none."""
    is_error = line.type == "error" and not line.text.startswith("Failed to load resource")
    return [line.text] if is_error else []


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(site: Site, chromium: Browser) -> Iterator[NewPage]:
    """Return a function that opens a page in a new browser, signed in unless ``role`` is None.

    A test fails if a page reported an error, such as a breach of its security policy.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def create(role: Role | None = Role.ADMIN, **options: Any) -> Page:  # noqa: ANN401
        context = chromium.new_context(base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.extend(error_of(line)))
        if role is not None:
            page.goto(site.link(role))
            page.locator("main form button").click()
            page.wait_for_url("**/today")
            page.goto("/accounts")
        return page

    yield create
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def axe() -> str:
    source = AXE.read_bytes()
    assert sha256(source).hexdigest() == AXE_SHA256
    return source.decode()
