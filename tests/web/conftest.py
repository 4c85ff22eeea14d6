"""Browsers without scripts: a member signs in by link, and follows forms and links."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.members import service
from app.members.roles import Role
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW


@dataclass
class Form:
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class PageParser(HTMLParser):
    """Collects the forms of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.texts: list[str] = []
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("method", "get"), given.get("action", "")))
        elif tag == "input" and self.forms and "name" in given:
            if given.get("type") != "checkbox" or "checked" in given:
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "option" and self.select:
            fields = self.forms[-1].fields
            if "selected" in given or self.select not in fields:
                fields[self.select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parse(answer: Response) -> PageParser:
    parser = PageParser()
    parser.feed(answer.text)
    return parser


def text_of(answer: Response) -> str:
    """Return what a person reads on a page."""
    return " ".join(" ".join(parse(answer).texts).split())


@dataclass
class Browser:
    """A browser that sends forms as they are on a page; it has no scripts."""

    client: TestClient

    def get(self, path: str, **options: Any) -> Response:  # noqa: ANN401
        answer: Response = self.client.get(path, **options)
        return answer

    def send(self, page: Response, action: str, **fields: str) -> Response:
        """Send the first form of a page whose action contains a text."""
        form = next(each for each in parse(page).forms if action in each.action)
        if form.method == "get":
            answer: Response = self.client.get(form.action, params=form.fields | fields)
        else:
            answer = self.client.post(form.action, data=form.fields | fields)
        return answer


def sign_in(client: TestClient, link: str) -> Browser:
    """Open a link in a new browser and press its button."""
    fresh = TestClient(client.app, headers={"Accept": "text/html"}, raise_server_exceptions=False)
    fresh.portal = client.portal
    browser = Browser(fresh)
    page = browser.get(link)
    assert page.status_code == 200, text_of(page)
    browser.send(page, link)
    return browser


def create_link(
    session: Session, role: Role = Role.ADMIN, email: str = "kim@example.com", name: str = "Kim"
) -> str:
    actor = Actor(factories.workspace(session).id, "test", NOW - timedelta(days=1))
    _, token = service.invite_member(session, actor, email=email, name=name, role=role)
    session.commit()
    return f"/sign-in/{token}"


SignedIn = Callable[..., Browser]


@pytest.fixture
def signed_in(client: TestClient, session: Session) -> SignedIn:
    """Return a function that signs in a new member of a role."""

    def create(role: Role = Role.ADMIN, **member: str) -> Browser:
        return sign_in(client, create_link(session, role, **member))

    return create


@pytest.fixture
def browser(signed_in: SignedIn) -> Browser:
    """The browser of an admin."""
    return signed_in()


def path_of(answer: Response) -> str:
    """Return the path and query of the page that a browser shows after redirects."""
    return re.sub(r"^https?://[^/]+", "", str(answer.url))
