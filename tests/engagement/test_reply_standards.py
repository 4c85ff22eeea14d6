"""Reply standards: settings of the workspace, and when the reply to a ticket is due by them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority
from app.engagement.reply_standards.standards import ReplyStandards
from app.tables import AuditEntry, Due
from tests import factories
from tests.conftest import NOW
from tests.engagement.semantic_calls import engagement_of, semantic_call

STANDARDS = "/api/v1/reply-standards"
DEFAULTS = {"default_minutes": 1440, "channels": {"chat": 10}, "priorities": {"urgent": 120}}
OWN = ReplyStandards(
    default_minutes=600,
    channels={"chat": 30, "phone": 15},
    priorities={"urgent": 20, "low": 2880},
)


@pytest.mark.parametrize(
    ("channel", "priority", "minutes"),
    [
        (None, None, 600),
        ("email", "normal", 600),
        ("chat", None, 30),
        (" CHAT ", "low", 30),  # the stricter of 30 and 2880
        ("chat", "urgent", 20),  # the stricter of 30 and 20
        ("phone", "urgent", 15),
        ("email", "low", 2880),  # a named standard may be longer than the default
    ],
)
def test_the_stricter_of_channel_and_priority_counts(
    channel: str | None, priority: str | None, minutes: int
) -> None:
    assert OWN.minutes(channel, priority) == minutes


@pytest.mark.parametrize(
    ("channel", "priority", "minutes"),
    [("chat", "urgent", 10), ("email", "Urgent", 120), (None, "high", 1440)],
)
def test_the_defaults(channel: str | None, priority: str | None, minutes: int) -> None:
    assert ReplyStandards().minutes(channel, priority) == minutes


def test_standards_are_the_defaults_until_they_are_set(client: TestClient) -> None:
    answer = client.get(STANDARDS).json()

    assert answer == {**DEFAULTS, "changed_at": None, "changed_by": None}


def test_new_standards_replace_the_old_ones_and_queue_all_accounts(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    session.commit()
    client.put(STANDARDS, json={"default_minutes": 60})

    answer = client.put(STANDARDS, json={"channels": {"Phone": 15.0}, "priorities": {}})

    assert answer.status_code == 200
    body = {**DEFAULTS, "channels": {"phone": 15}, "priorities": {}}
    assert {name: answer.json()[name] for name in body} == body
    assert client.get(STANDARDS).json() == answer.json()
    assert answer.json()["changed_by"].startswith("key:")
    marks = session.query(Due).filter_by(account_id="a1").all()
    assert [mark.priority for mark in marks] == [Priority.SILENT, Priority.SILENT]


def test_the_same_standards_again_change_nothing(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")
    session.commit()
    first = client.put(STANDARDS, json={"channels": {"chat": 30}}).json()

    assert client.put(STANDARDS, json={"channels": {" CHAT ": 30}}).json() == first
    assert session.query(Due).count() == 1
    assert session.query(AuditEntry).filter_by(action="reply_standards.changed").count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"default_minutes": 0}, "/body/default_minutes"),
        ({"default_minutes": "60"}, "/body/default_minutes"),
        ({"default_minutes": 365 * 24 * 60 + 1}, "/body/default_minutes"),
        ({"channels": {"chat": -1}}, "/body/channels/chat"),
        ({"channels": {"chat": None}}, "/body/channels/chat"),
        ({"channels": {"chat": 1.5}}, "/body/channels/chat"),
        ({"channels": {"chat": 1, "Chat": 2}}, "/body/channels"),
        ({"priorities": {" ": 5}}, "/body/priorities"),
        ({"priorities": {f"p{n}": 5 for n in range(51)}}, "/body/priorities"),
        ({"priorities": ["urgent"]}, "/body/priorities"),
        ({"chat": 10}, "/body/chat"),
    ],
)
def test_invalid_standards_are_refused(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    answer = client.put(STANDARDS, json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def put_ticket(client: TestClient, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    body = {"account_id": "a1", "channel": "chat", "opened_at": "2026-03-18T09:00:00Z", **fields}
    answer: dict[str, Any] = client.put("/api/v1/tickets/t1", json=body).json()
    return answer


def test_a_ticket_shows_when_its_reply_is_due(client: TestClient) -> None:
    # 09:00 + 10 minutes of a chat by default; + 30 by the new standard.
    assert put_ticket(client)["reply_due_at"] == "2026-03-18T09:10:00Z"

    client.put(STANDARDS, json={"channels": {"chat": 30}})

    ticket = client.get("/api/v1/tickets/t1").json()
    assert ticket["reply_due_at"] == "2026-03-18T09:30:00Z"
    assert client.get("/api/v1/tickets").json()["items"] == [ticket]
    header, row = client.get("/api/v1/tickets", headers={"Accept": "text/csv"}).text.splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert cells["reply_due_at"] == "2026-03-18T09:30:00Z"


@pytest.mark.parametrize("field", ["replied_at", "closed_at"])
def test_no_reply_is_due_when_replied_or_closed(client: TestClient, field: str) -> None:
    assert put_ticket(client, **{field: "2026-03-18T09:05:00Z"})["reply_due_at"] is None


def test_a_ticket_without_an_opening_has_no_due_reply(client: TestClient) -> None:
    calls = [semantic_call("Ticket Replied", "m1", ticket_id="t1")]
    client.post("/v1/batch", json={"batch": calls})

    assert client.get("/api/v1/tickets/t1").json()["reply_due_at"] is None


def test_a_ticket_that_was_closed_in_time_never_becomes_late(
    client: TestClient, session: Session
) -> None:
    # Opened 5 days ago, closed after 2.4 hours without a reply, reopened, closed 2 days ago: the
    # first closing is the reply, within 24 hours.
    calls = [
        semantic_call("Ticket Created", "m1", days=5, ticket_id="t1"),
        semantic_call("Ticket Closed", "m2", days=4.9, ticket_id="t1"),
        semantic_call("Ticket Reopened", "m3", days=3, ticket_id="t1"),
    ]
    client.post("/v1/batch", json={"batch": calls})

    [reopened] = engagement_of(session).open_tickets
    assert (reopened.reply_due_at, engagement_of(session).next_reply_due(NOW)) == (None, None)
    assert client.get("/api/v1/tickets/t1").json()["reply_due_at"] is None

    again = semantic_call("Ticket Closed", "m4", days=2, ticket_id="t1")
    client.post("/v1/batch", json={"batch": [again]})

    assert engagement_of(session).tickets[28].late == 0
    assert engagement_of(session).tickets[28].first_reply_minutes == pytest.approx(144)
