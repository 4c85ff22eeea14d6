from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.refresh_queue import ClaimedAccount, Priority, claim_due
from app.workspaces.keys import Scope
from tests import factories

ACCOUNTS, USERS = "/api/v1/accounts", "/api/v1/users"
JAN = date(2026, 1, 1)


def claim(session: Session) -> list[ClaimedAccount]:
    return list(claim_due(session, limit=100))


def live(*account_ids: str) -> list[ClaimedAccount]:
    return [
        ClaimedAccount("acme", account_id, Priority.LIVE, notify=True) for account_id in account_ids
    ]


def test_an_account_is_created_and_read_back(client: TestClient, session: Session) -> None:
    body = {
        "name": "Acme Corp",
        "segment": "smb",
        "employees": 250,
        "started_on": "2024-05-01",
        "traits": {"region": "emea", "nested": {"deep": [1, 2.5, None]}, "gone": None},
        "feature_exceptions": {"sso": True},
    }

    answer = client.put(f"{ACCOUNTS}/a1", json=body)

    assert answer.status_code == 200
    found = client.get(f"{ACCOUNTS}/a1").json()
    assert found == answer.json()
    assert found["traits"] == {"region": "emea", "nested": {"deep": [1, 2.5, None]}}
    assert (found["name"], found["owner"], found["excluded"]) == ("Acme Corp", None, False)
    assert claim(session) == live("a1")


def test_put_resets_fields_that_are_not_sent(client: TestClient) -> None:
    client.put(f"{ACCOUNTS}/a1", json={"name": "Acme", "traits": {"a": 1}, "excluded": True})

    found = client.put(f"{ACCOUNTS}/a1", json={"owner": "Ines"}).json()

    assert (found["name"], found["owner"]) == (None, "Ines")
    assert (found["traits"], found["excluded"]) == ({}, False)


def test_patch_changes_only_the_sent_fields_and_null_removes(client: TestClient) -> None:
    body = {"name": "Acme", "owner": "Ines", "traits": {"a": 1, "b": 2}, "excluded": True}
    client.put(f"{ACCOUNTS}/a1", json={**body, "feature_exceptions": {"x": True, "y": False}})

    changes = {"owner": None, "traits": {"a": None, "c": 3}, "feature_exceptions": {"x": None}}
    found = client.patch(f"{ACCOUNTS}/a1", json=changes).json()

    assert (found["name"], found["owner"], found["excluded"]) == ("Acme", None, True)
    assert found["traits"] == {"b": 2, "c": 3}
    assert found["feature_exceptions"] == {"y": False}


@pytest.mark.parametrize(
    "path", [f"{ACCOUNTS}/nobody", f"{ACCOUNTS}/nobody/mrr", f"{USERS}/nobody"]
)
def test_unknown_ids_are_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", [ACCOUNTS, USERS])
def test_patch_creates_nothing(client: TestClient, session: Session, path: str) -> None:
    assert client.patch(f"{path}/nobody", json={"name": "N"}).status_code == 404
    assert claim(session) == []


def test_another_workspace_cannot_be_seen_or_changed(client: TestClient, session: Session) -> None:
    factories.account(session, "a1", workspace_id=factories.workspace(session, "other").id)
    session.commit()

    assert client.get(f"{ACCOUNTS}/a1").status_code == 404
    assert client.patch(f"{ACCOUNTS}/a1", json={"name": "Mine"}).status_code == 404
    client.put(f"{ACCOUNTS}/a1", json={"name": "Mine"})
    session.expire_all()
    assert queries.get_account(session, "other", "a1").name is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"name": "a\\u0000b"}', "/body/name"),
        (b'{"traits": {"a": "b\\u0000"}}', "/body/traits"),
        (b'{"traits": {"a\\u0000": 1}}', "/body/traits"),
        (b'{"traits": {"a": "\\ud800"}}', "/body/traits"),
        (b'{"traits": {"a": NaN}}', "/body/traits"),
        (b'{"traits": {"a": 1e999}}', "/body/traits"),
        (b'{"traits": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}", "/body/traits"),
        (b'{"traits": {"a": "' + b"x" * 70_000 + b'"}}', "/body/traits"),
        (b'{"traits": []}', "/body/traits"),
        (b'{"employees": -1}', "/body/employees"),
        (b'{"employees": "5"}', "/body/employees"),
        (b'{"started_on": 0}', "/body/started_on"),
        (b'{"started_on": "2026-02-30"}', "/body/started_on"),
        (b'{"excluded": "yes"}', "/body/excluded"),
        (b'{"excluded": null}', "/body/excluded"),
        (b'{"feature_exceptions": {"a": 1}}', "/body/feature_exceptions/a"),
        (b'{"mrr": 5}', "/body/mrr"),
    ],
)
def test_values_that_cannot_be_stored_are_named(
    client: TestClient, body: bytes, pointer: str
) -> None:
    answer = client.put(
        f"{ACCOUNTS}/a1", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert client.get(f"{ACCOUNTS}/a1").status_code == 404


@pytest.mark.parametrize("body", [b"{", b'{"a": \xff}', b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_bad_request(client: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.put(f"{ACCOUNTS}/a1", content=body, headers=headers).status_code == 400


def test_an_odd_field_name_is_rejected_and_not_echoed(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.put(f"{ACCOUNTS}/a1", content=b'{"\\ud800": 1}', headers=headers)

    assert answer.status_code == 422


@pytest.mark.parametrize("account_id", ["a" * 256, "a%00b"])
def test_an_id_that_cannot_be_stored_is_rejected(client: TestClient, account_id: str) -> None:
    assert client.put(f"{ACCOUNTS}/{account_id}", json={}).status_code == 422
    assert client.get(f"{ACCOUNTS}/{account_id}").status_code == 422


def test_reading_and_writing_need_their_scopes(client: TestClient, session: Session) -> None:
    owner = factories.workspace(session)
    reader = factories.api_key(session, owner, [Scope.HEALTH_READ])
    writer = factories.api_key(session, owner, [Scope.ACCOUNTS_WRITE])
    session.commit()
    as_reader = {"Authorization": f"Bearer {reader}"}
    as_writer = {"Authorization": f"Bearer {writer}"}

    assert client.put(f"{ACCOUNTS}/a1", json={}, headers=as_reader).status_code == 403
    assert client.put(f"{ACCOUNTS}/a1", json={}, headers=as_writer).status_code == 200
    assert client.get(f"{ACCOUNTS}/a1", headers=as_reader).status_code == 200
    assert client.get(f"{ACCOUNTS}/a1", headers=as_writer).status_code == 403
    assert client.get(f"{ACCOUNTS}/a1", headers={"Authorization": ""}).status_code == 401


def test_a_user_is_created_with_their_account(client: TestClient, session: Session) -> None:
    body = {"account_id": "a1", "email": "ada@acme.example", "role": "admin", "traits": {"x": 1}}

    answer = client.put(f"{USERS}/ada", json=body)

    assert answer.status_code == 200
    assert client.get(f"{USERS}/ada").json() == answer.json()
    assert body.items() <= answer.json().items()
    assert client.get(f"{ACCOUNTS}/a1").status_code == 200
    assert claim(session) == live("a1")


def test_a_user_who_moves_makes_both_accounts_due(client: TestClient, session: Session) -> None:
    client.put(f"{USERS}/ada", json={"account_id": "a1", "name": "Ada"})
    claim(session)

    moved = client.patch(f"{USERS}/ada", json={"account_id": "a2"}).json()

    assert (moved["account_id"], moved["name"]) == ("a2", "Ada")
    assert claim(session) == live("a1", "a2")


def test_users_of_internal_domains_are_excluded_unless_the_body_says_otherwise(
    client: TestClient,
) -> None:
    client.patch("/api/v1/workspace", json={"internal_domains": ["vendor.example"]})
    email = {"email": "ines@vendor.example"}

    assert client.put(f"{USERS}/ines", json=email).json()["excluded"]
    assert not client.patch(f"{USERS}/ines", json={"excluded": False}).json()["excluded"]
    assert not client.put(f"{USERS}/ada", json={"email": "ada@acme.example"}).json()["excluded"]
    assert client.patch(f"{USERS}/ada", json=email).json()["excluded"]
    assert client.patch(f"{USERS}/ada", json={"email": None}).json()["excluded"]
    assert not client.patch(f"{USERS}/ada", json={"excluded": None}).json()["excluded"]


def test_users_are_listed_page_by_page(client: TestClient) -> None:
    for user_id in ("c", "a", "b"):
        client.put(f"{USERS}/{user_id}", json={"account_id": "a1"})
    client.put(f"{USERS}/elsewhere", json={"account_id": "a2"})

    found: list[str] = []
    params: dict[str, Any] = {"account_id": "a1", "limit": 2}
    while True:
        page = client.get(USERS, params=params).json()
        found += [user["user_id"] for user in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    assert found == ["a", "b", "c"]
    assert len(client.get(USERS).json()["items"]) == 4


def test_an_invalid_cursor_is_rejected(client: TestClient) -> None:
    answer = client.get(USERS, params={"cursor": "made-up"})

    assert answer.json()["code"] == "invalid_cursor"
