"""Every route without a key, with a key without the scope, and with a key of another tenant."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.tables import Delivery, IdChange, Message, Source
from app.workspaces.keys import Scope, parse_key_id
from tests import factories
from tests.billing import sender
from tests.conftest import NOW
from tests.tenant_routes import (
    CREATE_OWN_BODIES,
    INGEST_ROUTES,
    LIST_ROUTES,
    NOT_FOUND_ROUTES,
    OTHER_TENANT_ID,
    OTHER_TENANT_MESSAGE,
    OWN_WORKSPACE_ROUTES,
    READ_ROUTES,
    REPORT_ROUTES,
    REQUEST_BODIES,
    SERVICE_ROUTES,
    UNATTRIBUTED_EVENT,
)
from tests.test_openapi import API, OPERATIONS

pytestmark = pytest.mark.usefixtures("workspace_isolation")


@pytest.fixture
def theirs(client: TestClient, session: Session) -> Iterator[TestClient]:
    """A client of another tenant that has one of every resource, all with the same id."""
    key = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()
    with TestClient(client.app, headers={"Authorization": f"Bearer {key}"}) as other:
        for name, body in CREATE_OWN_BODIES.items():
            assert request(other, name, body=body).status_code == 200
        receive_billing_events(other)
        change_scoring(other)
        create_interventions(other, session)
        for state in ("shadow", "shadow", "active"):
            factories.churn_model(session, state, workspace_id="other")
        other.post("/v1/batch", json={"batch": [{"type": "nonsense"}, UNATTRIBUTED_EVENT]})
        other.post("/api/v1/imports?kind=accounts", content=f"account_id\n{OTHER_TENANT_ID}\n")
        factories.signal(session, OTHER_TENANT_ID, workspace_id="other")
        session.add(Source(workspace_id="other", key_id=parse_key_id(key) or "", last_event_at=NOW))
        factories.alert(session, OTHER_TENANT_ID, workspace_id="other")
        session.commit()
        change_ids(other, session)
        send_message(other, session)
        yield other


def receive_billing_events(client: TestClient) -> None:
    """Receive a customer, a subscription and an invoice that match no account."""
    no_metadata: dict[str, str] = {}
    events = [
        sender.changed_event(
            sender.sample("customer"), "evt_c", at=0, verb="updated", metadata=no_metadata
        ),
        sender.subscription(metadata=no_metadata),
        sender.invoice(),
    ]
    sender.send_all(client, sender.connect(client), *events)


def send_message(client: TestClient, session: Session) -> None:
    """Create an endpoint with a pending message."""
    endpoint = request(client, "POST /api/v1/webhook-endpoints").json()
    columns = {"workspace_id": "other", "type": "data.stopped", "body": b'{"data":{}}'}
    session.add(Message(id=OTHER_TENANT_MESSAGE, created_at=NOW, **columns))
    session.flush()
    pending = {
        "endpoint_id": endpoint["id"],
        "message_id": OTHER_TENANT_MESSAGE,
        "state": "pending",
    }
    session.add(Delivery(workspace_id="other", due_at=NOW, **pending))
    session.commit()


def change_scoring(client: TestClient) -> None:
    """Override a score, create and activate scorecards, start a restatement and a backtest."""
    request(client, "PUT /api/v1/accounts/{account_id}/health/override")
    for _ in range(2):
        client.post("/api/v1/scorecards", json={})
    client.post("/api/v1/scorecards/2/activate")
    request(client, "POST /api/v1/scorecards/{version}/restate", named="2")
    request(client, "POST /api/v1/backtests")


def create_interventions(client: TestClient, session: Session) -> None:
    """Start an experiment and insert an intervention in each state."""
    client.post("/api/v1/experiments", json={"name": "Calls", "playbook": "right_size"})
    for state in ("suggested", "accepted", "in_progress"):
        factories.intervention(session, OTHER_TENANT_ID, workspace_id="other", state=state)


def change_ids(client: TestClient, session: Session) -> None:
    """Erase a user and rename an account, completely."""
    client.put("/api/v1/users/gone", json={})
    client.put("/api/v1/accounts/gone", json={})
    client.delete("/api/v1/users/gone")
    client.post("/api/v1/accounts/gone/rename", json={"account_id": "moved"})
    session.execute(update(IdChange).values(step=None))
    session.commit()


# Other parts of a path than the id.
PATH_PARTS = {"{system}": "crm", "{currency}": "EUR", "{starts_on}": "2026-01-01"}
PATH_PARTS["/deliveries/{message_id}"] = f"/deliveries/{OTHER_TENANT_MESSAGE}"


def request(
    client: TestClient,
    name: str,
    *,
    named: str = OTHER_TENANT_ID,
    body: Any = None,  # noqa: ANN401
    **options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    method, path = name.split()
    for part, value in PATH_PARTS.items():
        path = path.replace(part, value)
    path = path[: path.index("{")] + named + path[path.index("}") + 1 :] if "{" in path else path
    if name == "GET /api/v1/health-scores":
        options["params"] = {"account_id": named}
    if name == "POST /api/v1/imports":
        options["params"] = {"kind": "accounts", "format": "ndjson"}
    if name == "GET /api/v1/ingest/trace":
        options["params"] = {"message_id": UNATTRIBUTED_EVENT["messageId"]}
    if name in {"POST /api/v1/quarantine/replay", "POST /api/v1/quarantine/discard"}:
        body = {"ids": [named]}
    body = REQUEST_BODIES.get(name, {}) if body is None else body
    return client.request(method, path, json=None if method == "GET" else body, **options)


LIST_PATHS = {
    "{intervention_id}/start": "interventions?state=accepted",
    "{intervention_id}/complete": "interventions?state=in_progress",
    "{intervention_id}": "interventions?state=suggested",
    "{experiment_id}": "experiments",
    "quarantine": "quarantine",
    "{alert_id}": "alerts",
    "{job_id}": "jobs",
    "{import_id}": "imports",
    "{backtest_id}": "backtests",
    "{benchmark_id}": "benchmarks",
    "{erasure_id}": "erasures",
    "{move_id}": "account-moves",
    "{key_id}": "api-keys",
    "{endpoint_id}": "webhook-endpoints",
    "{message_id}": "messages",
}
"""The list that contains an id that the service generates, by a part of the path."""


def id_for(theirs: TestClient, name: str) -> str:
    if "{version}" in name:
        return "2" if name.endswith("restate") else "3"
    for part, path in LIST_PATHS.items():
        if part in name:
            return str(theirs.get(f"/api/v1/{path}").json()["items"][0]["id"])
    return OTHER_TENANT_ID


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
NO_KEY_ANYWHERE = {(401, "invalid_write_key"), (400, "not_an_object")}


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
