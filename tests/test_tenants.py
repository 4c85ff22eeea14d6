"""Every route without a key, with a key without the scope, and with a key of another tenant."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.core.postgres.engines import open_engine
from app.workspaces.keys import Scope
from tests import factories
from tests.billing import sender
from tests.conftest import CreateDatabase, client_of
from tests.other_tenant import OtherTenant, create_other_tenant, id_for, request
from tests.query_watch import QueryWatch, watch_queries
from tests.tenant_routes import (
    CREATE_OWN_BODIES,
    INGEST_ROUTES,
    LIST_ROUTES,
    NOT_FOUND_ROUTES,
    OWN_WORKSPACE_ROUTES,
    READ_ROUTES,
    REPORT_ROUTES,
    SERVICE_ROUTES,
)
from tests.test_openapi import API, OPERATIONS

pytestmark = pytest.mark.usefixtures("workspace_isolation")


@pytest.fixture(scope="session")
def other_tenant(
    databases: CreateDatabase, migrated: str, app: FastAPI, watch: QueryWatch
) -> Iterator[OtherTenant]:
    """Another tenant that has one of every resource, all with the same id.

    It is created once and committed: each test sees it in a transaction that is rolled back.
    """
    engine = open_engine(databases("tenants", template=migrated), pool_size=20)
    with watch_queries(watch):
        key = create_other_tenant(engine, app)
    yield OtherTenant(engine, key)
    engine.dispose()


@pytest.fixture(scope="session")
def engine(other_tenant: OtherTenant) -> Engine:
    """The database of the other tenant instead of an empty one."""
    return other_tenant.engine


@pytest.fixture
def theirs(client: TestClient, other_tenant: OtherTenant) -> TestClient:
    """A client of the other tenant."""
    return client_of(client, other_tenant.key)


def test_every_route_has_an_expected_answer() -> None:
    """Add a new route to one of the sets of tests/tenant_routes.py first."""
    of_its_own = [set(CREATE_OWN_BODIES), LIST_ROUTES, OWN_WORKSPACE_ROUTES, REPORT_ROUTES]
    decided = [INGEST_ROUTES, NOT_FOUND_ROUTES, *of_its_own, SERVICE_ROUTES]

    assert sorted(name for each in decided for name in each) == sorted(API)


@pytest.mark.parametrize("name", sorted(NOT_FOUND_ROUTES))
def test_a_resource_of_another_tenant_is_not_found(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    named = id_for(theirs, name)

    answer = request(client, name, named=named)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "name", sorted(NOT_FOUND_ROUTES - {"POST /api/v1/api-keys/{key_id}/revoke"})
)
def test_the_owner_finds_the_resource(theirs: TestClient, name: str) -> None:
    """Otherwise the 404 would prove nothing. A key cannot revoke itself."""
    assert request(theirs, name, named=id_for(theirs, name)).status_code < 300


@pytest.mark.parametrize("name", sorted(CREATE_OWN_BODIES))
def test_the_same_id_in_another_tenant_is_another_resource(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    read = f"GET {name.split()[1]}"
    before = request(theirs, read).json() if read in OPERATIONS else subscriptions(theirs)

    assert request(client, name, body=CREATE_OWN_BODIES[name]).status_code == 200

    after = request(theirs, read).json() if read in OPERATIONS else subscriptions(theirs)
    assert after == before


def subscriptions(client: TestClient) -> Any:  # noqa: ANN401
    return client.get("/api/v1/subscriptions").json()


@pytest.mark.parametrize("name", sorted(LIST_ROUTES))
def test_a_list_contains_nothing_of_another_tenant(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    assert request(theirs, name).json()["items"], "its owner sees something"
    assert request(client, name).json()["items"] == []


def test_unmatched_billing_objects_are_visible_only_to_their_tenant(
    client: TestClient, theirs: TestClient
) -> None:
    """Without an own billing source the list does not exist; with one it is empty."""
    sender.connect(client)
    name = "GET /api/v1/billing-sources/stripe/unmatched"

    kinds = [item["kind"] for item in request(theirs, name).json()["items"]]

    assert kinds == ["customer", "invoice", "subscription"]
    assert request(client, name).json()["items"] == []


@pytest.mark.parametrize("name", sorted(OWN_WORKSPACE_ROUTES))
def test_a_workspace_sees_only_itself(client: TestClient, theirs: TestClient, name: str) -> None:
    answers = [request(each, name).text for each in (client, theirs)]

    assert '"other"' not in answers[0]
    assert answers[0] != answers[1]


def test_a_cursor_of_another_tenant_pages_the_own_list(
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

    answer = request(client, name, headers={"Authorization": header} if header else {})

    if name in INGEST_ROUTES and header is None:
        assert (answer.status_code, answer.json()["code"]) in NO_KEY_ANYWHERE
    else:
        assert answer.status_code == 401
        assert answer.json()["code"] in {"invalid_api_key", "invalid_write_key"}


# SDKs may send the key in the body, so that the body is parsed first.
NO_KEY_ANYWHERE = {
    (401, "invalid_write_key"),
    (400, "not_an_object"),
    (400, "missing_header"),
}


@pytest.mark.parametrize("name", API)
def test_a_key_of_the_wrong_scope_is_refused(
    client: TestClient, session: Session, name: str
) -> None:
    other = {Scope.HEALTH_READ} if name in INGEST_ROUTES else {Scope.INGEST_WRITE}
    key = factories.api_key(session, factories.workspace(session), other)
    session.commit()

    answer = request(client, name, headers={"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")


@pytest.mark.parametrize("name", [name for name in API if name not in READ_ROUTES])
def test_a_read_key_cannot_write(client: TestClient, session: Session, name: str) -> None:
    key = factories.api_key(session, factories.workspace(session), {Scope.HEALTH_READ})
    session.commit()

    assert request(client, name, headers={"Authorization": f"Bearer {key}"}).status_code == 403
