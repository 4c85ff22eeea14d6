"""From events over HTTP through the worker to the messages about crossed thresholds."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.db import SessionFactory, transaction
from tests.alerts.scenario import CARD, sent_messages
from tests.test_pipeline import START, World, events_of_day, events_of_months, send, terms_event

DAY = timedelta(days=1)


@pytest.fixture
def world(committed: SessionFactory) -> Iterator[World]:
    world = World(committed)
    with TestClient(world.app):
        yield world


def sent_alerts(world: World) -> list[tuple[str, str, str]]:
    with transaction(world.sessions) as session:
        return [
            (kind, str(data["account_id"]), data["rule"]["id"])
            for kind, data in sent_messages(session)
            if kind.startswith("alert.")
        ]


def fit_event(account_id: str, number: int, value: float) -> dict[str, Any]:
    return {
        **terms_event(account_id, 100),
        "messageId": f"fit {account_id} {number}",
        "timestamp": (START + number * timedelta(seconds=1)).isoformat(),
        "traits": {"fit": value},
    }


def test_silence_is_announced_once_after_the_sweep(world: World) -> None:
    acme = world.client("acme")
    send(acme, [terms_event(name, 100) for name in ("c01", "c02")])
    send(acme, [e for e in events_of_months(START) if e["context"]["groupId"] in {"c01", "c02"}])
    world.work()
    before = sent_alerts(world)

    for _ in range(16):
        world.now += DAY
        send(acme, events_of_day("c01", world.now))
        world.work()
        world.work()  # sends held notifications, as it does every second

    assert [each for each in sent_alerts(world)[len(before) :] if each[2] == "no_use"] == [
        ("alert.opened", "c02", "no_use")
    ]


def test_an_event_opens_an_alert_and_time_alone_resolves_it(world: World) -> None:
    acme = world.client("acme")
    acme.post("/api/v1/scorecards", json=CARD)
    acme.post("/api/v1/scorecards/2/activate")
    rule = {"name": "Low", "signal": "health_score", "operator": "below", "fire_at": 40}
    acme.put("/api/v1/alert-rules/low", json=rule | {"keep_seconds": 3600})
    for days in (60, 1):
        send(acme, [terms_event("c01", 100), *events_of_day("c01", START - days * DAY)])
    send(acme, [fit_event("c01", 1, 80)])
    world.work()
    assert sent_alerts(world) == []

    for number in range(2, 12):
        send(acme, [fit_event("c01", number, 38 + 4 * (number % 2))])
        world.work()
    assert sent_alerts(world) == [("alert.opened", "c01", "low")]

    send(acme, [fit_event("c01", 20, 80)])
    world.work()
    assert len(sent_alerts(world)) == 1, "it is over, but not yet for an hour"
    world.now += timedelta(hours=1)
    world.work()
    assert sent_alerts(world)[1:] == [("alert.resolved", "c01", "low")]
    assert acme.get("/api/v1/alerts").json()["items"] == []
