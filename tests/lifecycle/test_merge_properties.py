"""Property: two merged accounts equal one account that had all the events from the start."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.health.scoring import service as health
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import alias, group, identify, track
from tests.lifecycle.id_changes import features, move_account

USERS, NAMES = ("ada", "bob", "eve"), ("Export", "Share")


def random_events(random: Random) -> list[dict[str, Any]]:
    """Return random events: a few users, several days, late or in time, some end customers."""
    return [
        track(
            f"m{n}",
            event=random.choice(NAMES),
            userId=(user := random.choice((*USERS, None))),
            anonymousId=None if user else random.choice(("anon", "nobody")),
            timestamp=(NOW - timedelta(days=random.randrange(50), hours=n % 5)).isoformat(),
            properties={"end_customer_id": f"c{random.randrange(6)}"},
        )
        for n in range(60)
    ]


def in_account(event: dict[str, Any], account_id: str) -> dict[str, Any]:
    return {**event, "context": {"groupId": account_id}}


def counters(session: Session, account_id: str) -> list[list[tuple[Any, ...]]]:
    """Return all counted rows of an account without its id."""
    return [
        calls.text_rows(session, f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {columns}")  # noqa: S608
        for where in [f"account_id = '{account_id}'"]
        for table, columns in {
            "daily_usage": "day, known_on, user_id, is_anonymous, event_name, events, quantity",
            "daily_reach": "day, known_on, end_customer_id, user_id, is_anonymous",
            "first_use": "known_on, day",
            "event": "client_at, name, user_id, anonymous_id, properties",
        }.items()
    ]


@pytest.mark.parametrize("seed", range(6))
def test_two_merged_accounts_equal_one_from_the_start(
    client: TestClient, sessions: SessionFactory, session: Session, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    events = random_events(random)
    identities = [identify("i1", userId="ada"), alias("anon", "ada", "al1")]
    calls.ingest(client, *identities)
    terms = {
        "traits": {"seats": 10, "mrr": 100},
        "timestamp": (NOW - timedelta(days=60)).isoformat(),
    }
    calls.ingest(client, group("g1", "one", **terms), group("g2", "left", **terms))
    calls.ingest(
        client, *[{**in_account(e, "one"), "messageId": f"one{n}"} for n, e in enumerate(events)]
    )
    halves = [in_account(event, random.choice(("left", "right"))) for event in events]
    for start in range(0, len(halves), 13):
        calls.ingest(client, *halves[start : start + 13])

    move_account(client, sessions, "right", "merge", into="left")

    assert counters(session, "right") == [[], [], [], []]
    assert counters(session, "left") == counters(session, "one")
    [left], [one] = features(session, "left"), features(session, "one")
    names = type(one).__slots__
    assert [n for n in names if getattr(left, n) != getattr(one, n)] == ["account_id"]
    health.refresh(session, "acme", ["left", "one"], as_of=NOW.date(), now=NOW)
    scores = calls.text_rows(session, "SELECT score, mrr_cents, band FROM health_score")
    assert scores[0] == scores[1]
