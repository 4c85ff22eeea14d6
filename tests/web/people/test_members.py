"""The page of members: only admins, a link shown once, every act audited."""

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.members.roles import Role
from tests.web.conftest import Browser, SignedIn, parse, path_of, sign_in, text_of


def test_an_admin_invites_a_member_who_signs_in(client: TestClient, browser: Browser) -> None:
    page = browser.get("/members")
    shown = browser.client.post(
        "/members",
        data={**_csrf(page), "email": "ann@example.com", "name": "Ann", "role": "viewer"},
    )
    link = text_of(shown).partition("http://testserver")[2].split()[0]

    assert "Ann" in text_of(sign_in(client, link).get("/profile"))
    assert link not in text_of(browser.get("/members"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_only_an_admin_manages_members(signed_in: SignedIn, role: Role) -> None:
    other = signed_in(role)

    page = other.get("/members")

    assert page.status_code == 403
    assert "ask an admin" in text_of(page)
    assert 'href="/members"' not in other.get("/profile").text
    answer = other.client.post("/members", data={**_csrf(other.get("/profile")), "email": "x@y.z"})
    assert answer.status_code == 403


def test_a_role_changes_and_a_member_is_removed(browser: Browser, signed_in: SignedIn) -> None:
    lee = signed_in(Role.VIEWER, email="lee@example.com", name="Lee")
    page = browser.get("/members")

    changed = browser.send(page, "/role", role="admin")
    assert path_of(changed) == "/members?done=saved"
    assert "Saved." in text_of(changed)
    assert lee.get("/members").status_code == 200

    [remove] = [each for each in _actions(page) if each.endswith("/remove")]  # Kim has none
    browser.client.post(remove.replace("/remove", "/sign-out"), data=_csrf(page))
    assert path_of(lee.get("/members")).startswith("/sign-in")
    browser.client.post(remove, data=_csrf(page))
    assert "lee@example.com" not in browser.get("/members").text


def test_every_act_is_audited_with_the_member(client: TestClient, browser: Browser) -> None:
    page = browser.get("/profile")
    browser.send(page, "/profile", language="zh")

    newest, *_ = client.get("/api/v1/audit-entries").json()["items"]

    assert newest["actor"].startswith("member:mem_")
    assert newest["actor"] == f"member:{newest['subject']}"
    assert newest["details"] == {"language": "zh"}


def test_a_member_reads_the_chosen_language(browser: Browser) -> None:
    english = browser.get("/profile")
    assert "Sign out of every browser" in text_of(english)

    chinese = browser.send(english, "/profile", language="zh")

    assert "在所有浏览器退出登录" in text_of(chinese)
    assert 'lang="zh-Hans"' in chinese.text
    assert "已保存" in text_of(chinese)


def _csrf(page: Response) -> dict[str, str]:
    tokens = [each.fields["csrf"] for each in parse(page).forms if "csrf" in each.fields]
    return {"csrf": tokens[0]}


def _actions(page: Response) -> list[str]:
    return [each.action for each in parse(page).forms]
