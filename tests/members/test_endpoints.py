"""Members over the API: invited by link, changed, removed; only hashes are stored."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.members.tables import Member
from app.members.tokens import hash_token
from tests.conftest import NOW

MEMBERS, AUDIT = "/api/v1/members", "/api/v1/audit-entries"


def invite(client: TestClient, **fields: object) -> dict[str, Any]:
    body = {"email": "Kim@Example.com", "name": "Kim", **fields}
    answer = client.post(MEMBERS, json=body)
    assert answer.status_code == 201
    member: dict[str, Any] = answer.json()
    return member


def newest_entry(client: TestClient) -> dict[str, Any]:
    entry: dict[str, Any] = client.get(AUDIT).json()["items"][0]
    return entry


def test_an_invited_member_is_listed_without_the_link(client: TestClient) -> None:
    member = invite(client)
    link = member.pop("link")

    assert client.get(MEMBERS).json()["items"] == [member]
    assert client.get(f"{MEMBERS}/{member['id']}").json() == member
    assert (member["email"], member["role"]) == ("kim@example.com", "member")
    assert (member["joined_at"], member["link_expires_at"]) == (None, "2026-03-25T12:00:00Z")
    assert link.startswith("/sign-in/")


def test_only_the_hash_of_a_link_is_stored(client: TestClient, session: Session) -> None:
    token = invite(client)["link"].removeprefix("/sign-in/")

    stored = session.query(Member).one()

    assert stored.link_hash == hash_token(token)
    assert token not in str(vars(stored))


def test_an_address_is_a_member_once_in_any_case(client: TestClient) -> None:
    invite(client)

    again = client.post(MEMBERS, json={"email": "KIM@example.COM", "name": "Kim"})

    assert (again.status_code, again.json()["code"]) == (409, "member_exists")


@pytest.mark.parametrize("email", ["kim", "kim@", "@example.com", "k m@example.com", "a@b@c", ""])
def test_an_address_is_checked(client: TestClient, email: str) -> None:
    assert client.post(MEMBERS, json={"email": email, "name": "Kim"}).status_code == 422


def test_changes_are_audited_without_name_and_address(client: TestClient) -> None:
    member = invite(client)

    changed = client.patch(
        f"{MEMBERS}/{member['id']}", json={"name": "Kim Lee", "role": "admin", "language": "zh"}
    ).json()

    assert (changed["name"], changed["role"], changed["language"]) == ("Kim Lee", "admin", "zh")
    entry = newest_entry(client)
    assert (entry["action"], entry["subject"]) == ("member.changed", member["id"])
    assert entry["details"] == {"role": "admin", "language": "zh"}


def test_a_new_link_replaces_the_unused_one(client: TestClient, session: Session) -> None:
    member = invite(client)

    again = client.post(f"{MEMBERS}/{member['id']}/link").json()

    assert again["link"] != member["link"]
    token = again["link"].removeprefix("/sign-in/")
    assert session.query(Member).one().link_hash == hash_token(token)


def test_a_removed_member_leaves_only_an_id_in_the_audit_log(client: TestClient) -> None:
    member = invite(client)

    assert client.delete(f"{MEMBERS}/{member['id']}").status_code == 204

    assert client.get(MEMBERS).json()["items"] == []
    entries = client.get(AUDIT).text
    assert member["id"] in entries
    assert "kim" not in entries.lower()
    assert "Kim" not in entries


def test_the_time_of_a_change_is_that_of_the_request(client: TestClient) -> None:
    invite(client)

    assert newest_entry(client)["at"] == NOW.isoformat().replace("+00:00", "Z")
