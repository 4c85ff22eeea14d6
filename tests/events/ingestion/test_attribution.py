"""Waiting events are attributed by the calls of their users, or when all of them are examined."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion import attribution
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import alias, group, identify, track, unattributed

DAY = timedelta(days=1)


def attribute_marked(sessions: SessionFactory) -> int:
    """Attribute only the marked events."""
    return attribution.attribute_events(sessions, now=NOW + DAY, everything=False)


def visitor(message_id: str, anonymous_id: str = "web") -> dict[str, object]:
    return unattributed(message_id, userId=None, anonymousId=anonymous_id)


def test_a_group_call_marks_the_events_of_its_user(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(
        client, unattributed("m1"), unattributed("m2"), unattributed("m3", userId="nobody")
    )
    assert attribute_marked(sessions) == 0

    calls.ingest(client, group())

    assert attribute_marked(sessions) == 2
    found = calls.text_rows(
        session, "SELECT message_id, account_by, known_on::text FROM event WHERE kind = 'track'"
    )
    assert sorted(found) == [("m1", "user", "2026-03-19"), ("m2", "user", "2026-03-19")]
    assert calls.count_rows(session, "unattributed_event") == 1
    assert (attribute_marked(sessions), calls.count_rows(session, "due_attribution")) == (0, 0)


def test_an_event_with_user_and_account_attributes_earlier_events(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, unattributed("m1"), unattributed("m2", userId="bob"))

    calls.ingest(client, track("m3"))
    calls.ingest(client, track("m4", userId="bob"), unattributed("m5", userId="nobody"))

    assert attribute_marked(sessions) == 1, "a batch that has to look things up marks what it finds"
    assert attribution.attribute_events(sessions, now=NOW) == 1


@pytest.mark.parametrize("alias_first", [True, False])
def test_a_visitor_is_attributed_once_alias_and_account_are_known(
    client: TestClient, sessions: SessionFactory, session: Session, *, alias_first: bool
) -> None:
    calls.ingest(client, visitor("m1"), visitor("m2", "another"))
    first, second = (alias("web"), group()) if alias_first else (group(), alias("web"))

    calls.ingest(client, first)
    assert attribute_marked(sessions) == 0
    calls.ingest(client, second)

    assert attribute_marked(sessions) == 1
    found = calls.one_row(session, "SELECT message_id, account_by FROM event WHERE kind = 'track'")
    assert found == ("m1", "alias")


def test_a_call_of_a_user_without_waiting_events_marks_nothing(
    client: TestClient, session: Session
) -> None:
    calls.ingest(client, unattributed("m1", userId="nobody"))

    calls.ingest(client, group(), identify(), alias("web"), track())

    assert calls.count_rows(session, "due_attribution") == 0


def test_marked_events_beyond_one_page_stay_marked(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    for page in range(3):
        calls.ingest(client, *(unattributed(f"m{page}-{n}") for n in range(400)))
    calls.ingest(client, group())

    assert [attribute_marked(sessions) for _ in range(3)] == [1000, 200, 0]
    assert calls.one_row(session, "SELECT sum(events) FROM daily_usage") == (1200,)


def test_an_account_set_by_the_api_is_found_when_all_events_are_examined(
    client: TestClient, sessions: SessionFactory
) -> None:
    calls.ingest(client, unattributed("m1"))
    client.put("/api/v1/users/ada", json={"account_id": "a1"})

    assert attribute_marked(sessions) == 0
    assert attribution.attribute_events(sessions, now=NOW) == 1
