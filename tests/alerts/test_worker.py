"""Events come in over HTTP, the worker works, and others hear of what crossed a threshold."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.db import SessionFactory, transaction
from tests.alerts.scenario import CARD, sent_messages
from tests.test_pipeline import START, World, day_of_work, deal, months_of_work, send

DAY = timedelta(days=1)


@pytest.fixture
def world(committed: SessionFactory) -> Iterator[World]:
    world = World(committed)
    with TestClient(world.app):
        yield world


def told(world: World) -> list[tuple[str, str, str]]:
    with transaction(world.sessions) as session:
        return [
            (kind, str(data["account_id"]), data["rule"]["id"])
            for kind, data in sent_messages(session)
            if kind.startswith("alert.")
        ]


def mood(account_id: str, number: int, value: float) -> dict[str, Any]:
    return {
        **deal(account_id, 100),
        "messageId": f"mood {account_id} {number}",
        "timestamp": (START + number * timedelta(seconds=1)).isoformat(),
        "traits": {"fit": value},
    }


def test_silence_is_told_when_the_sweep_is_through_and_once(world: World) -> None:
    acme = world.client("acme")
    send(acme, [deal(name, 100) for name in ("c01", "c02")])
    send(acme, [e for e in months_of_work(START) if e["context"]["groupId"] in {"c01", "c02"}])
    world.work()
    before = told(world)

    for _ in range(16):
        world.now += DAY
        send(acme, day_of_work("c01", world.now))
        world.work()
        world.work()  # looks for what is owed, as it does every second

    assert [each for each in told(world)[len(before) :] if each[2] == "no_use"] == [
        ("alert.opened", "c02", "no_use")
    ]


def test_an_event_that_crosses_a_threshold_is_told_and_time_alone_ends_it(world: World) -> None:
    acme = world.client("acme")
    acme.post("/api/v1/scorecards", json=CARD)
    acme.post("/api/v1/scorecards/2/activate")
    rule = {"name": "Low", "signal": "health_score", "operator": "below", "fire_at": 40}
    acme.put("/api/v1/alert-rules/low", json=rule | {"keep_seconds": 3600})
    for days in (60, 1):
        send(acme, [deal("c01", 100), *day_of_work("c01", START - days * DAY)])
    send(acme, [mood("c01", 1, 80)])
    world.work()
    assert told(world) == []

    for number in range(2, 12):
        send(acme, [mood("c01", number, 38 + 4 * (number % 2))])
        world.work()
    assert told(world) == [("alert.opened", "c01", "low")]

    send(acme, [mood("c01", 20, 80)])
    world.work()
    assert len(told(world)) == 1, "it is over, but not yet for an hour"
    world.now += timedelta(hours=1)
    world.work()
    assert told(world)[1:] == [("alert.resolved", "c01", "low")]
    assert acme.get("/api/v1/alerts").json()["items"] == []
