"""End to end: events are sent over HTTP, the worker runs, scores are read over HTTP."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import pipeline
from app.core.db import SessionFactory, transaction
from app.core.settings import Settings
from app.main import Storage, create_app
from app.worker import Worker
from tests import factories

pytestmark = pytest.mark.usefixtures("workspace_isolation")

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SETTINGS = Settings(_env_file=None)
NAMES = [f"c{number:02}" for number in range(24)]

Event = dict[str, Any]


class World:
    """A service with a clock that the test sets, a client for each workspace, and a worker."""

    def __init__(self, sessions: SessionFactory) -> None:
        self.sessions, self.now = sessions, START
        self.app = create_app(Storage(sessions, sessions), SETTINGS, lambda: self.now)

    def client(self, workspace: str) -> TestClient:
        with transaction(self.sessions) as session:
            key = factories.api_key(session, factories.workspace(session, workspace))
        return TestClient(self.app, headers={"Authorization": f"Bearer {key}"})

    def work(self) -> None:
        """Run a newly started worker until it has nothing to do."""
        worker = Worker(self.sessions, SETTINGS, lambda: self.now)
        while worker.step():
            pass
        worker.release()


@pytest.fixture
def world(committed: SessionFactory) -> Iterator[World]:
    world = World(committed)
    with TestClient(world.app):
        yield world


def terms_event(account_id: str, mrr: int) -> Event:
    return {
        "type": "group",
        "messageId": f"deal {account_id}",
        "timestamp": (START - timedelta(days=80)).isoformat(),
        "userId": f"{account_id}-1",
        "groupId": account_id,
        "traits": {"name": account_id.upper(), "mrr": mrr, "seats": 10, "end_customers": 40},
    }


def events_of_day(account_id: str, day: datetime) -> list[Event]:
    """Return a day of events: each user exports and shares for one end customer."""
    return [
        {
            "type": "track",
            "messageId": f"{account_id} {day:%F} {user} {name}",
            "timestamp": day.isoformat(),
            "userId": f"{account_id}-{user}",
            "event": name,
            "context": {"groupId": account_id},
            "properties": {"end_customer_id": f"end-{user}-{day.day % 5}"},
        }
        for user in range(1, 2 + int(account_id[1:]) % 4)
        for name in ("Export", "Share")
    ]


def events_of_months(until: datetime, days: int = 70) -> list[Event]:
    return [
        event
        for account_id in NAMES
        for back in range(0, days, 7)
        for event in events_of_day(account_id, until - timedelta(days=back, hours=1))
    ]


def send(client: TestClient, events: Sequence[Event], size: int = 500) -> None:
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        answer = client.post("/v1/batch", json={"batch": batch})
        assert (answer.status_code, answer.json()["quarantined"]) == (200, 0), answer.text


def health(client: TestClient, account_id: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/accounts/{account_id}/health")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def at_risk(client: TestClient) -> list[str]:
    items = client.get("/api/v1/accounts", params={"band": "at_risk"}).json()["items"]
    return [item["account_id"] for item in items]


def test_an_account_that_stops_using_the_product_becomes_at_risk_and_recovers(world: World) -> None:
    acme = world.client("acme")

    # The customer's backend sends the prices and ten weeks of events.
    send(acme, [terms_event(account_id, 100 + 20 * n) for n, account_id in enumerate(NAMES)])
    send(acme, events_of_months(START))
    world.work()
    good = health(acme, "c11")
    assert (good["status"], good["band"], good["normalizer"]) == ("ok", "healthy", "workspace")
    assert (good["mrr_cents"], good["seats"]) == (320_00, 10)
    assert good["data_through"] == good["computed_at"]
    assert "c11" not in at_risk(acme)

    # Four weeks pass. All accounts but one keep sending events.
    world.now += timedelta(days=29)
    others = [e for e in events_of_months(world.now, 28) if not e["messageId"].startswith("c11")]
    send(acme, others)
    world.work()
    silent = health(acme, "c11")
    assert (silent["band"], silent["value"], silent["as_of"]) == ("at_risk", 0, "2026-03-30")
    assert "c11" in at_risk(acme)
    assert silent["last_used_on"] == "2026-03-01"

    # It returns: the score follows without another sweep, and the history has both changes.
    for back in range(4):
        send(acme, events_of_day("c11", world.now - timedelta(days=back, hours=1)))
    world.work()
    assert health(acme, "c11")["value"] > silent["value"]
    history = acme.get("/api/v1/accounts/c11/health/history").json()["items"]
    assert [(point["as_of"], point["change"]) for point in history][:2] == [
        ("2026-03-01", 0),
        ("2026-03-30", 0),
    ]
    assert [point["band"] for point in history][:2] == ["healthy", "at_risk"]


def test_an_ended_subscription_removes_the_account_from_the_list(world: World) -> None:
    acme = world.client("acme")
    send(acme, [terms_event("c01", 100), *events_of_day("c01", START - timedelta(days=60))])
    acme.put(
        "/api/v1/subscriptions/main",
        json={"account_id": "c01", "mrr_cents": 500_00, "starts_on": "2026-02-01"},
    )
    world.work()
    assert health(acme, "c01")["mrr_cents"] == 500_00

    acme.post("/api/v1/subscriptions/main/end", json={"account_id": "c01", "ends_on": "2026-03-01"})
    world.work()

    assert health(acme, "c01")["status"] == "churned"
    assert acme.get("/api/v1/accounts").json()["items"] == []


@pytest.mark.parametrize("size", [1, 7])
def test_order_duplicates_and_batch_size_of_events_do_not_matter(world: World, size: int) -> None:
    """Scores and their details are equal to the last digit."""
    first, second = world.client("one"), world.client("other")
    deals = [terms_event(account_id, 100) for account_id in NAMES[:3]]
    events = [e for e in events_of_months(START, 70) if e["context"]["groupId"] in NAMES[:3]]
    shuffled = [*events, *events[::3]]
    Random(size).shuffle(shuffled)  # noqa: S311 - no secret

    send(first, deals + events)
    send(second, deals)
    send(second, shuffled, size)
    world.work()

    for account_id in NAMES[:3]:
        assert health(first, account_id) == health(second, account_id)
        assert health(first, account_id)["measures"][1]["raw"] > 0


def test_an_unattributed_event_counts_once_its_account_is_known(world: World) -> None:
    acme = world.client("acme")
    [event, *_] = events_of_day("c05", START)
    unattributed = {**event, "context": {}, "userId": "zoe"}
    assert acme.post("/v1/batch", json={"batch": [unattributed]}).json()["unattributed"] == 1
    world.work()
    assert acme.get("/api/v1/accounts").json()["items"] == []

    send(acme, [{**terms_event("c05", 100), "userId": "zoe"}])
    world.work()
    world.work()

    assert health(acme, "c05")["last_used_on"] == "2026-03-01"


def test_a_worker_without_work_returns_false(world: World) -> None:
    world.client("acme")
    worker = Worker(world.sessions, SETTINGS, lambda: world.now)

    assert not worker.step()


def test_only_what_reads_usage_is_planned_anew_in_a_refresh(session: Session) -> None:
    """Planning takes longer than most of the statements run."""
    factories.account(session, "c01")

    pipeline.refresh(session, "acme", ["c01"], as_of=START.date(), now=START)

    assert session.scalar(text("SHOW plan_cache_mode")) == "auto"
    assert session.scalar(text("SHOW enable_seqscan")) == "off"
