"""Time heals: an event of the future is replayed once its time has come, and counts then."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, track
from tests.events.quarantine.actions import DAY, list_events, run_action

IN_THREE_DAYS = {"timestamp": (NOW + 3 * DAY).isoformat()}
NOT_YET = "The time of the event has not come yet: replay it afterwards."
ALL: dict[str, str] = {}


def replay_after(
    sessions: SessionFactory, client: TestClient, days: float, *, dry_run: bool = False
) -> tuple[int, list[str | None]]:
    """Replay everything some days later; return how many were stored, and the details."""
    with calls.client_at_time(sessions, client, NOW + days * DAY) as later:
        report = run_action(later, "replay", filter=ALL, dry_run=dry_run)
    return report["replayed"], [each["detail"] for each in report["results"]]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("days", [0, 1, 2, 2.99])
def test_an_event_whose_time_has_not_come_stays_in_quarantine(
    client: TestClient, sessions: SessionFactory, days: float, *, dry_run: bool
) -> None:
    """Received at day 0 for day 3. At day 2 it is less than 24 hours ahead, and has not come."""
    calls.ingest(client, track("m1", **IN_THREE_DAYS))

    assert replay_after(sessions, client, days, dry_run=dry_run) == (0, [NOT_YET])
    assert [row["code"] for row in list_events(client)] == ["future_timestamp"]


@pytest.mark.parametrize("days", [3, 4.5, 20])
def test_an_event_whose_time_has_come_counts_at_its_own_time(
    client: TestClient, sessions: SessionFactory, session: Session, days: float
) -> None:
    """NOW is 2026-03-18, three days later is the 21st. It is known from the day of the replay."""
    calls.ingest(client, track("m1", **IN_THREE_DAYS))
    replayed_on = (NOW + days * DAY).date().isoformat()

    assert replay_after(sessions, client, days, dry_run=True) == (1, [None])
    assert replay_after(sessions, client, days) == (1, [None])
    assert calls.one_row(session, "SELECT day::text, known_on::text FROM daily_usage") == (
        *("2026-03-21", replayed_on),
    )
    times = "SELECT client_at, occurred_at, received_at FROM event"
    assert calls.one_row(session, times) == (NOW + 3 * DAY, NOW + 3 * DAY, NOW)
    assert list_events(client) == []


def test_the_clock_of_the_client_is_corrected_by_the_first_receipt(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """A clock 2 hours ahead: sent at 14:00 by it, received at 12:00; 3 days and 2 h become 3 days.

    Three days after the receipt its time has come; a replay at 2.99 days is too early.
    """
    ahead = timedelta(hours=2)
    call = track("m1", timestamp=(NOW + 3 * DAY + ahead).isoformat())
    calls.ingest(client, {**call, "sentAt": (NOW + ahead).isoformat()})

    assert replay_after(sessions, client, 2.99) == (0, [NOT_YET])
    assert replay_after(sessions, client, 3) == (1, [None])
    assert calls.one_row(session, "SELECT occurred_at FROM event") == (NOW + 3 * DAY,)


def test_an_event_less_than_a_day_ahead_keeps_the_time_of_its_receipt(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """It was rejected for its name. Sent rightly, it would have been set to its receipt at once."""
    calls.ingest(client, track("m1", event="", timestamp=(NOW + DAY / 2).isoformat()))
    session.execute(
        text("UPDATE quarantined_event SET payload = replace(payload, '\"\"', '\"Export\"')")
    )
    session.commit()

    assert replay_after(sessions, client, 2) == (1, [None])
    assert calls.one_row(session, "SELECT occurred_at FROM event") == (NOW,)


def test_a_group_call_of_the_future_sets_its_price_once_its_time_has_come(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, group("g1", **IN_THREE_DAYS, traits={"mrr": 100}))

    assert replay_after(sessions, client, 5) == (1, [None])
    assert calls.one_row(session, "SELECT starts_on::text, mrr_cents FROM subscription") == (
        *("2026-03-21", 10_000),
    )


def test_the_same_event_sent_again_when_its_time_has_come_counts_once(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, track("m1", **IN_THREE_DAYS))
    with calls.client_at_time(sessions, client, NOW + 3 * DAY) as later:
        assert calls.ingest(later, track("m1", **IN_THREE_DAYS))["accepted"] == 1

        report = run_action(later, "replay", filter=ALL)

    assert (report["replayed"], report["duplicates"]) == (0, 1)
    assert calls.count_rows(session, "event") == 1
