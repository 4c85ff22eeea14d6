"""An erased person is in no note, and notes follow their account."""

from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.collaboration.erasure import _pattern
from app.core.db import SessionFactory
from tests.lifecycle.id_changes import columns_mentioning, erase, move_account

ADA = {"account_id": "a1", "email": "ada@zz.example", "name": "Ada Zz-Byron"}
NAMES = ("zz-ada", "ada@zz.example", "Zz-Byron", "zz-byron")


def write_about_ada(client: TestClient) -> None:
    for account_id in ("a1", "a2"):
        client.put(f"/api/v1/accounts/{account_id}", json={})
    client.put("/api/v1/users/zz-ada", json=ADA)
    client.put("/api/v1/users/42", json={"account_id": "a2", "name": "Will"})
    notes = "/api/v1/accounts/a2/notes"
    body = {"text": "ADA@zz.example and ada zz-byron left.", "participants": ["Ada Zz-Byron"]}
    note = client.post(notes, json=body).json()
    client.patch(f"/api/v1/notes/{note['id']}", json={"text": "She (zz-ada) left."})
    client.post(notes, json={"text": "Zz-adalbert knows zz-ada, says Ada Zz-Byron."})
    client.post(notes, json={"text": "Will called: 42 seats.", "participants": ["will", "42"]})
    client.post(notes, json={"text": "They will buy 42 seats."})
    client.post("/api/v1/accounts/a2/tasks", json={"title": "Call ada@zz.example"})
    client.post(
        "/api/v1/accounts/a2/sentiment", json={"value": 2, "reason": "Ada Zz-Byron has left."}
    )


def texts(session: Session) -> list[str]:
    return list(session.scalars(text("SELECT text FROM note ORDER BY created_at, text")))


def test_an_erased_person_is_in_no_text(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    write_about_ada(client)
    assert len(columns_mentioning(session, NAMES)) > 5

    erase(client, sessions, "users/zz-ada")

    assert [each for each in texts(session) if "Zz-adalbert" in each]
    session.execute(text("UPDATE note SET text = replace(text, 'Zz-adalbert', '')"))
    assert columns_mentioning(session, NAMES) == set()
    [person] = session.scalars(text("SELECT participants[1] FROM note_version"))
    assert person.startswith("erased-")


def test_a_word_that_may_mean_something_else_is_replaced_only_where_the_person_took_part(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    write_about_ada(client)

    erase(client, sessions, "users/42")

    texts_now = [each for each in texts(session) if "seats" in each]
    assert "They will buy 42 seats." in texts_now
    [other] = [each for each in texts_now if each != "They will buy 42 seats."]
    assert "Will" not in other
    assert "42" not in other.replace(other.split()[0], "").replace(":", "").split()


def test_nothing_that_was_written_about_an_erased_account_is_left(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    write_about_ada(client)

    erase(client, sessions, "accounts/a2")

    for table in ("note", "note_version", "task", "sentiment"):
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table  # noqa: S608


def test_people_of_an_erased_account_leave_the_notes_of_others(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    write_about_ada(client)

    erase(client, sessions, "accounts/a1")

    rows = session.scalars(text("SELECT unnest(participants) FROM note"))
    assert "Ada Zz-Byron" not in set(rows)


def test_notes_tasks_and_sentiment_follow_a_merged_and_a_renamed_account(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    write_about_ada(client)
    client.post("/api/v1/accounts/a1/notes", json={"text": "Their own."})

    move_account(client, sessions, "a2", "merge", into="a1")
    move_account(client, sessions, "a1", "rename", account_id="a3")

    assert len(client.get("/api/v1/accounts/a2/notes").json()["items"]) == 5
    assert len(client.get("/api/v1/accounts/a3/tasks").json()["items"]) == 1
    assert client.get("/api/v1/accounts/a3/sentiment").json()["account_id"] == "a3"
    assert session.scalar(text("SELECT count(*) FROM note_version")) == 1


def test_a_longer_name_is_replaced_as_a_whole() -> None:
    pattern = _pattern(["Ada", "Ada.B", "ada@b.example"])

    assert pattern.sub("X", "Ada.B, Ada; Adam (ada@b.example)") == "X, X; Adam (X)"
