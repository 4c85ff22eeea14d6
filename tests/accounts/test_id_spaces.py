"""An id has no spaces around it and is no shortened number, wherever it is stored."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.events import calls
from tests.events.calls import group, identify, track
from tests.lifecycle.id_changes import erase

API = "/api/v1"
BAD_IDS = [
    "acme ",
    " acme",
    "acme\t",
    "\ufeffacme",
    "ac\ufeffme",
    "1.23457E+10",
    "1E+15",
    "1,5e+10",
]
GOOD_IDS = ["1e10", "12e5", "a b", "550e8400-e29b-41d4-a716-446655440000", "V1StGXR8_Z5jdHi6B-myT"]
TICKET = {"account_id": "acme", "opened_at": "2026-03-01T00:00:00Z"}
PATHS = ["accounts", "users", "subscriptions", "tickets", "goals", "plans", "product-features"]


def put(client: TestClient, path: str, id_: str, body: dict[str, Any]) -> tuple[int, list[str]]:
    answer = client.put(f"{API}/{path}/{quote(id_, safe='')}", json=body)
    return answer.status_code, [each["pointer"] for each in answer.json().get("errors", [])]


def account_ids(session: Session) -> list[str]:
    return [row[0] for row in session.execute(text("SELECT account_id FROM account ORDER BY 1"))]


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize("path", PATHS)
def test_a_new_id_in_a_path_is_refused(client: TestClient, path: str, bad: str) -> None:
    status, pointers = put(client, path, bad, {})

    assert status == 422
    assert any(pointer.startswith("/path/") for pointer in pointers)


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accounts", {"parent_id": "BAD"}),
        ("accounts", {"external_ids": {"crm": "BAD"}}),
        ("accounts", {"external_ids": {"crm": ["BAD"]}}),
        ("users", {"account_id": "BAD"}),
        ("subscriptions", {"account_id": "BAD", "mrr_cents": 1}),
        ("tickets", {**TICKET, "account_id": "BAD"}),
        ("tickets", {**TICKET, "user_id": "BAD"}),
    ],
)
def test_an_id_in_a_body_is_refused(
    client: TestClient, session: Session, path: str, body: dict[str, Any], bad: str
) -> None:
    sent = json.loads(json.dumps(body).replace('"BAD"', json.dumps(bad)))
    fields = [name for name in body if sent[name] != body[name]]

    status, pointers = put(client, path, "x1", sent)

    assert status == 422
    assert any(each.startswith(f"/body/{fields[0]}") for each in pointers)
    assert account_ids(session) == []


@pytest.mark.parametrize("bad", BAD_IDS)
def test_a_rename_to_such_an_id_is_refused(client: TestClient, bad: str) -> None:
    put(client, "accounts", "acme", {})

    answer = client.post(f"{API}/accounts/acme/rename", json={"account_id": bad})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/account_id")


@pytest.mark.parametrize("good", GOOD_IDS)
def test_other_ids_are_accepted(client: TestClient, session: Session, good: str) -> None:
    assert put(client, "accounts", good, {"external_ids": {"crm": good}})[0] == 200
    receipt = calls.ingest(client, track(userId=good, context={"groupId": good}))

    assert receipt["accepted"] == 1
    assert account_ids(session) == [good]


@pytest.mark.parametrize("bad", ["1.23457E+10", " 1E+15 ", "1,5e+10"])
@pytest.mark.parametrize("field", ["groupId", "userId", "anonymousId", "messageId"])
def test_an_event_with_a_shortened_id_is_quarantined(
    client: TestClient, session: Session, field: str, bad: str
) -> None:
    call = group() if field == "groupId" else track()

    receipt = calls.ingest(client, {**call, field: bad})

    assert [each["code"] for each in receipt["events"]] == ["shortened_id"]
    assert bad.strip() not in receipt["events"][0]["detail"]
    assert account_ids(session) == []


def test_ids_of_events_and_filters_are_trimmed(client: TestClient) -> None:
    calls.ingest(
        client,
        group("g1", " acme ", traits={"parent_id": " top ", "external_ids": {"crm": " 7 "}}),
        identify("i1", userId="ada "),
    )
    put(client, "users", "eve", {"account_id": "acme"})

    def found(path: str, **params: str) -> list[str]:
        items = client.get(f"{API}/{path}", params=params).json()["items"]
        return [item.get("user_id") or item["account_id"] for item in items]

    assert client.get(f"{API}/accounts/acme").json()["parent_id"] == "top"
    assert client.get(f"{API}/accounts/by-external-id/crm/7").json()["account_id"] == "acme"
    assert found("users", account_id=" acme ") == ["ada", "eve"]
    assert found("accounts", filter='{"field":"account_id","op":"eq","value":"acme "}') == ["acme"]
    assert found("accounts", filter='{"field":"parent_id","op":"in","value":["top "]}') == ["acme"]
    assert found("health-scores", account_id="acme ") == ["acme"]


def test_an_id_that_was_stored_with_spaces_can_be_read_merged_and_renamed(
    client: TestClient, session: Session
) -> None:
    put(client, "accounts", "acme", {})
    for old in ("acme ", "beta "):
        session.execute(
            text("INSERT INTO account (workspace_id, account_id) SELECT id, :old FROM workspace"),
            {"old": old},
        )
    session.commit()

    assert client.get(f"{API}/accounts/acme%20").json()["account_id"] == "acme "
    merged = client.post(f"{API}/accounts/acme%20/merge", json={"into": "acme"})
    renamed = client.post(f"{API}/accounts/beta%20/rename", json={"account_id": "beta"})

    assert (merged.status_code, renamed.status_code) == (202, 202)
    assert account_ids(session) == ["acme", "beta"]


def test_an_event_of_a_person_who_was_erased_under_an_id_with_spaces_is_dropped(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    session.execute(
        text('INSERT INTO "user" (workspace_id, user_id) SELECT id, :old FROM workspace'),
        {"old": "eve "},
    )
    session.commit()
    erase(client, sessions, "users/eve%20")

    receipt = calls.ingest(client, track("m1", userId="eve "), track("m2", userId="bob "))

    assert (receipt["erased"], receipt["accepted"]) == (1, 1)


def test_a_rejected_event_of_an_erased_person_is_dropped_if_its_id_has_spaces(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, track("m1", userId="eve"))
    erase(client, sessions, "users/eve")

    receipt = calls.ingest(client, track("m2", userId=" eve ", event=""))

    assert (receipt["erased"], receipt["quarantined"]) == (1, 0)
