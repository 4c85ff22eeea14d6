"""Tasks: what is to do for an account, by whom and until when."""

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
    factories.account(session, "a2")
    session.commit()


def create(client: TestClient, title: str, account_id: str = "a1", **fields: Any) -> str:  # noqa: ANN401
    answer = client.post(f"/api/v1/accounts/{account_id}/tasks", json={"title": title, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def titles(client: TestClient, path: str = "tasks", **where: str) -> list[str]:
    page = client.get(f"/api/v1/{path}", params=where)
    assert page.status_code == 200, page.text
    return [each["title"] for each in page.json()["items"]]


def test_a_task_is_done_by_somebody_and_opened_again(client: TestClient) -> None:
    task_id = create(client, "Send the offer", owner=KIM, due_on="2026-03-20", author=LEE)
    path = f"/api/v1/tasks/{task_id}"
    before = client.get(path).json()
    assert (before["author"], before["owner"], before["done_at"]) == (LEE, KIM, None)

    done = client.patch(path, json={"done": True, "author": KIM}).json()
    again = client.patch(path, json={"done": True, "author": LEE}).json()
    assert (done["done_at"], done["done_by"]) == ("2026-03-18T12:00:00Z", KIM)
    assert again == done, "it was done already"

    open_again = client.patch(path, json={"done": False, "due_on": None}).json()
    assert open_again == before | {"due_on": None}


def test_tasks_are_listed_by_due_day_and_filtered(client: TestClient) -> None:
    create(client, "some day", owner=KIM)
    create(client, "late", owner=KIM, due_on="2026-03-17")
    create(client, "soon", "a2", due_on="2026-03-20")
    finished = create(client, "finished", owner=KIM, due_on="2026-03-01")
    client.patch(f"/api/v1/tasks/{finished}", json={"done": True})

    assert titles(client) == ["finished", "late", "soon", "some day"]
    assert titles(client, owner=KIM, done="false") == ["late", "some day"]
    assert titles(client, done="true") == ["finished"]
    assert titles(client, due_before="2026-03-20") == ["finished", "late"]
    assert titles(client, "accounts/a2/tasks") == titles(client, account_id="a2") == ["soon"]
    assert titles(client, "accounts/a1/tasks", done="false") == ["late", "some day"]


def test_pages_go_on_after_tasks_without_a_due_day(client: TestClient) -> None:
    for number in range(3):
        create(client, f"some day {number}")
    create(client, "soon", due_on="2026-03-20")

    seen: list[str] = []
    cursor = None
    while not seen or cursor:
        page = client.get(
            "/api/v1/tasks", params={"limit": 1, "cursor": cursor} if cursor else {"limit": 1}
        ).json()
        seen += [each["title"] for each in page["items"]]
        cursor = page["next_cursor"]

    assert seen[0] == "soon"
    assert sorted(seen[1:]) == [f"some day {number}" for number in range(3)]


def test_a_task_is_deleted_and_the_log_keeps_no_title(client: TestClient, session: Session) -> None:
    task_id = create(client, "zz-secret", owner=KIM, due_on="2026-03-20")
    client.patch(f"/api/v1/tasks/{task_id}", json={"title": "zz-secret too", "done": True})

    assert client.delete(f"/api/v1/tasks/{task_id}").status_code == 204

    assert client.get(f"/api/v1/tasks/{task_id}").status_code == 404
    rows = session.execute(
        text("SELECT action, details FROM audit_entry WHERE action LIKE 'task%'")
    )
    assert [tuple(row) for row in rows] == [
        ("task.created", {"account_id": "a1", "owner": KIM, "due_on": "2026-03-20"}),
        ("task.changed", {"account_id": "a1", "done": True}),
        ("task.deleted", {"account_id": "a1"}),
    ]
