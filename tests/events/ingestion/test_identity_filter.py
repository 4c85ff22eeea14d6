"""Events with erased ids are dropped, and nothing of them is stored."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.metrics import EVENTS
from app.events.ingestion.identity_filter import payload_tokens
from tests.events import calls
from tests.events.calls import alias, group, identify, track, unattributed
from tests.lifecycle.id_changes import columns_mentioning, erase, process_all, request_change

SECRET = {"properties": {"note": "zz-secret"}}


@pytest.fixture
def erased(client: TestClient, sessions: SessionFactory) -> str:
    """The erasure of ada, who was known by an anonymous id before."""
    calls.ingest(client, group("g1"), alias("anon", "ada"), track("m1", **SECRET))
    return str(erase(client, sessions, "users/ada")["id"])


@pytest.mark.usefixtures("erased")
@pytest.mark.parametrize(
    "call",
    [
        track("m1", **SECRET),
        track("n1", **SECRET),
        unattributed("n1", **SECRET),
        unattributed("n1", userId=None, anonymousId="anon", **SECRET),
        identify("n1", traits={"name": "zz-secret"}),
        group("n1", traits={"name": "zz-secret"}),
        alias("other", "ada"),
        alias("anon", "bob"),
        track("n1", event="", **SECRET),
        track("n1", timestamp="zz-secret never"),
        {"type": "zz-secret", "userId": "ada"},
    ],
    ids=str,
)
def test_events_of_an_erased_person_are_dropped(
    client: TestClient, session: Session, call: dict[str, Any]
) -> None:
    before = calls.table_counts(session)

    receipt = calls.ingest(client, call, track("ok", userId="bob"))

    assert (receipt["erased"], receipt["accepted"]) == (1, 1)
    assert receipt["events"] == [
        {
            **dict.fromkeys(("code", "pointer", "detail", "quarantine_id")),
            "index": 0,
            "message_id": call.get("messageId"),
            "result": "erased",
            "warnings": [],
            "hints": [],
        }
    ]
    assert columns_mentioning(session, ["zz-secret"]) == set()
    after = calls.table_counts(session)
    assert after["quarantined_event"] == before["quarantined_event"]
    assert after["event"] == before["event"] + 1


@pytest.mark.usefixtures("erased")
def test_an_event_of_another_user_on_the_same_device_is_stored_without_the_device_id(
    client: TestClient, session: Session
) -> None:
    receipt = calls.ingest(client, track("n1", userId="bob", anonymousId="anon"))

    assert receipt["accepted"] == 1
    found = calls.one_row(session, "SELECT anonymous_id FROM event WHERE message_id = 'n1'")
    assert found == (None,)


@pytest.mark.usefixtures("erased")
def test_an_id_that_only_starts_like_an_erased_one_is_accepted(client: TestClient) -> None:
    receipt = calls.ingest(
        client, track("n1", userId="adamant"), track("n2", event="", userId="ad")
    )

    assert calls.counts(receipt) == (1, 0, 1)


@pytest.mark.usefixtures("erased")
def test_a_repeat_within_a_batch_is_dropped_too(client: TestClient) -> None:
    receipt = calls.ingest(client, track("n1"), track("n1"), track("n1", event="Share"))

    assert (receipt["received"], receipt["erased"], receipt["warnings"]) == (3, 3, 0)


@pytest.mark.usefixtures("erased")
def test_metrics_count_erased_events(client: TestClient) -> None:
    before = EVENTS.labels("erased")._value.get()  # noqa: SLF001 - the library has no other way

    calls.ingest(client, track("n1"))

    assert EVENTS.labels("erased")._value.get() == before + 1  # noqa: SLF001


@pytest.mark.usefixtures("erased")
def test_an_erased_id_cannot_be_restored_through_the_api(client: TestClient) -> None:
    put = client.put("/api/v1/users/ada", json={"name": "Ada"})

    assert (put.status_code, put.json()["code"]) == (409, "erased")
    assert client.get("/api/v1/users/ada").status_code == 404
    assert client.patch("/api/v1/users/ada", json={"name": "Ada"}).status_code == 404


def test_events_of_a_person_are_accepted_after_the_erasure_is_lifted(
    client: TestClient, erased: str
) -> None:
    lifted = client.post(f"/api/v1/erasures/{erased}/lift")

    assert (lifted.status_code, lifted.json()["state"]) == (200, "lifted")
    assert client.post(f"/api/v1/erasures/{erased}/lift").json() == lifted.json()
    receipt = calls.ingest(client, track("n1"), unattributed("n2", userId=None, anonymousId="anon"))
    assert calls.counts(receipt) == (2, 0, 0)
    assert client.put("/api/v1/users/ada", json={}).status_code == 200
    actions = [e["action"] for e in client.get("/api/v1/audit-entries").json()["items"]]
    assert actions.count("erasure.lifted") == 1


def test_a_running_erasure_cannot_be_lifted(client: TestClient) -> None:
    calls.ingest(client, track())
    erasure = request_change(client, "DELETE", "users/ada")

    answer = client.post(f"/api/v1/erasures/{erasure['id']}/lift")

    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_running")


def test_an_event_ingested_during_the_erasure_is_erased_too(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """A process may use its cached flags for 2 seconds, and so not know of the erasure yet."""
    calls.ingest(client, track("m1"))
    erasure = request_change(client, "DELETE", "users/ada")
    hidden = "UPDATE workspace SET erasure_key = NULL RETURNING 1"
    key = calls.one_row(session, "SELECT erasure_key FROM workspace WHERE id = 'acme'")[0]
    calls.one_row(session, hidden)
    session.commit()
    slipped = calls.ingest(client, track("m2", anonymousId="anon", **SECRET), alias("anon2", "ada"))
    assert slipped["accepted"] == 2
    with sessions.begin() as other:
        other.connection().exec_driver_sql("UPDATE workspace SET erasure_key = %s", (key,))

    process_all(sessions)

    assert client.get(f"/api/v1/erasures/{erasure['id']}").json()["state"] == "done"
    assert columns_mentioning(session, ["zz-secret"]) == set()
    assert calls.text_rows(session, 'SELECT user_id FROM "user"') == []
    assert ("ada",) not in calls.text_rows(session, "SELECT user_id FROM daily_usage")


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ('{"userId":"ada"}', "ada"),
        ('{"userId":17}', "17"),
        ('{"text":"' + "x" * 5000 + '","userId":"ada","cut":"he', "ada"),
        ('{"userId":"\\u00e5da \\"x\\""}', 'åda "x"'),
        ('he said "no, {"userId":"ada"', "ada"),
    ],
)
def test_an_id_is_found_in_a_broken_payload(payload: str, named: str) -> None:
    assert named in payload_tokens(payload)


def test_a_part_of_a_text_is_not_an_id() -> None:
    assert "ada" not in payload_tokens('{"userId":"adamant","note":"to ada"}')
