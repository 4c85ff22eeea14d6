"""An erased user becomes a pseudonym: usage stays and no id does."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import alias, group, identify, track, unattributed
from tests.lifecycle.id_changes import (
    LATER,
    columns_mentioning,
    erase,
    features,
    process_all,
    request_change,
)

ADA = ("zz-ada", "zz-anon", "ada@zz.example")
TRAITS = {"email": "ada@zz.example", "name": "Ada zz-ada"}


def create_users(client: TestClient) -> None:
    """Ada and Bob use an account; Ada has visited anonymously and has quarantined events."""
    own = {"userId": "zz-ada", "properties": {"note": "zz-ada"}}
    calls.ingest(
        client,
        group("g1", userId="bob"),
        group("g2", userId="zz-ada"),
        identify("i1", userId="zz-ada", traits=TRAITS),
        alias("zz-anon", "zz-ada"),
        track("m1", **own),
        track("m2", **own, event="Share", anonymousId="zz-anon"),
        track("m3", userId=None, anonymousId="zz-anon"),
        track("m4", userId="bob", anonymousId="zz-anon", properties={"color": 1}),
        track("m5", userId="bob"),
        track("bad", event="", userId="zz-ada"),
        track("bad2", event="", properties={"to": "ada@zz.example"}),
        track("bad3", event="", userId="bob"),
    )
    calls.ingest(client, unattributed("w1", userId="zz-adalbert"))


def test_nothing_names_an_erased_user(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_users(client)
    assert columns_mentioning(session, ADA)

    done = erase(client, sessions, "users/zz-ada")

    left = calls.text_rows(session, "SELECT user_id FROM unattributed_event")
    assert left == [("zz-adalbert",)], "an id that only begins with the erased one stays"
    calls.one_row(session, "DELETE FROM unattributed_event RETURNING 1")
    assert columns_mentioning(session, ADA) == set()
    assert (done["kind"], done["step"]) == ("user", None)
    assert done["rows"]["usage"] == 3


def test_counts_and_features_stay_equal_at_every_moment(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_users(client)
    before, usage = features(session), calls.count_rows(session, "daily_usage")
    assert before[0].active_users == 2

    request_change(client, "DELETE", "users/zz-ada")
    assert features(session) == before
    process_all(sessions)

    assert features(session) == before
    assert calls.count_rows(session, "daily_usage") == usage
    assert sum(calls.usage(session, "user_id LIKE 'erased-%'").values()) == 3


def test_events_of_the_user_lose_their_properties_and_those_of_others_keep_them(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_users(client)

    erase(client, sessions, "users/zz-ada")

    rows = calls.text_rows(
        session,
        "SELECT message_id, properties, user_id LIKE 'erased-%', anonymous_id IS NULL"
        " FROM event WHERE kind = 'track' ORDER BY 1",
    )
    assert rows == [
        ("m1", {}, True, True),
        ("m2", {}, True, False),
        ("m3", {}, None, False),
        ("m4", {"color": 1}, False, True),
        ("m5", {}, False, True),
    ]
    quarantined = calls.text_rows(session, "SELECT message_id FROM quarantined_event")
    assert quarantined == [("bad3",)]


def test_a_user_has_one_pseudonym_everywhere(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_users(client)
    calls.ingest(client, track("n1", userId="zz-ada", context={"groupId": "a2"}))

    erase(client, sessions, "users/zz-ada")

    names = calls.text_rows(
        session,
        "SELECT user_id FROM daily_usage WHERE user_id LIKE 'erased-%' AND NOT is_anonymous"
        " UNION SELECT user_id FROM event WHERE user_id LIKE 'erased-%'"
        " UNION SELECT user_id FROM user_alias",
    )
    assert len(names) == 1


def test_an_excluded_user_stays_excluded(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_users(client)
    put = client.put("/api/v1/users/zz-ada", json={"account_id": "a1", "excluded": True})
    assert put.status_code == 200
    before = features(session)
    assert before[0].active_users == 1

    erase(client, sessions, "users/zz-ada")

    assert features(session) == before
    assert columns_mentioning(session, ADA[:2]) == {
        ("unattributed_event", "row"),
        ("unattributed_event", "user_id"),
    }


def test_the_user_is_deleted_at_once(client: TestClient) -> None:
    create_users(client)

    request_change(client, "DELETE", "users/zz-ada")

    assert client.get("/api/v1/users/zz-ada").status_code == 404
    [entry, *_] = client.get("/api/v1/audit-entries").json()["items"]
    assert (entry["action"], entry["details"]) == ("user.erased", {})


def test_erasing_twice_is_one_erasure(client: TestClient, sessions: SessionFactory) -> None:
    create_users(client)
    first = request_change(client, "DELETE", "users/zz-ada")
    process_all(sessions)

    assert request_change(client, "DELETE", "users/zz-ada")["id"] == first["id"]
    assert len(client.get("/api/v1/erasures").json()["items"]) == 1


def test_a_user_with_only_unattributed_events_can_be_erased(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, unattributed("w1", userId="zz-ada", anonymousId="x"))

    erase(client, sessions, "users/zz-ada")

    assert calls.count_rows(session, "unattributed_event") == 0


def test_an_unknown_user_cannot_be_erased(client: TestClient) -> None:
    answer = client.delete("/api/v1/users/nobody")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_erasure_begins_only_when_every_process_knows_of_it(
    client: TestClient, sessions: SessionFactory
) -> None:
    create_users(client)
    record = request_change(client, "DELETE", "users/zz-ada")

    assert process_all(sessions, now=NOW) == 0
    assert client.get(f"/api/v1/erasures/{record['id']}").json()["state"] == "waiting"
    assert process_all(sessions, now=LATER) > 3


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_the_size_of_a_page_does_not_matter(
    client: TestClient,
    sessions: SessionFactory,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    page_size: int,
) -> None:
    monkeypatch.setattr("app.lifecycle.steps.ROWS_PER_PAGE", page_size)
    monkeypatch.setattr("app.lifecycle.erasure.PAYLOADS_PER_PAGE", page_size)
    create_users(client)
    before = features(session)

    erase(client, sessions, "users/zz-ada")

    assert features(session) == before
    calls.one_row(session, "DELETE FROM unattributed_event RETURNING 1")
    assert columns_mentioning(session, ADA) == set()
