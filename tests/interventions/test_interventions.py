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
def suggestion_id(client: TestClient, session: Session) -> str:
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


def test_a_suggestion_is_accepted_done_and_announced(
    client: TestClient, session: Session, suggestion_id: str
) -> None:
    accepted = act(client, suggestion_id, "accept", assignee="kim", due_on="2026-04-01").json()
    started = act(client, suggestion_id, "start").json()
    changed = client.patch(f"{PATH}/{suggestion_id}", json={"notes": "Called."}).json()
    done = act(client, suggestion_id, "complete").json()

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


def test_the_message_of_a_completed_intervention_contains_its_playbook(
    client: TestClient, session: Session, suggestion_id: str
) -> None:
    for verb in ("accept", "start", "complete"):  # the body is optional
        assert client.post(f"{PATH}/{suggestion_id}/{verb}").status_code == 200

    completed = select(Message).where(Message.type == "intervention.completed")
    message = session.scalars(completed).one()
    data = orjson.loads(message.body)["data"]
    assert (data["intervention_id"], data["playbook"]) == (suggestion_id, "find_next_champion")
    assert "completed_by" not in data
    assert orjson.loads(message.personal_body or b"")["data"]["completed_by"].startswith("key:")


def test_a_dismissed_suggestion_keeps_its_reason(
    client: TestClient, session: Session, suggestion_id: str
) -> None:
    intervention = act(client, suggestion_id, "dismiss", reason="They are being taken over.").json()
    refresh(session)

    assert (intervention["state"], intervention["reason"]) == (
        "dismissed",
        "They are being taken over.",
    )
    assert suggested_playbooks(session) == []
    assert act(client, suggestion_id, "dismiss").status_code == 422


def test_repeating_an_action_changes_nothing(
    client: TestClient, session: Session, suggestion_id: str
) -> None:
    first = act(client, suggestion_id, "accept", assignee="kim").json()

    assert act(client, suggestion_id, "accept", assignee="kim").json() == first
    assert act(client, suggestion_id, "accept").json() == first
    assert audited(session) == ["intervention.accepted"]


def test_repeating_an_action_with_other_values_is_rejected(
    client: TestClient, suggestion_id: str
) -> None:
    act(client, suggestion_id, "accept", assignee="kim")

    response = act(client, suggestion_id, "accept", assignee="lee")

    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")
    assert response.json()["detail"].endswith(
        "with a different assignee: send the same value or none."
    )
    assert client.get(f"{PATH}/{suggestion_id}").json()["assignee"] == "kim"


@pytest.mark.parametrize("verb", ["start", "complete"])
def test_no_state_is_skipped(client: TestClient, suggestion_id: str, verb: str) -> None:
    response = act(client, suggestion_id, verb)

    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


def test_a_playbook_can_be_begun_without_a_suggestion(client: TestClient, session: Session) -> None:
    create_account(session, "a1", name="Acme Ltd")
    body = {"account_id": "a1", "playbook": "add_value", "notes": "They asked."}

    created = client.post(PATH, json=body)
    repeated = client.post(PATH, json=body)

    intervention = created.json()
    assert (created.status_code, intervention["state"], intervention["signal"]) == (
        201,
        "accepted",
        None,
    )
    assert (intervention["notes"], intervention["effect"]) == ("They asked.", None)
    assert "Acme Ltd" in intervention["next_step"]
    assert (repeated.status_code, repeated.json()["code"]) == (409, "wrong_state")


def test_beginning_a_suggested_playbook_accepts_the_suggestion(
    client: TestClient, suggestion_id: str
) -> None:
    body = {"account_id": "a1", "playbook": "find_next_champion", "assignee": "kim"}

    intervention = client.post(PATH, json=body).json()

    assert (intervention["id"], intervention["state"], intervention["assignee"]) == (
        suggestion_id,
        "accepted",
        "kim",
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"account_id": "nobody", "playbook": "add_value"}, 404),
        ({"account_id": "a1", "playbook": "nonsense"}, 404),
        ({"account_id": "a1"}, 422),
        ({"account_id": "a1", "playbook": "add_value", "due_on": "soon"}, 422),
    ],
)
def test_an_invalid_intervention_is_rejected(
    client: TestClient, session: Session, body: dict[str, str], status: int
) -> None:
    create_account(session, "a1")

    assert client.post(PATH, json=body).status_code == status


def test_interventions_are_listed_newest_first_and_filtered(
    client: TestClient, session: Session
) -> None:
    create_account(session, "a1")
    create_account(session, "a2")
    for number, state in enumerate(("suggested", "lapsed", "done", "accepted")):
        factories.intervention(
            session, "a1" if number < 3 else "a2", id=f"int_{number}", state=state, assignee="kim"
        )
    session.commit()

    def list_ids(**params: str) -> list[str]:
        return [row["id"] for row in client.get(PATH, params=params).json()["items"]]

    assert list_ids() == ["int_3", "int_2", "int_0"]
    assert list_ids(state="lapsed") == ["int_1"]
    assert list_ids(account_id="a2") == ["int_3"]
    assert list_ids(assignee="lee") == []
    first = client.get(PATH, params={"limit": 2}).json()
    rest = client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in rest["items"]] == ["int_0"]


def test_null_removes_the_assignee(
    client: TestClient, session: Session, suggestion_id: str
) -> None:
    act(client, suggestion_id, "accept", assignee="kim")

    intervention = client.patch(f"{PATH}/{suggestion_id}", json={"assignee": None}).json()

    assert intervention["assignee"] is None
    assert session.scalars(select(Intervention.assignee)).one() is None
