"""Signing in by an identity provider, and everything that must not sign anybody in."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.members import service
from app.members.oidc import IdentityProvider
from app.members.roles import Role
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW
from tests.web.conftest import Browser, create_link, path_of, text_of
from tests.web.people.issuer import CLIENT_ID, CLIENT_SECRET, START, Issuer, run_issuer


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with run_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: Issuer) -> Issuer:
    """The provider as it is when it tells the truth."""
    running.claims, running.document, running.signs_with = {}, {}, "RS256"
    return running


@pytest.fixture
def browser(client: TestClient, session: Session, issuer: Issuer) -> Browser:
    """A browser without a session, at a service that knows the provider and one member."""
    create_link(session, Role.MEMBER)
    state: Any = client.app.state  # type: ignore[attr-defined]
    state.identity_provider = IdentityProvider(issuer.url, CLIENT_ID, CLIENT_SECRET)
    fresh = TestClient(client.app, headers={"Accept": "text/html"}, raise_server_exceptions=False)
    fresh.portal = client.portal
    return Browser(fresh)


def begin(browser: Browser, **params: str) -> str:
    """Press the button; return the address of the provider to which the browser is sent."""
    answer = browser.get("/oidc/start", params=params, follow_redirects=False)
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["location"])


def log_in(browser: Browser, issuer: Issuer, **params: str) -> Response:
    email = params.pop("email", "kim@example.com")
    return browser.get(issuer.authorize(begin(browser, **params), email))


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/profile", follow_redirects=False).status_code == 200


def test_a_member_signs_in_by_the_provider_and_comes_back(browser: Browser, issuer: Issuer) -> None:
    page = browser.get("/sign-in?next=/members")
    assert "Sign in with your company account" in text_of(page)

    answer = log_in(browser, issuer, next="/profile?x=1")

    assert path_of(answer) == "/profile?x=1"
    assert "kim@example.com" in text_of(answer)


def test_case_of_the_address_does_not_matter(browser: Browser, issuer: Issuer) -> None:
    log_in(browser, issuer, email="Kim@EXAMPLE.com")

    assert is_signed_in(browser)


def test_a_provider_without_a_shared_secret_works_by_pkce(
    browser: Browser, issuer: Issuer, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: Any = client.app.state  # type: ignore[attr-defined]
    state.identity_provider = IdentityProvider(issuer.url, CLIENT_ID, None)
    exchange = issuer.token
    basic = "Basic Y3VzdG9tZXItaGVhbHRoOnNlY3JldCBvZiB0aGUgY2xpZW50"
    monkeypatch.setattr(issuer, "token", lambda form, _: exchange(form, basic))

    log_in(browser, issuer)

    assert is_signed_in(browser)


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://other.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": START - 61},
        {"exp": None},
        {"iat": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"email": 5},
    ],
)
def test_a_token_that_says_something_else_signs_nobody_in(
    browser: Browser, issuer: Issuer, lie: dict[str, Any]
) -> None:
    issuer.claims = lie

    answer = log_in(browser, issuer)

    assert answer.status_code == 401
    assert not is_signed_in(browser)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256"])
def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(
    browser: Browser, issuer: Issuer, algorithm: str
) -> None:
    issuer.signs_with = algorithm

    assert log_in(browser, issuer).status_code == 401
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": None},
        {"jwks_uri": 5},
        {"authorization_endpoint": None},
    ],
)
def test_a_document_that_does_not_fit_signs_nobody_in(
    browser: Browser, issuer: Issuer, document: dict[str, Any]
) -> None:
    address = begin(browser)
    issuer.document = document

    assert browser.get(issuer.authorize(address)).status_code in {200, 401}
    assert browser.get("/oidc/start").status_code in {401, 404}
    issuer.document = {"issuer": "https://other.example"}
    assert browser.get("/oidc/start").status_code == 401


@pytest.mark.parametrize("change", [{"state": "another"}, {"code": ""}, {"code": "another"}])
def test_an_answer_that_was_not_begun_here_signs_nobody_in(
    browser: Browser, issuer: Issuer, change: dict[str, str]
) -> None:
    address = issuer.authorize(begin(browser))
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

    answer = browser.get("/oidc/callback", params=query | change)

    assert answer.status_code == 401
    assert not is_signed_in(browser)


def test_the_answer_of_another_browser_signs_nobody_in(browser: Browser, issuer: Issuer) -> None:
    """Login CSRF: an attacker sends the own answer to somebody else."""
    address = issuer.authorize(begin(browser))
    browser.client.cookies.clear()

    answer = browser.get(address)

    assert answer.status_code == 401
    assert "another browser" in text_of(answer)


def test_a_code_counts_once(browser: Browser, issuer: Issuer) -> None:
    address = begin(browser)
    back = issuer.authorize(address)
    cookies = dict(browser.client.cookies)
    browser.get(back)
    assert is_signed_in(browser)

    browser.client.cookies.clear()
    browser.client.cookies.update(cookies)

    assert browser.get(back).status_code == 401


def test_who_is_no_member_learns_whom_to_ask(browser: Browser, issuer: Issuer) -> None:
    answer = log_in(browser, issuer, email="nobody@example.com")

    assert answer.status_code == 403
    assert "ask an admin to invite this address" in text_of(answer)
    assert not is_signed_in(browser)


def test_a_member_of_two_workspaces_names_one(
    browser: Browser, issuer: Issuer, session: Session
) -> None:
    actor = Actor(factories.workspace(session, "other").id, "test", NOW)
    service.invite_member(
        session, actor, email="kim@example.com", name="Kim elsewhere", role=Role.VIEWER
    )
    session.commit()

    log_in(browser, issuer, workspace="other")
    assert "Kim elsewhere" in text_of(browser.get("/profile"))
    assert log_in(browser, issuer, workspace="absent").status_code == 403


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_to_no_other_site(browser: Browser, issuer: Issuer, path: str) -> None:
    address = issuer.authorize(begin(browser, next=path))

    answer = browser.get(address, follow_redirects=False)

    assert answer.headers["location"] == "/"


def test_a_provider_that_is_away_is_a_clear_page(browser: Browser, client: TestClient) -> None:
    state: Any = client.app.state  # type: ignore[attr-defined]
    state.identity_provider = IdentityProvider("http://127.0.0.1:9", CLIENT_ID, None)

    answer = browser.get("/oidc/start")

    assert answer.status_code == 401
    assert "did not confirm" in text_of(answer)


def join(session: Session, workspace_id: str, email: str = "kim@example.com") -> None:
    """Add a member of another workspace, who has signed in nowhere yet."""
    factories.workspace(session, workspace_id)
    actor = Actor(workspace_id, "test", NOW)
    service.invite_member(session, actor, email=email, name="Kim", role=Role.VIEWER)
    session.commit()


def test_a_member_of_several_workspaces_enters_another_from_the_profile(
    browser: Browser, issuer: Issuer, session: Session
) -> None:
    join(session, "second")
    join(session, "foreign", "lee@example.com")
    log_in(browser, issuer, workspace="acme")
    profile = browser.get("/profile")
    assert "/oidc/start?choose=yes" in profile.text

    choice = log_in(browser, issuer, choose="yes")

    assert re.findall(r"workspace=([a-z]+)", choice.text) == ["acme", "second"]
    assert "acme" in text_of(browser.get("/profile"))
    log_in(browser, issuer, workspace="second")
    assert "kim@example.com · viewer · second" in text_of(browser.get("/profile"))


def test_only_the_confirmed_address_counts_when_a_workspace_is_chosen(
    browser: Browser, issuer: Issuer, session: Session
) -> None:
    """Kim is signed in, and the provider confirms the address of Lee."""
    join(session, "foreign", "lee@example.com")
    log_in(browser, issuer)

    choice = log_in(browser, issuer, choose="yes", email="lee@example.com")
    refused = log_in(browser, issuer, workspace="foreign")

    assert re.findall(r"workspace=([a-z]+)", choice.text) == ["foreign"]
    assert "kim@example.com" in text_of(browser.get("/profile"))
    assert refused.status_code == 403


def test_somebody_without_a_workspace_is_offered_none(browser: Browser, issuer: Issuer) -> None:
    choice = log_in(browser, issuer, choose="yes", email="nobody@example.com")

    assert "member of no workspace" in text_of(choice)
    assert not is_signed_in(browser)


def test_without_a_provider_there_is_no_button(client: TestClient) -> None:
    page = client.get("/sign-in", headers={"Accept": "text/html"})

    assert "company account" not in page.text
    assert client.get("/oidc/start").status_code == 404


@pytest.mark.parametrize(
    "incomplete", [{"oidc_issuer": "https://id.example.com"}, {"oidc_client_id": "c"}]
)
def test_issuer_and_client_are_set_together(incomplete: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="or neither"):
        Settings(_env_file=None, **incomplete)  # type: ignore[arg-type]
