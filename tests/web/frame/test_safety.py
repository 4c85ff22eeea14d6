"""Forms of other sites, stale forms, headers, errors, static files."""

import re

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx2 import Response

from app.members.roles import Role
from app.web.endpoints import routers
from tests.web.conftest import Browser, SignedIn, parse, path_of, text_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'"
)
ROUTES = [
    (method, route.path)
    for router in routers
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
ACTS = [path for method, path in ROUTES if method == "POST" and not path.startswith("/sign-in/")]
PAGES = [path for method, path in ROUTES if method == "GET"]
WITHOUT_SESSION = {
    *("/sign-in", "/sign-in/{link}", "/oidc/start", "/oidc/callback", "/static/{name}"),
}


def filled(path: str) -> str:
    return re.sub(r"{[^}]+}", "x1", path)


def form_token(browser: Browser) -> str:
    forms = parse(browser.get("/profile")).forms
    return next(each.fields["csrf"] for each in forms if "csrf" in each.fields)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_security_headers(browser: Browser, path: str) -> None:
    headers = browser.get(filled(path), follow_redirects=False).headers

    assert headers["content-security-policy"] == POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    if not path.startswith("/static"):
        assert headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES} - WITHOUT_SESSION))
def test_every_page_and_act_needs_a_session(client: TestClient, path: str) -> None:
    method = "GET" if path in PAGES else "POST"

    answer = client.request(method, filled(path), follow_redirects=False, data={"a": "b"})

    expected = 303 if method == "GET" else 401
    assert answer.status_code == expected
    if method == "GET":
        assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", ACTS)
@pytest.mark.parametrize("kind", ["none", "empty", "other", "cut"])
def test_an_act_without_the_token_of_its_session_does_nothing(
    client: TestClient, browser: Browser, signed_in: SignedIn, path: str, kind: str
) -> None:
    own = form_token(browser)
    other = form_token(signed_in(email="lee@example.com")) if kind == "other" else ""
    csrf = {"none": {}, "empty": {"csrf": ""}, "other": {"csrf": other}, "cut": {"csrf": own[:-1]}}
    before = client.get("/api/v1/audit-entries").json()["items"]

    answer = browser.client.post(filled(path), data={"a": "b", **csrf[kind]})

    assert answer.status_code == 403
    assert "nothing was changed" in text_of(answer)
    assert client.get("/api/v1/audit-entries").json()["items"] == before


@pytest.mark.parametrize("path", ACTS)
def test_an_act_that_another_site_sends_does_nothing(browser: Browser, path: str) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = browser.client.post(
            filled(path), data={"csrf": form_token(browser)}, headers=headers
        )
        assert answer.status_code == 403


def test_a_form_of_a_session_that_ended_leads_to_a_clear_page(
    browser: Browser, client: TestClient
) -> None:
    page = browser.get("/profile")
    [member] = client.get("/api/v1/members").json()["items"]
    client.post(f"/api/v1/members/{member['id']}/sign-out")

    answer = browser.send(page, "/profile", language="zh")

    assert answer.status_code == 401
    assert "session has ended" in text_of(answer)
    assert client.get("/api/v1/members").json()["items"][0]["language"] is None


@pytest.mark.parametrize(
    "body", [b"csrf=%ff", b"a" * 70_000, b"&".join([b"a=b"] * 300), b"a=%00", b"=&==&"]
)
def test_a_strange_form_is_refused(browser: Browser, body: bytes) -> None:
    answer = browser.client.post(
        "/profile", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code in {403, 413, 422}


def test_the_name_of_a_member_is_shown_as_text(signed_in: SignedIn) -> None:
    name = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    browser = signed_in(name=name)

    page = browser.get("/members")

    assert "<img src=x" not in page.text
    assert name in text_of(page)


def test_an_unknown_address_is_a_page_for_a_browser_and_a_problem_for_a_tool(
    client: TestClient, browser: Browser
) -> None:
    page = browser.get("/nothing")

    assert (page.status_code, page.headers["content-security-policy"]) == (404, POLICY)
    assert "There is no such page" in text_of(page)
    for path in ("/nothing", "/api/v1/nothing"):
        assert client.get(path).json()["code"] == "not_found"
    assert browser.get("/api/v1/nothing").json()["code"] == "not_found"


def test_an_error_page_speaks_the_language_of_the_member(browser: Browser) -> None:
    browser.send(browser.get("/profile"), "/profile", language="zh")

    assert "没有" in text_of(browser.client.post("/members/nobody/role", data={}))


def test_a_viewer_is_refused_by_role_before_the_form_is_read(signed_in: SignedIn) -> None:
    answer = signed_in(Role.VIEWER).client.post("/members", data={"a": "b"})

    assert answer.status_code == 403
    assert "ask an admin" in text_of(answer)


def static_paths(page: Response) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)


def test_static_files_have_names_with_their_hash_and_are_stored_for_a_year(
    browser: Browser,
) -> None:
    paths = static_paths(browser.get("/profile"))

    assert len(paths) == 4
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == 200
        assert re.search(r"-[0-9a-f]{16}\.(css|js|svg)$", path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert browser.get(paths[0].replace("-", "-0")).status_code == 404


def test_pages_have_nothing_inline_and_nothing_of_other_hosts(browser: Browser) -> None:
    for path in ("/profile", "/members", "/nothing"):
        page = browser.get(path).text
        assert not re.search(r"\son\w+=|\sstyle=|<style|<script>|https?://(?!testserver)", page)


def test_a_long_page_is_compressed(browser: Browser) -> None:
    answer = browser.get("/profile", headers={"Accept-Encoding": "gzip"})
    plain = browser.get("/profile", headers={"Accept-Encoding": "identity"})

    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert path_of(answer) == path_of(plain)
