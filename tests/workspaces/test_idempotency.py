"""Repeated POSTs: each key is carried out once, and every repetition gets the first answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.workspaces import idempotency_queries
from app.workspaces.idempotency import KEY_PARAMETER, MAX_ANSWER_BYTES, takes_key
from app.workspaces.keys import Scope
from app.workspaces.tables import Workspace
from tests import factories
from tests.conftest import attach_test_storage, client_of, shared_app
from tests.lifecycle.id_changes import columns_mentioning, erase
from tests.test_openapi import OPERATIONS

API_KEYS = "/api/v1/api-keys"
ENDPOINTS = "/api/v1/webhook-endpoints"
INTERVENTIONS = "/api/v1/interventions"
NEW_KEY = {"name": "crm", "scopes": ["health:read"]}
CLIENTS = 20

SELECTS_ONLY = "it reads and stores nothing"
BY_CONTENT = "the same file with the same parameters is the same import"
SAME_STATE = "a repetition finds the state that the first request left, and answers with it"
WITHOUT_KEY = {
    "POST /api/v1/events": "events are stored once by message id, which the header can be",
    "POST /api/v1/events/validate": SELECTS_ONLY,
    "POST /v1/billing/stripe/{source_id}": "Stripe's events are stored once by their id",
    "POST /api/v1/imports": BY_CONTENT,
    "POST /api/v1/imports/{import_id}/cancel": SAME_STATE,
    "POST /api/v1/quarantine/replay": "only events that are still open are replayed",
    "POST /api/v1/accounts/query": SELECTS_ONLY,
    "POST /api/v1/accounts/count": SELECTS_ONLY,
    "POST /api/v1/alert-rules/preview": SELECTS_ONLY,
    "POST /api/v1/alert-rules/{key}/backtest": SELECTS_ONLY,
}
"""Why a POST needs no key."""


def post_routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()):
            yield f"POST {context.path}", route


def keyed(key: str = "k1") -> dict[str, str]:
    return {"Idempotency-Key": key}


def count(session: Session, table: str) -> int:
    session.expire_all()
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def test_every_post_takes_a_key_or_has_a_reason_not_to(app: FastAPI) -> None:
    sdk = {name for name in OPERATIONS if "SDK ingestion" in OPERATIONS[name]["tags"]}
    public = {name: route for name, route in post_routes(app) if route.include_in_schema}
    without = {name.rstrip("/") for name, route in public.items() if not takes_key(route)}

    assert without == set(WITHOUT_KEY) | sdk  # a form of the page has a token of its own
    assert len(public) - len(without) > 30


def test_every_key_is_documented_and_no_route_with_a_key_reads_its_body_itself(
    app: FastAPI,
) -> None:
    for name, route in post_routes(app):
        operation = OPERATIONS.get(name, {"parameters": []})
        assert (KEY_PARAMETER in operation.get("parameters", [])) == takes_key(route), name
        if takes_key(route):
            assert "409" in operation["responses"]
            assert ("requestBody" in operation) == (route.body_field is not None), name


def test_a_repeated_request_gets_the_first_answer(client: TestClient, session: Session) -> None:
    before = count(session, "api_key")
    first = client.post(API_KEYS, json=NEW_KEY, headers=keyed())
    again = client.post(API_KEYS, json=NEW_KEY, headers=keyed())

    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count(session, "api_key") == before + 1


def test_a_secret_in_an_answer_is_not_stored_in_clear(client: TestClient, session: Session) -> None:
    endpoint, key = {"url": "https://8.8.8.8/hook"}, "longer-than-chance"
    secrets = [
        client.post(API_KEYS, json=NEW_KEY, headers=keyed(key)).json()["key"],
        client.post(ENDPOINTS, json=endpoint, headers=keyed(key)).json()["secret"],
    ]

    assert count(session, "idempotency_key") == 2
    assert columns_mentioning(session, [*secrets, key]) == set()


@pytest.mark.parametrize(
    ("path", "body"),
    [(API_KEYS, {**NEW_KEY, "name": "other"}), (f"{API_KEYS}?", {**NEW_KEY, "scopes": ["admin"]})],
)
def test_another_request_with_the_key_is_refused(
    client: TestClient, session: Session, path: str, body: dict[str, Any]
) -> None:
    client.post(API_KEYS, json=NEW_KEY, headers=keyed())
    before = count(session, "api_key")

    answer = client.post(path, json=body, headers=keyed())

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count(session, "api_key") == before


def test_an_id_in_the_path_is_a_part_of_the_request(client: TestClient) -> None:
    ids = [client.post(API_KEYS, json=NEW_KEY).json()["id"] for _ in range(2)]
    paths = [f"{API_KEYS}/{each}/rotate" for each in ids]

    assert client.post(paths[0], headers=keyed()).status_code == 201
    assert client.post(paths[1], headers=keyed()).json()["code"] == "idempotency_key_reused"


def test_the_same_key_of_another_route_caller_or_workspace_is_another_key(
    client: TestClient, session: Session
) -> None:
    acme = session.get_one(Workspace, "acme")
    colleague = client_of(client, factories.api_key(session, acme))
    stranger = client_of(client, factories.api_key(session, factories.workspace(session, "globex")))
    session.commit()

    answers = [each.post(API_KEYS, json=NEW_KEY, headers=keyed()) for each in (client, colleague)]
    answers.append(stranger.post(API_KEYS, json=NEW_KEY, headers=keyed()))
    answers.append(client.post(ENDPOINTS, json={"url": "https://8.8.8.8/"}, headers=keyed()))

    assert [each.status_code for each in answers] == [201] * 4
    assert not any("idempotency-replayed" in each.headers for each in answers)
    assert len({each.json()["id"] for each in answers}) == 4


def test_a_request_that_failed_leaves_the_key_unused(client: TestClient, session: Session) -> None:
    body = {"account_id": "a1", "playbook": "know_the_account"}
    invalid = client.post(INTERVENTIONS, json={}, headers=keyed())
    missing = client.post(INTERVENTIONS, json=body, headers=keyed())
    assert (invalid.status_code, missing.status_code) == (422, 404)
    assert count(session, "idempotency_key") == 0
    factories.account(session, "a1")
    session.commit()

    assert client.post(INTERVENTIONS, json=body, headers=keyed()).status_code == 201
    assert "idempotency-replayed" in client.post(INTERVENTIONS, json=body, headers=keyed()).headers


def test_a_step_of_a_state_is_done_once_too(client: TestClient) -> None:
    """Without a key the repetition is a conflict, and the caller cannot know whose."""
    key_id = client.post(API_KEYS, json=NEW_KEY).json()["id"]
    path = f"{API_KEYS}/{key_id}/rotate"

    first, again = (client.post(path, headers=keyed()) for _ in range(2))

    assert again.json() == first.json()
    assert client.post(path, headers=keyed("k2")).status_code == 409


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x7f"])
def test_an_unreadable_key_is_refused(client: TestClient, key: str) -> None:
    answer = client.post(API_KEYS, json=NEW_KEY, headers=keyed(key))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_a_key_and_its_scope_are_checked_before_the_stored_answer(
    client: TestClient, session: Session
) -> None:
    client.post(API_KEYS, json=NEW_KEY, headers=keyed())
    acme = session.get_one(Workspace, "acme")
    reader = client_of(client, factories.api_key(session, acme, scopes=[Scope.HEALTH_READ]))
    session.commit()

    assert reader.post(API_KEYS, json=NEW_KEY, headers=keyed()).status_code == 403
    client.headers["Authorization"] = "Bearer hk_no"
    assert client.post(API_KEYS, json=NEW_KEY, headers=keyed()).status_code == 401


def test_a_key_is_new_again_after_a_day(client: TestClient, session: Session) -> None:
    first = client.post(API_KEYS, json=NEW_KEY, headers=keyed())
    session.execute(
        text("UPDATE idempotency_key SET created_at = now() - interval '24 hours 1 second'")
    )
    session.commit()

    again = client.post(API_KEYS, json=NEW_KEY, headers=keyed())

    assert (again.status_code, "idempotency-replayed" in again.headers) == (201, False)
    assert again.json()["id"] != first.json()["id"]
    third = client.post(API_KEYS, json=NEW_KEY, headers=keyed())
    assert third.json() == again.json()


def test_keys_are_deleted_after_a_day(client: TestClient, session: Session) -> None:
    client.post(API_KEYS, json=NEW_KEY, headers=keyed("old"))
    session.execute(text("UPDATE idempotency_key SET created_at = now() - interval '25 hours'"))
    client.post(API_KEYS, json=NEW_KEY, headers=keyed("new"))

    idempotency_queries.delete_expired_keys(session)

    assert count(session, "idempotency_key") == 1


def test_a_large_answer_is_not_stored_and_its_request_is_not_repeated(
    client: TestClient, session: Session
) -> None:
    when = {"segment": [f"{n:0900}" for n in range(400)]}
    body = {"rules": [{"name": "large", "when": when, "card": {}}]}
    first = client.post("/api/v1/scorecards", json=body, headers=keyed())
    assert first.status_code == 201, first.text
    assert len(first.content) > MAX_ANSWER_BYTES
    before = count(session, "scorecard")

    again = client.post("/api/v1/scorecards", json=body, headers=keyed())

    assert (again.status_code, again.json()["code"]) == (409, "idempotency_answer_gone")
    assert count(session, "scorecard") == before


@pytest.mark.parametrize("erased", ["accounts/a1", "users/u1"])
def test_an_erasure_removes_answers_and_the_request_is_not_repeated(
    client: TestClient, sessions: SessionFactory, session: Session, erased: str
) -> None:
    factories.account(session, "a1")
    session.commit()
    assert client.put("/api/v1/users/u1", json={"account_id": "a1"}).is_success
    body = {"account_id": "a1", "playbook": "know_the_account"}
    first = client.post(INTERVENTIONS, json=body, headers=keyed())
    assert first.status_code == 201, first.text

    erase(client, sessions, erased)

    row = session.execute(text("SELECT fingerprint, answer FROM idempotency_key")).one()
    assert row == (None, None)
    answer = client.post(INTERVENTIONS, json=body, headers=keyed())
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_answer_gone")


@pytest.fixture
def racing(running_app: TestClient, committed: SessionFactory) -> TestClient:
    """A client whose requests commit in transactions of their own."""
    with committed() as session:
        key = factories.api_key(session, factories.workspace(session))
        session.commit()
    attach_test_storage(shared_app(), committed)
    return client_of(running_app, key)


def test_of_many_simultaneous_requests_one_is_carried_out_and_all_get_its_answer(
    racing: TestClient, committed: SessionFactory
) -> None:
    start = Barrier(CLIENTS)

    def post(_: int) -> Any:  # noqa: ANN401 - the client's own type of an answer
        start.wait()
        for _ in range(50):  # while too many requests wait for a connection
            answer = racing.post(API_KEYS, json=NEW_KEY, headers=keyed())
            if "Retry-After" not in answer.headers:
                break
        return answer

    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = list(threads.map(post, range(CLIENTS)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == CLIENTS - 1
    with committed() as session:
        assert count(session, "api_key") == 2


def test_a_request_whose_key_is_in_use_gets_a_conflict_with_a_time_to_come_back(
    racing: TestClient, committed: SessionFactory
) -> None:
    with committed() as holder:
        racing.post(API_KEYS, json=NEW_KEY, headers=keyed())
        holder.execute(text("UPDATE idempotency_key SET answer = answer"))
        answer = racing.post(API_KEYS, json=NEW_KEY, headers=keyed())
        holder.rollback()

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_use")
    assert int(answer.headers["Retry-After"]) > 0
    after = racing.post(API_KEYS, json=NEW_KEY, headers=keyed())
    assert after.headers["idempotency-replayed"] == "true"
