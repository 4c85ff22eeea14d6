from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.workspaces import service
from app.workspaces.keys import Scope, parse_key_id
from tests import factories
from tests.conftest import NOW

KEYS, WORKSPACE, AUDIT = "/api/v1/api-keys", "/api/v1/workspace", "/api/v1/audit-entries"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def create_key(client: TestClient, **fields: object) -> dict[str, Any]:
    answer = client.post(KEYS, json={"name": "backend", "scopes": ["admin"], **fields})
    assert answer.status_code == 201
    key: dict[str, Any] = answer.json()
    return key


def status_with(client: TestClient, key: dict[str, Any]) -> int:
    status: int = client.get(WORKSPACE, headers=bearer(key["key"])).status_code
    return status


def actions(client: TestClient) -> list[str]:
    return [entry["action"] for entry in client.get(AUDIT).json()["items"]]


def test_an_update_changes_only_the_sent_fields(client: TestClient) -> None:
    before = client.get(WORKSPACE).json()

    after = client.patch(WORKSPACE, json={"name": "Acme", "base_currency": "EUR"}).json()

    assert after == client.get(WORKSPACE).json()
    assert after == before | {"name": "Acme", "base_currency": "EUR"}


def test_an_update_of_the_workspace_is_audited_with_the_changed_fields(client: TestClient) -> None:
    client.patch(WORKSPACE, json={"name": "Acme", "reach": "ids"})
    client.patch(WORKSPACE, json={"name": "Acme"})

    newest = client.get(AUDIT).json()["items"][0]

    assert (newest["action"], newest["subject"]) == ("workspace.changed", "acme")
    assert newest["details"] == {"name": "Acme"}
    assert newest["actor"].startswith("key:")
    assert actions(client).count("workspace.changed") == 1


@pytest.mark.parametrize(
    ("incomplete", "rest"),
    [
        ({"reach": "property"}, {"reach_property": "recipients"}),
        ({"reach": "events"}, {"reach_events": ["Sent"]}),
    ],
)
def test_a_reach_method_needs_its_field(
    client: TestClient, incomplete: dict[str, Any], rest: dict[str, Any]
) -> None:
    refused = client.patch(WORKSPACE, json=incomplete)

    assert (refused.status_code, refused.json()["code"]) == (409, "reach_incomplete")
    assert client.get(WORKSPACE).json()["reach"] == "ids"
    assert client.patch(WORKSPACE, json=incomplete | rest).status_code == 200


@pytest.mark.parametrize(
    "invalid",
    [
        {"base_currency": "euro"},
        {"reach": "guess"},
        {"name": None},
        {"name": ""},
        {"internal_domains": ["Vendor.example"]},
        {"internal_domains": ["ada@vendor.example"]},
        {"end_customer_keys": ["a\x00"]},
        {"id": "other"},
    ],
)
def test_an_invalid_workspace_is_refused(client: TestClient, invalid: dict[str, Any]) -> None:
    assert client.patch(WORKSPACE, json=invalid).status_code == 422


@pytest.mark.parametrize("path", [WORKSPACE, KEYS, AUDIT])
def test_administration_needs_the_admin_scope(
    client: TestClient, session: Session, path: str
) -> None:
    other_scopes = [scope for scope in Scope if scope is not Scope.ADMIN]
    key = factories.api_key(session, factories.workspace(session), other_scopes)
    session.commit()

    assert client.get(path, headers=bearer(key)).status_code == 403
    assert client.get(path).status_code == 200


def test_a_new_key_works_and_its_text_is_shown_once(client: TestClient) -> None:
    key = create_key(client, scopes=["health:read"])

    assert client.get("/api/v1/users", headers=bearer(key["key"])).status_code == 200
    listed = next(k for k in client.get(KEYS).json()["items"] if k["id"] == key["id"])
    assert "key" not in listed
    assert listed["scopes"] == ["health:read"]
    assert key["key"] not in client.get(AUDIT).text


@pytest.mark.parametrize(
    "invalid",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"name": ""},
        {"expires_in_seconds": 0},
        {"expires_in_seconds": "60"},
    ],
)
def test_an_invalid_key_is_refused(client: TestClient, invalid: dict[str, Any]) -> None:
    body = {"name": "backend", "scopes": ["admin"], **invalid}
    assert client.post(KEYS, json=body).status_code == 422


def test_a_key_expires(client: TestClient, session: Session) -> None:
    valid = create_key(client, expires_in_seconds=60)
    actor = service.Actor("acme", "test", NOW)
    expired = service.create_key(session, actor, name="old", scopes=[Scope.ADMIN], expires_at=NOW)
    session.commit()

    assert status_with(client, valid) == 200
    assert client.get(WORKSPACE, headers=bearer(expired.text)).status_code == 401


def test_a_revoked_key_ends_at_once(client: TestClient) -> None:
    key = create_key(client)

    revoked = client.post(f"{KEYS}/{key['id']}/revoke").json()
    again = client.post(f"{KEYS}/{key['id']}/revoke").json()

    assert revoked["revoked_at"] == again["revoked_at"] is not None
    assert status_with(client, key) == 401
    assert actions(client)[0] == "api_key.revoked"


def test_a_key_cannot_revoke_itself(client: TestClient) -> None:
    key = create_key(client)

    refused = client.post(f"{KEYS}/{key['id']}/revoke", headers=bearer(key["key"]))

    assert (refused.status_code, refused.json()["code"]) == (409, "own_key")
    assert status_with(client, key) == 200


def test_a_rotated_key_stays_valid_beside_its_successor(client: TestClient) -> None:
    key = create_key(client, scopes=["admin", "health:read"])

    answer = client.post(f"{KEYS}/{key['id']}/rotate", json={"overlap_seconds": 60})

    assert answer.status_code == 201
    successor = answer.json()
    assert (successor["name"], successor["scopes"]) == (key["name"], key["scopes"])
    assert successor["expires_at"] is None
    assert status_with(client, successor) == status_with(client, key) == 200
    listed = next(k for k in client.get(KEYS).json()["items"] if k["id"] == key["id"])
    assert listed["expires_at"] == (NOW + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")


def test_a_rotation_without_an_overlap_ends_the_old_key(client: TestClient) -> None:
    key = create_key(client)

    client.post(f"{KEYS}/{key['id']}/rotate", json={"overlap_seconds": 0})

    assert status_with(client, key) == 401


def test_a_key_is_rotated_once_and_not_after_it_ended(client: TestClient) -> None:
    rotated, revoked = create_key(client), create_key(client)
    successor = client.post(f"{KEYS}/{rotated['id']}/rotate").json()
    client.post(f"{KEYS}/{revoked['id']}/revoke")

    again = client.post(f"{KEYS}/{rotated['id']}/rotate")

    assert again.status_code == 409
    assert successor["id"] in again.json()["detail"]
    assert client.post(f"{KEYS}/{revoked['id']}/rotate").status_code == 409
    assert client.post(f"{KEYS}/{successor['id']}/rotate").status_code == 201


def test_keys_of_another_workspace_are_not_found(client: TestClient, session: Session) -> None:
    foreign_id = parse_key_id(factories.api_key(session, factories.workspace(session, "other")))
    session.commit()

    assert foreign_id not in [key["id"] for key in client.get(KEYS).json()["items"]]
    assert client.post(f"{KEYS}/{foreign_id}/revoke").status_code == 404
    assert client.post(f"{KEYS}/{foreign_id}/rotate").status_code == 404


@pytest.mark.parametrize("path", [KEYS, AUDIT])
def test_each_page_starts_after_the_previous_one(client: TestClient, path: str) -> None:
    for _ in range(3):
        create_key(client)
    whole = [item["id"] for item in client.get(path).json()["items"]]

    ids: list[object] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = client.get(path, params=params).json()
        ids += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    assert ids == whole
