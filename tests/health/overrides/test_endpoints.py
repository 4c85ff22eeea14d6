from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.settings import Settings
from app.health.overrides import service as override_service
from app.health.scoring import service
from app.tables import AuditEntry, Due, HealthHistory, ScoreOverride
from app.worker import Worker
from app.workspaces.service import Actor
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events
from tests.lock_waits import wait_until_blocked

ACCOUNTS, LIST = "/api/v1/accounts", "/api/v1/health-overrides"
BODY = {"value": 12.5, "reason": "Their champion left.", "expires_at": "2026-04-01T00:00:00Z"}
LATER = NOW + timedelta(days=20)


@pytest.fixture
def peers(session: Session) -> list[str]:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    session.commit()
    return ids


def put_override(client: TestClient, account_id: str = "a010", **changes: Any) -> Any:  # noqa: ANN401
    return client.put(f"{ACCOUNTS}/{account_id}/health/override", json=BODY | changes)


def get_health(client: TestClient, account_id: str = "a010") -> Any:  # noqa: ANN401
    return client.get(f"{ACCOUNTS}/{account_id}/health").json()


def stored(session: Session) -> list[ScoreOverride]:
    return list(session.scalars(select(ScoreOverride).order_by(ScoreOverride.id)))


@pytest.mark.usefixtures("peers")
def test_an_override_replaces_the_score_and_the_computed_one_is_listed_beside_it(
    client: TestClient,
) -> None:
    before = client.post(f"{ACCOUNTS}/a010/health/refresh").json()

    answer = put_override(client, author="kim@example.com")

    assert (answer.status_code, answer.json()["author"]) == (200, "kim@example.com")
    found = get_health(client)
    assert (found["value"], found["band"], found["status"]) == (12.5, "at_risk", "overridden")
    assert found["machine"] == {"value": before["value"], "band": before["band"], "status": "ok"}
    assert found["override"]["reason"] == "Their champion left."
    assert found["measures"] == before["measures"]


@pytest.mark.usefixtures("peers")
def test_an_override_is_in_the_history_and_the_audit_log(
    client: TestClient, session: Session
) -> None:
    client.post(f"{ACCOUNTS}/a010/health/refresh")

    put_override(client, author="kim@example.com")

    rows = session.scalars(select(HealthHistory).order_by(HealthHistory.change)).all()
    assert (rows[-1].as_of, rows[-1].status, rows[-1].score) == (AS_OF, "overridden", 12.5)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.subject == "a010")).one()
    assert (entry.action, entry.details["author"]) == ("score_override.set", "kim@example.com")
    assert entry.actor.startswith("key:"), "the key is authenticated, the author is not"


@pytest.mark.usefixtures("peers")
def test_another_override_replaces_the_first(client: TestClient, session: Session) -> None:
    put_override(client)

    put_override(client, value=70)

    first, second = stored(session)
    assert (first.ended_at, second.ended_at) == (NOW, None)
    assert (get_health(client)["value"], get_health(client)["band"]) == (70, "healthy")


@pytest.mark.usefixtures("peers")
def test_repeating_an_override_changes_nothing(client: TestClient, session: Session) -> None:
    first = put_override(client).json()

    assert put_override(client).json() == first
    assert len(stored(session)) == 1


@pytest.mark.usefixtures("peers")
def test_ending_an_override_restores_the_computed_score(
    client: TestClient, session: Session
) -> None:
    before = client.post(f"{ACCOUNTS}/a010/health/refresh").json()
    put_override(client)

    assert client.delete(f"{ACCOUNTS}/a010/health/override").status_code == 204

    found = get_health(client)
    assert (found["value"], found["status"]) == (before["value"], "ok")
    assert (found["machine"], found["override"]) == (None, None)
    assert client.delete(f"{ACCOUNTS}/a010/health/override").status_code == 404
    assert stored(session)[0].ended_by is not None


@pytest.mark.usefixtures("peers")
def test_an_override_expires(client: TestClient, session: Session) -> None:
    put_override(client)
    put_override(client, "a011", expires_at="2026-05-01T00:00:00Z")
    session.execute(delete(Due))

    assert override_service.expire_overrides(session, now=LATER) == 1

    [ended, running] = stored(session)
    assert (ended.ended_by, ended.ended_at) == ("expiry", ended.expires_at)
    assert running.ended_at is None
    assert session.scalars(select(Due.account_id)).all() == ["a010"]
    [found] = service.refresh(session, "acme", ["a010"], as_of=LATER.date(), now=LATER)
    assert found.status == "ok"


@pytest.mark.usefixtures("peers")
def test_a_past_day_is_scored_with_the_overrides_of_that_day(
    client: TestClient, session: Session
) -> None:
    put_override(client)

    yesterday, today = (
        service.refresh(session, "acme", ["a010"], as_of=day, now=NOW + timedelta(days=3))[0]
        for day in (AS_OF - timedelta(days=1), AS_OF)
    )

    assert (yesterday.status, today.status) == ("ok", "overridden")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"value": 100.1}, "/body/value"),
        ({"value": None}, "/body/value"),
        ({"reason": ""}, "/body/reason"),
        ({"expires_at": None}, "/body/expires_at"),
        ({"expires_at": "2026-04-01T00:00:00"}, "/body/expires_at"),
        ({"expires_at": "2026-03-18T12:00:00Z"}, "/body/expires_at"),
        ({"expires_at": "2027-03-20T12:00:00Z"}, "/body/expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "/body/expires_at"),
        ({"since": "2026-03-18"}, "/body/since"),
    ],
)
@pytest.mark.usefixtures("peers")
def test_a_value_a_reason_and_an_expiry_within_a_year_are_required(
    client: TestClient, session: Session, changes: dict[str, Any], pointer: str
) -> None:
    answer = put_override(client, **changes)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert stored(session) == []


def test_an_override_needs_an_expiry(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")

    answer = client.put(f"{ACCOUNTS}/a1/health/override", json={"value": 1, "reason": "x"})

    assert answer.json()["errors"][0]["pointer"] == "/body/expires_at"


@pytest.mark.usefixtures("peers")
def test_a_churned_account_cannot_be_overridden(client: TestClient, session: Session) -> None:
    factories.account(session, "gone")
    factories.subscription(session, "gone", ends_on=AS_OF)
    session.commit()

    answer = put_override(client, "gone")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_scored")
    assert stored(session) == []


@pytest.mark.usefixtures("peers")
def test_a_new_account_can_be_overridden(client: TestClient, session: Session) -> None:
    factories.account(session, "new")
    session.commit()

    put_override(client, "new")

    found = get_health(client, "new")
    assert (found["value"], found["machine"]["status"]) == (12.5, "new")


@pytest.mark.usefixtures("peers")
def test_overrides_are_listed_by_difference_in_pages(client: TestClient, session: Session) -> None:
    factories.account(session, "new")
    session.commit()
    machine = {
        key: client.post(f"{ACCOUNTS}/{key}/health/refresh").json()["value"]
        for key in ("a005", "a010", "a015")
    }
    for key, difference in (("a005", -10), ("a010", 5), ("a015", -20)):
        put_override(client, key, value=min(max(machine[key] + difference, 0), 100))
    put_override(client, "new")

    first = client.get(LIST, params={"limit": 2}).json()
    second = client.get(LIST, params={"limit": 2, "cursor": first["next_cursor"]}).json()

    items = first["items"] + second["items"]
    assert [item["account_id"] for item in items] == ["a015", "a005", "a010", "new"]
    assert [item["difference"] for item in items[:3]] == pytest.approx([-20, -10, 5], abs=1e-3)
    assert items[0]["machine_value"] == machine["a015"]
    assert (items[3]["machine_value"], items[3]["difference"]) == (None, None)
    assert second["next_cursor"] is None


@pytest.mark.usefixtures("peers")
def test_ended_overrides_are_listed_on_request(client: TestClient) -> None:
    put_override(client)
    client.delete(f"{ACCOUNTS}/a010/health/override")

    assert client.get(LIST).json()["items"] == []
    [item] = client.get(LIST, params={"running": False}).json()["items"]
    assert item["ended_at"] == "2026-03-18T12:00:00Z"
    assert item["difference"] == pytest.approx(12.5 - item["machine_value"])


def test_the_later_of_two_concurrent_overrides_is_running(committed: SessionFactory) -> None:
    with transaction(committed) as session:
        factories.account(session, "a1")

    def put(session: Session, value: float) -> None:
        override_service.put_override(
            session,
            Actor("acme", "test", NOW),
            "a1",
            value=value,
            reason="x",
            author="kim",
            expires_at=LATER,
        )

    def put_and_commit(value: float) -> None:
        with transaction(committed) as session:
            put(session, value)

    with ThreadPoolExecutor(1) as threads, transaction(committed) as first:
        put(first, 10)
        waiting = threads.submit(put_and_commit, 20)
        wait_until_blocked(first)
        first.commit()
        waiting.result(timeout=120)

    with committed() as session:
        assert [(row.value, row.ended_at) for row in stored(session)] == [(10, NOW), (20, None)]


def test_the_worker_ends_expired_overrides(committed: SessionFactory) -> None:
    with transaction(committed) as session:
        factories.account(session, "a1")
        session.add(
            ScoreOverride(
                workspace_id="acme",
                account_id="a1",
                value=10,
                reason="x",
                author="kim",
                created_at=NOW,
                expires_at=LATER,
            )
        )

    for now in (LATER - timedelta(seconds=1), LATER):
        Worker(
            committed, Settings(_env_file=None), partial(datetime.fromisoformat, f"{now}")
        ).housekeeping()
        with committed() as session:
            assert [row.ended_at for row in stored(session)] == [LATER if now == LATER else None]
