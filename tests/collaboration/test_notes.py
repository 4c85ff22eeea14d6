"""Notes: calls, meetings and e-mails that people log about an account."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import factories

KIM, LEE = "kim@example.com", "lee@example.com"


@pytest.fixture(autouse=True)
def account(session: Session, client: TestClient) -> None:
    del client  # it makes the workspace
    factories.account(session, "a1")
    session.commit()


def write(client: TestClient, account_id: str = "a1", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    body = {"text": "They will renew.", "author": KIM, **fields}
    answer = client.post(f"/api/v1/accounts/{account_id}/notes", json=body)
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()
    return note


def test_a_call_is_logged_with_its_time_and_participants(client: TestClient) -> None:
    """Spaces, empty and repeated participants go; the time is in UTC."""
    people = ["ada@acme.example", " Kim Lee ", "Kim Lee", " "]
    note = write(client, kind="call", at="2026-03-17T10:30:00+01:00", participants=people)

    assert note == client.get(f"/api/v1/notes/{note['id']}").json()
    assert (note["kind"], note["at"], note["author"]) == ("call", "2026-03-17T09:30:00Z", KIM)
    assert note["participants"] == ["ada@acme.example", "Kim Lee"]
    assert (note["version"], note["edited_at"]) == (1, None)


def test_a_note_without_author_and_time_is_of_the_key_and_of_now(client: TestClient) -> None:
    note = write(client, author=None)

    assert note["author"].startswith("key:")
    assert (note["at"], note["created_at"]) == ("2026-03-18T12:00:00Z", "2026-03-18T12:00:00Z")


def test_a_note_of_the_future_is_refused(client: TestClient) -> None:
    body = {"text": "We will meet.", "at": "2026-03-18T12:00:01Z"}

    answer = client.post("/api/v1/accounts/a1/notes", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/at")


def test_notes_are_listed_newest_first_by_page_and_filter(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a2")
    session.commit()
    days = {
        name: write(client, text=name, at=f"2026-03-{day}T00:00:00Z")
        for name, day in (("old", "01"), ("new", "17"), ("middle", "09"))
    }
    write(client, "a2", text="other", kind="meeting", author=LEE, at="2026-03-10T00:00:00Z")

    first = client.get("/api/v1/accounts/a1/notes", params={"limit": 2}).json()
    last = client.get(
        "/api/v1/accounts/a1/notes", params={"limit": 2, "cursor": first["next_cursor"]}
    ).json()
    texts = [each["text"] for each in (*first["items"], *last["items"])]
    assert (texts, last["next_cursor"]) == (["new", "middle", "old"], None)

    def listed(**where: str) -> list[str]:
        page = client.get("/api/v1/notes", params=where).json()
        return [each["text"] for each in page["items"]]

    assert listed() == ["new", "other", "middle", "old"]
    assert listed(author=LEE) == listed(kind="meeting") == listed(account_id="a2") == ["other"]
    assert len(days) == 3


def test_only_the_author_changes_a_note_and_every_version_stays(client: TestClient) -> None:
    note = write(client, text="They will renew.")
    path = f"/api/v1/notes/{note['id']}"

    refused = client.patch(path, json={"text": "No.", "author": LEE})
    client.patch(path, json={"text": "They may renew.", "author": KIM})
    client.patch(path, json={"text": "They may renew.", "author": KIM})
    changed = client.patch(path, json={"participants": ["ada"], "author": KIM}).json()

    assert (refused.status_code, refused.json()["code"]) == (403, "other_author")
    assert (changed["version"], changed["text"]) == (3, "They may renew.")
    assert changed["edited_at"] == "2026-03-18T12:00:00Z"
    versions = client.get(f"{path}/versions").json()["items"]
    assert [(v["version"], v["text"], v["participants"]) for v in versions] == [
        (2, "They may renew.", []),
        (1, "They will renew.", []),
    ]


def test_only_the_author_deletes_a_note_and_the_log_keeps_no_text(
    client: TestClient, session: Session
) -> None:
    note = write(client, text="zz-secret")
    path = f"/api/v1/notes/{note['id']}"
    client.patch(path, json={"text": "zz-secret too", "author": KIM})

    assert client.delete(path, params={"author": LEE}).status_code == 403
    assert client.delete(path, params={"author": KIM}).status_code == 204

    assert client.get(path).status_code == 404
    assert client.get(f"{path}/versions").status_code == 404
    rows = session.execute(text("SELECT action, subject, details FROM audit_entry ORDER BY id"))
    audited = [tuple(row) for row in rows if row.subject == note["id"]]
    of_kim = {"account_id": "a1", "author": KIM}
    assert audited == [
        ("note.created", note["id"], of_kim),
        ("note.changed", note["id"], of_kim | {"fields": ["text"]}),
        ("note.deleted", note["id"], of_kim),
    ]
    assert session.scalar(text("SELECT count(*) FROM note_version")) == 0


def test_a_repeated_post_writes_one_note(client: TestClient) -> None:
    for _ in range(2):
        answer = client.post(
            "/api/v1/accounts/a1/notes",
            json={"text": "They called."},
            headers={"Idempotency-Key": "call-1"},
        )
        assert answer.status_code == 201

    assert len(client.get("/api/v1/notes").json()["items"]) == 1


def test_notes_are_read_as_csv_and_revalidated(client: TestClient) -> None:
    write(client, text="=1+1", participants=["ada", "Kim Lee"])

    table = client.get("/api/v1/notes", headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert "'=1+1" in table.text

    answer = client.get("/api/v1/notes")
    again = client.get("/api/v1/notes", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_an_unknown_account_has_no_notes(client: TestClient) -> None:
    assert client.get("/api/v1/accounts/nobody/notes").status_code == 404
    answer = client.post("/api/v1/accounts/nobody/notes", json={"text": "x"})
    assert answer.status_code == 404
