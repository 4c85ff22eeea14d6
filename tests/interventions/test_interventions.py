from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.tables import AuditEntry, Change, Intervention, Message
from tests import factories
from tests.interventions.scenario import create_account, refresh, sent_messages, suggested_playbooks

PATH = "/api/v1/interventions"


@pytest.fixture
def proposed(client: TestClient, session: Session) -> str:
    create_account(session, "a1", "champion_inactive")
    refresh(session)
    session.commit()
    row: dict[str, Any] = client.get("/api/v1/accounts/a1/suggestions").json()["items"][0]
    return str(row["id"])


def act(client: TestClient, key: str, verb: str, **body: Any) -> Any:  # noqa: ANN401
    return client.post(f"{PATH}/{key}/{verb}", json=body)


def audited(session: Session) -> list[str]:
    return list(
        session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.action.startswith("intervention."))
            .order_by(AuditEntry.id)
        )
    )


def test_a_suggestion_is_accepted_done_and_told_of(
    client: TestClient, session: Session, proposed: str
) -> None:
    accepted = act(client, proposed, "accept", assignee="kim", due_on="2026-04-01").json()
    started = act(client, proposed, "start").json()
    changed = client.patch(f"{PATH}/{proposed}", json={"notes": "Called."}).json()
    done = act(client, proposed, "complete").json()

    assert [each["state"] for each in (accepted, started, done)] == [
        "accepted",
        "in_progress",
        "done",
    ]
    assert (accepted["assignee"], accepted["due_on"]) == ("kim", "2026-04-01")
    assert (changed["notes"], done["done_at"] is not None) == ("Called.", True)
    assert sorted(sent_messages(session)) == [
        ("intervention.completed", "a1"),
        ("suggestion.created", "a1"),
    ]
    assert audited(session) == [
        "intervention.accepted",
        "intervention.in_progress",
        "intervention.changed",
        "intervention.done",
    ]
    states = [
        each.data["state"] for each in session.scalars(select(Change).order_by(Change.number))
    ]
    assert states == ["suggested", "accepted", "in_progress", "done"]
    assert suggested_playbooks(session) == []


def test_the_message_of_what_was_completed_says_what_it_was(
    client: TestClient, session: Session, proposed: str
) -> None:
    for verb in ("accept", "start", "complete"):  # nothing needs to be said with any of them
        assert client.post(f"{PATH}/{proposed}/{verb}").status_code == 200

    newest = select(Message).where(Message.type == "intervention.completed")
    message = session.scalars(newest).one()
    data = orjson.loads(message.body)["data"]
    assert (data["intervention_id"], data["playbook"]) == (proposed, "find_next_champion")
    assert "completed_by" not in data
    assert orjson.loads(message.personal_body or b"")["data"]["completed_by"].startswith("key:")


def test_one_that_is_dismissed_says_why(
    client: TestClient, session: Session, proposed: str
) -> None:
    found = act(client, proposed, "dismiss", reason="They are being taken over.").json()
    refresh(session)

    assert (found["state"], found["reason"]) == ("dismissed", "They are being taken over.")
    assert suggested_playbooks(session) == []
    assert act(client, proposed, "dismiss").status_code == 422


def test_doing_it_twice_is_the_same_as_once(
    client: TestClient, session: Session, proposed: str
) -> None:
    first = act(client, proposed, "accept", assignee="kim").json()

    assert act(client, proposed, "accept", assignee="kim").json() == first
    assert act(client, proposed, "accept").json() == first
    assert audited(session) == ["intervention.accepted"]


def test_doing_it_twice_says_the_same(client: TestClient, proposed: str) -> None:
    act(client, proposed, "accept", assignee="kim")

    answer = act(client, proposed, "accept", assignee="lee")

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert answer.json()["detail"].endswith("with another assignee.")
    assert client.get(f"{PATH}/{proposed}").json()["assignee"] == "kim"


@pytest.mark.parametrize("verb", ["start", "complete"])
def test_no_step_is_skipped(client: TestClient, proposed: str, verb: str) -> None:
    answer = act(client, proposed, verb)

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_people_may_begin_what_nobody_suggested(client: TestClient, session: Session) -> None:
    create_account(session, "a1", name="Acme Ltd")
    body = {"account_id": "a1", "playbook": "add_value", "notes": "They asked."}

    made = client.post(PATH, json=body)
    again = client.post(PATH, json=body)

    found = made.json()
    assert (made.status_code, found["state"], found["signal"]) == (201, "accepted", None)
    assert (found["notes"], found["effect"]) == ("They asked.", None)
    assert "Acme Ltd" in found["next_step"]
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_beginning_what_is_suggested_accepts_it(client: TestClient, proposed: str) -> None:
    body = {"account_id": "a1", "playbook": "find_next_champion", "assignee": "kim"}

    found = client.post(PATH, json=body).json()

    assert (found["id"], found["state"], found["assignee"]) == (proposed, "accepted", "kim")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"account_id": "nobody", "playbook": "add_value"}, 404),
        ({"account_id": "a1", "playbook": "nonsense"}, 404),
        ({"account_id": "a1"}, 422),
        ({"account_id": "a1", "playbook": "add_value", "due_on": "soon"}, 422),
    ],
)
def test_what_cannot_be_begun_is_refused(
    client: TestClient, session: Session, body: dict[str, str], status: int
) -> None:
    create_account(session, "a1")

    assert client.post(PATH, json=body).status_code == status


def test_they_are_listed_newest_first_and_filtered(client: TestClient, session: Session) -> None:
    create_account(session, "a1")
    create_account(session, "a2")
    for number, state in enumerate(("suggested", "lapsed", "done", "accepted")):
        factories.intervention(
            session, "a1" if number < 3 else "a2", id=f"int_{number}", state=state, assignee="kim"
        )
    session.commit()

    def listed(**asked: str) -> list[str]:
        return [row["id"] for row in client.get(PATH, params=asked).json()["items"]]

    assert listed() == ["int_3", "int_2", "int_0"]
    assert listed(state="lapsed") == ["int_1"]
    assert listed(account_id="a2") == ["int_3"]
    assert listed(assignee="lee") == []
    first = client.get(PATH, params={"limit": 2}).json()
    rest = client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in rest["items"]] == ["int_0"]


def test_null_forgets_who_does_it(client: TestClient, session: Session, proposed: str) -> None:
    act(client, proposed, "accept", assignee="kim")

    found = client.patch(f"{PATH}/{proposed}", json={"assignee": None}).json()

    assert found["assignee"] is None
    assert session.scalars(select(Intervention.assignee)).one() is None
