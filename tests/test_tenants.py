"""Every route, asked with no key, with a key that may not, and with a key of another tenant."""

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

pytestmark = pytest.mark.usefixtures("of_one_workspace")


@pytest.fixture
def theirs(client: TestClient, session: Session) -> Iterator[TestClient]:
    """The key of a tenant that has one of everything, all of one name."""
    key = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()
    with TestClient(client.app, headers={"Authorization": f"Bearer {key}"}) as other:
        for name, body in CREATE_OWN_BODIES.items():
            assert ask(other, name, body=body).status_code == 200
        bill(other)
        judge_otherwise(other)
        act(other, session)
        for state in ("shadow", "shadow", "active"):
            factories.churn_model(session, state, workspace_id="other")
        other.post("/v1/batch", json={"batch": [{"type": "nonsense"}, UNATTRIBUTED_EVENT]})
        other.post("/api/v1/imports?kind=accounts", content=f"account_id\n{OTHER_TENANT_ID}\n")
        factories.signal(session, OTHER_TENANT_ID, workspace_id="other")
        session.add(Source(workspace_id="other", key_id=parse_key_id(key) or "", last_event_at=NOW))
        factories.alert(session, OTHER_TENANT_ID, workspace_id="other")
        session.commit()
        change_ids(other, session)
        have_told(other, session)
        yield other


def bill(client: TestClient) -> None:
    """Have a customer, a subscription and an invoice come that count for no account."""
    nobody: dict[str, str] = {}
    events = [
        sender.changed_event(
            sender.sample("customer"), "evt_c", at=0, verb="updated", metadata=nobody
        ),
        sender.subscription(metadata=nobody),
        sender.invoice(),
    ]
    sender.send_all(client, sender.connect(client), *events)


def have_told(client: TestClient, session: Session) -> None:
    """Make an endpoint with a message on its way."""
    made = ask(client, "POST /api/v1/webhook-endpoints").json()
    said = {"workspace_id": "other", "type": "data.stopped", "body": b'{"data":{}}'}
    session.add(Message(id=OTHER_TENANT_MESSAGE, created_at=NOW, **said))
    session.flush()
    on_its_way = {"endpoint_id": made["id"], "message_id": OTHER_TENANT_MESSAGE, "state": "pending"}
    session.add(Delivery(workspace_id="other", due_at=NOW, **on_its_way))
    session.commit()


def judge_otherwise(client: TestClient) -> None:
    """Overrule a score, activate a scorecard, draft another, have history told anew, and tried."""
    ask(client, "PUT /api/v1/accounts/{account_id}/health/override")
    for _ in range(2):
        client.post("/api/v1/scorecards", json={})
    client.post("/api/v1/scorecards/2/activate")
    ask(client, "POST /api/v1/scorecards/{version}/restate", named="2")
    ask(client, "POST /api/v1/backtests")


def act(client: TestClient, session: Session) -> None:
    """Begin an experiment, and have something to do at each step."""
    client.post("/api/v1/experiments", json={"name": "Calls", "playbook": "right_size"})
    for state in ("suggested", "accepted", "in_progress"):
        factories.intervention(session, OTHER_TENANT_ID, workspace_id="other", state=state)


def change_ids(client: TestClient, session: Session) -> None:
    """Erase a person and rename an account, and have it done."""
    client.put("/api/v1/users/gone", json={})
    client.put("/api/v1/accounts/gone", json={})
    client.delete("/api/v1/users/gone")
    client.post("/api/v1/accounts/gone/rename", json={"account_id": "moved"})
    session.execute(update(IdChange).values(step=None))
    session.commit()


# What stands in a path beside the id: the same for everybody.
SAME_PARTS = {"{system}": "crm", "{currency}": "EUR", "{starts_on}": "2026-01-01"}
SAME_PARTS["/deliveries/{message_id}"] = f"/deliveries/{OTHER_TENANT_MESSAGE}"


def ask(
    client: TestClient,
    name: str,
    *,
    named: str = OTHER_TENANT_ID,
    body: Any = None,  # noqa: ANN401
    **how: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    method, path = name.split()
    for part, value in SAME_PARTS.items():
        path = path.replace(part, value)
    path = path[: path.index("{")] + named + path[path.index("}") + 1 :] if "{" in path else path
    if name == "GET /api/v1/health-scores":
        how["params"] = {"account_id": named}
    if name == "POST /api/v1/imports":
        how["params"] = {"kind": "accounts", "format": "ndjson"}
    if name == "GET /api/v1/ingest/trace":
        how["params"] = {"message_id": UNATTRIBUTED_EVENT["messageId"]}
    if name in {"POST /api/v1/quarantine/replay", "POST /api/v1/quarantine/discard"}:
        body = {"ids": [named]}
    body = REQUEST_BODIES.get(name, {}) if body is None else body
    return client.request(method, path, json=None if method == "GET" else body, **how)


LISTED = {
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
"""What is named by an id that the service gives, by a part of its path: where to find one."""


def name_for(theirs: TestClient, name: str) -> str:
    if "{version}" in name:
        return "2" if name.endswith("restate") else "3"
    for part, listed in LISTED.items():
        if part in name:
            return str(theirs.get(f"/api/v1/{listed}").json()["items"][0]["id"])
    return OTHER_TENANT_ID


def test_what_is_to_happen_on_every_route_has_been_decided() -> None:
    """A new route is added to one of the sets above first."""
    of_its_own = [set(CREATE_OWN_BODIES), LIST_ROUTES, OWN_WORKSPACE_ROUTES, REPORT_ROUTES]
    decided = [INGEST_ROUTES, NOT_FOUND_ROUTES, *of_its_own, SERVICE_ROUTES]

    assert sorted(name for each in decided for name in each) == sorted(API)


@pytest.mark.parametrize("name", sorted(NOT_FOUND_ROUTES))
def test_what_belongs_to_another_tenant_is_not_found(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    named = name_for(theirs, name)

    answer = ask(client, name, named=named)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "name", sorted(NOT_FOUND_ROUTES - {"POST /api/v1/api-keys/{key_id}/revoke"})
)
def test_the_owner_finds_it(theirs: TestClient, name: str) -> None:
    """Else the other answers would prove nothing. A key cannot revoke itself."""
    assert ask(theirs, name, named=name_for(theirs, name)).status_code < 300


@pytest.mark.parametrize("name", sorted(CREATE_OWN_BODIES))
def test_what_is_put_under_the_same_name_is_ones_own(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    read = f"GET {name.split()[1]}"
    before = ask(theirs, read).json() if read in OPERATIONS else listed(theirs)

    assert ask(client, name, body=CREATE_OWN_BODIES[name]).status_code == 200

    after = ask(theirs, read).json() if read in OPERATIONS else listed(theirs)
    assert after == before


def listed(client: TestClient) -> Any:  # noqa: ANN401
    return client.get("/api/v1/subscriptions").json()


@pytest.mark.parametrize("name", sorted(LIST_ROUTES))
def test_a_list_holds_nothing_of_another_tenant(
    client: TestClient, theirs: TestClient, name: str
) -> None:
    assert ask(theirs, name).json()["items"], "there is something to be seen by its owner"
    assert ask(client, name).json()["items"] == []


def test_what_is_billed_and_counts_for_nobody_is_seen_by_its_tenant_alone(
    client: TestClient, theirs: TestClient
) -> None:
    """Without a source of one's own there is no list: with one it is empty."""
    sender.connect(client)
    name = "GET /api/v1/billing-sources/stripe/unmatched"

    kinds = [item["kind"] for item in ask(theirs, name).json()["items"]]

    assert kinds == ["customer", "invoice", "subscription"]
    assert ask(client, name).json()["items"] == []


@pytest.mark.parametrize("name", sorted(OWN_WORKSPACE_ROUTES))
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

    if name in INGEST_ROUTES and header is None:
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
    other = {Scope.HEALTH_READ} if name in INGEST_ROUTES else {Scope.INGEST_WRITE}
    key = factories.api_key(session, factories.workspace(session), other)
    session.commit()

    answer = ask(client, name, headers={"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")


@pytest.mark.parametrize("name", [name for name in API if name not in READ_ROUTES])
def test_a_key_that_may_read_may_not_write(client: TestClient, session: Session, name: str) -> None:
    key = factories.api_key(session, factories.workspace(session), {Scope.HEALTH_READ})
    session.commit()

    assert ask(client, name, headers={"Authorization": f"Bearer {key}"}).status_code == 403
