"""The first day of each event name is noted by source (API key)."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.engagement.first_event import load_known_days
from app.tables import SourceEventName
from tests import factories
from tests.conftest import NOW
from tests.events.calls import ingest, track, unattributed

TODAY = NOW.date()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def at(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def stored_days(session: Session) -> dict[str, date]:
    rows = session.query(SourceEventName).populate_existing()
    return {row.name: row.first_day for row in rows}


def test_the_earliest_day_of_each_name_is_stored_in_any_order(
    client: TestClient, session: Session
) -> None:
    for number, order in enumerate(permutations((3, 9, 6))):
        for days in order:
            ingest(client, track(f"{number}-{days}", event=f"Name {number}", timestamp=at(days)))

    assert stored_days(session) == {f"Name {number}": ago(9) for number in range(6)}


def test_views_and_events_that_wait_count_too_and_calls_without_use_do_not(
    client: TestClient, session: Session
) -> None:
    ingest(
        client,
        track("p", type="page", name="Pricing", timestamp=at(2), event=None),
        unattributed("w", timestamp=at(5), userId="nobody"),
        track("i", type="identify", event=None, timestamp=at(8)),
    )

    assert sorted(stored_days(session).values()) == [ago(5), ago(2)]


def add_days(session: Session, **days: dict[str, int]) -> None:
    """Add what sources sent: source to event name to how many days ago it sent it first."""
    factories.workspace(session)
    for key_id, names in days.items():
        for name, back in names.items():
            row = {"key_id": key_id, "name": name, "first_day": ago(back)}
            session.add(SourceEventName(workspace_id="acme", **row))
    session.flush()


def known_days(session: Session, *, as_of: date = TODAY) -> dict[str, int]:
    names = {"sso": ["Login"], "chat": ["Chat", "Call"], "new": ["New"], "never": ["Never"]}
    first = {"as_of": as_of, "first_event_on": ago(90)}
    found = load_known_days(session, "acme", names, **first)
    return {key: (TODAY - day).days for key, day in found.items()}


def test_use_is_known_since_the_first_event_of_the_sources_that_report_it(session: Session) -> None:
    """Web sends since 90 days, and New since 5; mobile sends Call since 30, and Login since 20."""
    add_days(session, web={"Login": 80, "Home": 90, "New": 5}, mobile={"Call": 30, "Login": 20})

    assert known_days(session) == {"sso": 90, "chat": 30, "new": 90, "never": 90}


def test_what_a_source_sends_later_does_not_change_a_past_day(session: Session) -> None:
    """Since 10 days the web sends Chat too: until then only mobile reported it."""
    add_days(session, web={"Home": 90, "Chat": 10}, mobile={"Call": 30})

    assert known_days(session)["chat"] == 90
    assert known_days(session, as_of=ago(11))["chat"] == 30


def add_key(client: TestClient, name: str) -> tuple[str, str]:
    created = client.post("/api/v1/api-keys", json={"name": name, "scopes": ["ingest:write"]})
    return created.json()["id"], created.json()["key"]


def send(client: TestClient, key: str, message_id: str, event: str, days: int) -> None:
    call = track(message_id, event=event, timestamp=at(days))
    headers = {"Authorization": f"Bearer {key}"}
    answer = client.post("/v1/batch", json={"batch": [call]}, headers=headers)
    assert answer.json()["accepted"] == 1, answer.text


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ("rotated", 90),
        ("rotated twice", 90),
        ("revoked, another of its name", 90),
        ("another of its name beside it", 10),
        ("revoked, one of another name", 10),
    ],
)
def test_a_key_that_replaces_another_is_the_same_source(
    client: TestClient, session: Session, change: str, known: int
) -> None:
    """The first key sends Home since 90 days; what comes after it sends Login since 10."""
    key_id, old = add_key(client, "web")
    send(client, old, "home", "Home", 90)
    path = "/api/v1/api-keys"
    if change.startswith("rotated"):
        key = client.post(f"{path}/{key_id}/rotate").json()
        if change == "rotated twice":
            key = client.post(f"{path}/{key['id']}/rotate").json()
        new = key["key"]
    else:
        if change.startswith("revoked"):
            assert client.post(f"{path}/{key_id}/revoke").is_success
        _, new = add_key(client, "mobile" if change.endswith("another name") else "web")
    send(client, new, "login", "Login", 10)

    assert known_days(session)["sso"] == known
