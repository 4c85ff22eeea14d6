"""What events state of accounts that were merged: each price and end concerns its own account."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, track
from tests.lifecycle.id_changes import move_account

Call = dict[str, Any]


def ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def price(account_id: str, days: int, **traits: object) -> Call:
    return group(f"{account_id}-{days}", account_id, timestamp=ago(days), traits=traits)


def end(account_id: str, days: int) -> Call:
    context = {"groupId": account_id}
    name = "Subscription Cancelled"
    return track(f"end-{days}", event=name, timestamp=ago(days), context=context)


@pytest.fixture(autouse=True)
def _merged(client: TestClient, sessions: SessionFactory) -> None:
    """``old`` pays 100 since 60 days, ``new`` pays 70 since 50 days; today they become one."""
    calls.ingest(client, price("old", 60, mrr=100), price("new", 50, mrr=70))
    move_account(client, sessions, "old", "merge", into="new")


@pytest.mark.parametrize(
    ("late", "prices"),
    [  # the dollars 60, 30, 10 days ago and today
        ((), (100, 170, 170, 170)),
        ((end("old", 20),), (100, 170, 70, 70)),
        ((end("new", 20),), (100, 170, 100, 100)),
        ((end("old", 20), end("new", 15)), (100, 170, 0, 0)),
        ((end("old", 20), price("old", 40, mrr=120)), (100, 190, 70, 70)),
        ((price("old", 40, mrr=120), end("old", 20)), (100, 190, 70, 70)),
        ((price("old", 20, mrr=120),), (100, 170, 190, 190)),
        ((price("new", 20, mrr=80),), (100, 170, 180, 180)),
        ((price("new", 20, seats=5),), (100, 170, 170, 170)),
        ((price("new", 0, mrr=80),), (100, 170, 170, 80)),
        ((price("new", 0, mrr=80), price("old", 20, mrr=120)), (100, 170, 190, 80)),
        ((end("new", 0),), (100, 170, 170, 0)),
        ((end("old", 0),), (100, 170, 170, 70)),
        ((end("old", 0), end("new", 0)), (100, 170, 170, 0)),
        ((end("new", 0), end("old", 20)), (100, 170, 70, 0)),
    ],
)
def test_what_comes_after_a_merge_concerns_the_account_that_it_was_stated_of(
    client: TestClient, late: tuple[Call, ...], prices: tuple[int, ...]
) -> None:
    for number, call in enumerate(late):
        calls.ingest(client, call | {"messageId": f"late-{number}"})

    found = []
    for days in (60, 30, 10, 0):
        on = {"on": (NOW - timedelta(days=days)).date().isoformat()}
        answer = client.get("/api/v1/accounts/new/mrr", params=on).json()
        found.append(answer["mrr_cents"].get("USD", 0) // 100)
    assert tuple(found) == prices
