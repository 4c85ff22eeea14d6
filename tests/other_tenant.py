"""A tenant that has one of every resource, all with the same id, for tests/test_tenants.py."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from app.tables import Delivery, IdChange, Message, ParkedAccount, Source
from app.workspaces.keys import parse_key_id
from tests import factories
from tests.billing import sender
from tests.conftest import NOW, attach_test_storage, savepoints
from tests.tenant_bodies import REQUEST_BODIES
from tests.tenant_routes import (
    CREATE_OWN_BODIES,
    OTHER_TENANT_ID,
    OTHER_TENANT_MESSAGE,
    REQUIRED_QUERIES,
    UNATTRIBUTED_EVENT,
)


@dataclass(frozen=True)
class OtherTenant:
    """The database of the workspace ``other``, and the text of a key of all scopes for it."""

    engine: Engine
    key: str


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
        options["params"] = {"account_id": named, **options.get("params", {})}
    if name in REQUIRED_QUERIES:
        options["params"] = REQUIRED_QUERIES[name]
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
    "{member_id}": "members",
    "{endpoint_id}": "webhook-endpoints",
    "{message_id}": "messages",
    "{note_id}": "notes",
    "{task_id}": "tasks",
}
"""The list that contains an id that the service generates, by a part of the path."""


def id_for(theirs: TestClient, name: str) -> str:
    if "{version}" in name:
        return "2" if name.endswith("restate") else "3"
    for part, path in LIST_PATHS.items():
        if part in name:
            return str(theirs.get(f"/api/v1/{path}").json()["items"][0]["id"])
    return OTHER_TENANT_ID


def create_other_tenant(engine: Engine, app: FastAPI, workspace_id: str = "other") -> str:
    """Create the workspace with all its resources in one transaction; return the text of a key."""
    with engine.begin() as connection:
        sessions = savepoints(connection)
        attach_test_storage(app, sessions)
        with sessions() as session:
            key = factories.api_key(session, factories.workspace(session, workspace_id))
            session.commit()
            with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
                create_everything(client, session, key, workspace_id)
    return key


def create_everything(client: TestClient, session: Session, key: str, workspace_id: str) -> None:
    """Create one of every resource."""
    for name, body in CREATE_OWN_BODIES.items():
        assert request(client, name, body=body).status_code == 200
    receive_billing_events(client)
    change_scoring(client)
    create_interventions(client, session, workspace_id)
    for state in ("shadow", "shadow", "active"):
        factories.churn_model(session, state, workspace_id=workspace_id)
    client.post("/v1/batch", json={"batch": [{"type": "nonsense"}, UNATTRIBUTED_EVENT]})
    client.post("/api/v1/imports?kind=accounts", content=f"account_id\n{OTHER_TENANT_ID}\n")
    factories.signal(session, OTHER_TENANT_ID, workspace_id=workspace_id)
    for name in ("notes", "tasks", "sentiment"):
        request(client, f"POST /api/v1/accounts/{{account_id}}/{name}")
    session.add(
        Source(workspace_id=workspace_id, key_id=parse_key_id(key) or "", last_event_at=NOW)
    )
    factories.alert(session, OTHER_TENANT_ID, workspace_id=workspace_id)
    parked = ParkedAccount(
        workspace_id=workspace_id,
        account_id=OTHER_TENANT_ID,
        failures=3,
        error="DataError",
        failed_at=NOW,
    )
    session.add(parked)
    session.commit()
    client.post("/api/v1/members", json={"email": "kim@example.com", "name": "Kim"})
    change_ids(client, session)
    send_message(client, session, workspace_id)


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


def send_message(client: TestClient, session: Session, workspace_id: str) -> None:
    """Create an endpoint with a pending message."""
    endpoint = request(client, "POST /api/v1/webhook-endpoints").json()
    columns = {"workspace_id": workspace_id, "type": "data.stopped", "body": b'{"data":{}}'}
    session.add(Message(id=OTHER_TENANT_MESSAGE, created_at=NOW, **columns))
    session.flush()
    pending = {
        "endpoint_id": endpoint["id"],
        "message_id": OTHER_TENANT_MESSAGE,
        "state": "pending",
    }
    session.add(Delivery(workspace_id=workspace_id, due_at=NOW, **pending))
    session.commit()


def change_scoring(client: TestClient) -> None:
    """Override a score, create and activate scorecards, start a restatement and a backtest."""
    request(client, "PUT /api/v1/accounts/{account_id}/health/override")
    for _ in range(2):
        client.post("/api/v1/scorecards", json={})
    client.post("/api/v1/scorecards/2/activate")
    request(client, "POST /api/v1/scorecards/{version}/restate", named="2")
    request(client, "POST /api/v1/backtests")


def create_interventions(client: TestClient, session: Session, workspace_id: str) -> None:
    """Start an experiment and insert an intervention in each state."""
    client.post("/api/v1/experiments", json={"name": "Calls", "playbook": "right_size"})
    for state in ("suggested", "accepted", "in_progress"):
        factories.intervention(session, OTHER_TENANT_ID, workspace_id=workspace_id, state=state)


def change_ids(client: TestClient, session: Session) -> None:
    """Erase a user and rename an account, completely."""
    client.put("/api/v1/users/gone", json={})
    client.put("/api/v1/accounts/gone", json={})
    client.delete("/api/v1/users/gone")
    client.post("/api/v1/accounts/gone/rename", json={"account_id": "moved"})
    session.execute(update(IdChange).values(step=None))
    session.commit()
