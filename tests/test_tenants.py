"""Every route, asked with no key, with a key that may not, and with a key of another tenant."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.workspaces.keys import Scope
from tests import factories
from tests.test_openapi import API, OPERATIONS

THEIRS = "theirs"

INGEST = {name for name in API if "SDK ingestion" in OPERATIONS[name]["tags"]} | {
    "POST /api/v1/events"
}

# What a caller of another tenant gets where the route names somebody's id.
NOT_FOUND = {
    "GET /api/v1/accounts/{account_id}",
    "GET /api/v1/accounts/{account_id}/health",
    "GET /api/v1/accounts/{account_id}/health/history",
    "GET /api/v1/accounts/{account_id}/mrr",
    "PATCH /api/v1/accounts/{account_id}",
    "POST /api/v1/accounts/{account_id}/health/refresh",
    "POST /api/v1/subscriptions/{subscription_id}/end",
    "GET /api/v1/users/{user_id}",
    "PATCH /api/v1/users/{user_id}",
    "GET /api/v1/plans/{key}",
    "DELETE /api/v1/plans/{key}",
    "GET /api/v1/product-features/{key}",
    "DELETE /api/v1/product-features/{key}",
    "GET /api/v1/quarantine/{quarantine_id}",
    "POST /api/v1/api-keys/{key_id}/revoke",
    "POST /api/v1/api-keys/{key_id}/rotate",
}
# Creates one's own of the same name, and leaves theirs as it is.
MAKES_ITS_OWN = {
    "PUT /api/v1/accounts/{account_id}": {"name": "Mine"},
    "PUT /api/v1/users/{user_id}": {"name": "Mine"},
    "PUT /api/v1/plans/{key}": {"name": "Mine"},
    "PUT /api/v1/product-features/{key}": {"name": "Mine", "event_names": ["Mine"]},
    "PUT /api/v1/subscriptions/{subscription_id}": {"account_id": THEIRS, "mrr_cents": 1},
}
# Lists, which must hold nothing of theirs.
OWN_LIST = {
    "GET /api/v1/accounts",
    "GET /api/v1/users",
    "GET /api/v1/subscriptions",
    "GET /api/v1/plans",
    "GET /api/v1/product-features",
    "GET /api/v1/quarantine",
    "GET /api/v1/health-scores",
}
# Of the caller's own workspace, whoever calls.
OWN_WORKSPACE = {
    "GET /api/v1/workspace",
    "PATCH /api/v1/workspace",
    "GET /api/v1/api-keys",
    "POST /api/v1/api-keys",
    "GET /api/v1/audit-entries",
}
BODIES: dict[str, Any] = {
    "POST /api/v1/subscriptions/{subscription_id}/end": {"account_id": THEIRS},
    "POST /api/v1/api-keys": {"name": "k", "scopes": ["health:read"]},
}


@pytest.fixture
def theirs(client: TestClient, session: Session) -> Iterator[TestClient]:
    """The key of a tenant that has one of everything, all of one name."""
    key = factories.key(session, factories.workspace(session, "other"))
    session.commit()
    with TestClient(client.app, headers={"Authorization": f"Bearer {key}"}) as other:
        for name, body in MAKES_ITS_OWN.items():
            assert ask(other, name, body=body).status_code == 200
        other.post("/v1/batch", json={"batch": [{"type": "nonsense"}]})
        yield other


def ask(
    client: TestClient,
    name: str,
    *,
    named: str = THEIRS,
    body: Any = None,  # noqa: ANN401
    **how: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    method, path = name.split()
    path = path[: path.index("{")] + named + path[path.index("}") + 1 :] if "{" in path else path
    if name == "GET /api/v1/health-scores":
        how["params"] = {"account_id": named}
    body = BODIES.get(name, {}) if body is None else body
    return client.request(method, path, json=None if method == "GET" else body, **how)


def name_for(theirs: TestClient, name: str) -> str:
    if "quarantine_id" in name:
        return str(theirs.get("/api/v1/quarantine").json()["items"][0]["id"])
    if "key_id" in name:
        return str(theirs.get("/api/v1/api-keys").json()["items"][0]["id"])
    return THEIRS


def test_what_is_to_happen_on_every_route_has_been_decided() -> None:
    """A new route is added to one of the sets above first."""
    decided = [INGEST, NOT_FOUND, set(MAKES_ITS_OWN), OWN_LIST, OWN_WORKSPACE]

    assert sorted(name for each in decided for name in each) == sorted(API)


@pytest.mark.parametrize("name", sorted(NOT_FOUND))
def test_what_belongs_to_another_tenant_is_not_found(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    named = name_for(theirs, name)

    answer = ask(client, name, named=named)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("name", sorted(NOT_FOUND - {"POST /api/v1/api-keys/{key_id}/revoke"}))
def test_the_owner_finds_it(theirs: TestClient, name: str) -> None:
    """Else the other answers would prove nothing. A key cannot revoke itself."""
    assert ask(theirs, name, named=name_for(theirs, name)).status_code < 300


@pytest.mark.parametrize("name", sorted(MAKES_ITS_OWN))
def test_what_is_put_under_the_same_name_is_ones_own(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    read = f"GET {name.split()[1]}"
    before = ask(theirs, read).json() if read in OPERATIONS else listed(theirs)

    assert ask(client, name, body=MAKES_ITS_OWN[name]).status_code == 200

    after = ask(theirs, read).json() if read in OPERATIONS else listed(theirs)
    assert after == before


def listed(client: TestClient) -> Any:  # noqa: ANN401
    return client.get("/api/v1/subscriptions").json()


@pytest.mark.parametrize("name", sorted(OWN_LIST))
def test_a_list_holds_nothing_of_another_tenant(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    assert ask(theirs, name).json()["items"], "there is something to be seen by its owner"
    assert ask(client, name).json()["items"] == []


@pytest.mark.parametrize("name", sorted(OWN_WORKSPACE))
def test_a_workspace_knows_of_itself_alone(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    answers = [ask(who, name).text for who in (client, theirs)]

    assert '"other"' not in answers[0]
    assert answers[0] != answers[1]


def test_a_cursor_of_another_tenant_leads_into_ones_own_list(
    client: TestClient, theirs: TestClient
) -> None:
    assert theirs.get("/api/v1/users").json()["items"]

    answer = client.get("/api/v1/users", params={"cursor": encode_cursor("")})

    assert answer.json()["items"] == []


@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize("header", [None, "Bearer hk_wrong", "Basic !!!", "Bearer", "Digest x"])
def test_without_a_valid_key_there_is_no_answer(
    client: TestClient, name: str, header: str | None
) -> None:
    client.headers.pop("Authorization")

    answer = ask(client, name, headers={"Authorization": header} if header else {})

    if name in INGEST and header is None:
        assert (answer.status_code, answer.json()["code"]) in NO_KEY_ANYWHERE
    else:
        assert answer.status_code == 401
        assert answer.json()["code"] in {"invalid_api_key", "invalid_write_key"}


# An SDK may carry its key in the body, so that the body is read first.
NO_KEY_ANYWHERE = {(401, "invalid_write_key"), (400, "not_an_object")}


@pytest.mark.parametrize("name", API)
def test_a_key_of_the_wrong_scope_is_refused(
    client: TestClient, session: Session, name: str
) -> None:
    other = {Scope.HEALTH_READ} if name in INGEST else {Scope.INGEST_WRITE}
    key = factories.key(session, factories.workspace(session), other)
    session.commit()

    answer = ask(client, name, headers={"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")


@pytest.mark.parametrize("name", [name for name in API if not name.startswith("GET")])
def test_a_key_that_may_read_may_not_write(client: TestClient, session: Session, name: str) -> None:
    key = factories.key(session, factories.workspace(session), {Scope.HEALTH_READ})
    session.commit()

    assert ask(client, name, headers={"Authorization": f"Bearer {key}"}).status_code == 403
