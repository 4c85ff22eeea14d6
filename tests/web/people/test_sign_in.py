"""Signing in and out: links work once, sessions are new, cookies are strict."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.members.roles import Role
from tests.web.conftest import Browser, SignedIn, create_link, parse, path_of, sign_in, text_of


def test_a_link_shows_a_button_that_signs_in_once(client: TestClient, session: Session) -> None:
    link = create_link(session)

    browser = sign_in(client, link)

    assert browser.get("/profile").status_code == 200
    again = browser.get(link)
    assert again.status_code == 401
    assert "used already" in text_of(again)


def test_looking_at_a_link_does_not_use_it(client: TestClient, session: Session) -> None:
    link = create_link(session)
    for _ in range(3):
        assert client.get(link).status_code == 200

    assert sign_in(client, link).get("/profile").status_code == 200


def test_a_page_leads_to_sign_in_and_names_itself(client: TestClient) -> None:
    answer = client.get("/members?a=1", follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fmembers%3Fa%3D1"


def test_the_cookie_is_strict(client: TestClient, session: Session) -> None:
    answer = client.post(create_link(session), data={"x": ""}, follow_redirects=False)

    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/", "max-age=2592000"):
        assert part in cookie
    assert "secure" not in cookie
    assert "domain" not in cookie


def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(
    client: TestClient, session: Session
) -> None:
    client.app.state.public_url = "https://health.example.com"  # type: ignore[attr-defined]
    link = create_link(session)

    answer = client.post(
        link,
        headers={"Origin": "https://health.example.com"},
        follow_redirects=False,
    )

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-health_session=")
    assert "secure" in cookie.lower()


def test_a_session_that_somebody_else_chose_is_not_used(
    client: TestClient, session: Session
) -> None:
    """Session fixation: a cookie that was set before stays worthless."""
    chosen = {"Cookie": "health_session=chosen-by-an-attacker"}
    answer = client.post(create_link(session), headers=chosen, follow_redirects=False)

    assert "chosen-by-an-attacker" not in answer.headers["set-cookie"]
    other = TestClient(client.app, cookies={"health_session": "chosen-by-an-attacker"})
    other.portal = client.portal
    assert other.get("/profile", follow_redirects=False).status_code == 303


def test_signing_in_again_ends_the_session_of_the_cookie(
    client: TestClient, session: Session, signed_in: SignedIn
) -> None:
    browser = signed_in()
    before = browser.client.cookies["health_session"]
    link = create_link(session, Role.VIEWER, "lee@example.com", "Lee")
    browser.send(browser.get(link), link)

    old = TestClient(client.app, cookies={"health_session": before})
    old.portal = client.portal
    assert old.get("/profile", follow_redirects=False).status_code == 303
    assert "Lee" in text_of(browser.get("/profile"))


def test_signing_out_ends_the_session(browser: Browser) -> None:
    cookie = browser.client.cookies["health_session"]

    answer = browser.send(browser.get("/profile"), "/sign-out")

    assert path_of(answer) == "/sign-in"
    browser.client.cookies.set("health_session", cookie)
    assert path_of(browser.get("/profile")).startswith("/sign-in")


def test_signing_out_everywhere_ends_every_session(client: TestClient, browser: Browser) -> None:
    [member] = client.get("/api/v1/members").json()["items"]
    link = client.post(f"/api/v1/members/{member['id']}/link").json()["link"]
    second = sign_in(client, link)

    answer = browser.send(browser.get("/profile"), "/sign-out-everywhere")

    assert path_of(answer) == "/sign-in"
    assert path_of(second.get("/profile")).startswith("/sign-in")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_sign_a_browser_in(
    client: TestClient, session: Session, site: str
) -> None:
    """Login CSRF: the browser would act as the member that the attacker chose."""
    link = create_link(session)

    answer = client.post(link, data={"x": ""}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert sign_in(client, link).get("/profile").status_code == 200, "the link is still unused"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example"]
)
def test_a_form_of_another_origin_is_refused(
    client: TestClient, session: Session, origin: str
) -> None:
    answer = client.post(create_link(session), data={"x": ""}, headers={"Origin": origin})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"),
        *("javascript:alert(1)", "", "evil", "/ x", "\\\\evil.example", "/%0d\r\nx"),
    ],
)
def test_no_page_leads_to_another_site(browser: Browser, path: str) -> None:
    forms = parse(browser.get("/profile")).forms
    fields = next(each.fields for each in forms if each.action == "/profile")

    answer = browser.client.post("/profile", data=fields | {"back": path}, follow_redirects=False)

    assert answer.headers["location"] == "/profile?done=saved"
