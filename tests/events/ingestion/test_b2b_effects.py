"""Segment's B2B SaaS events are counted like any other, and change accounts and prices."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.reading.b2b import B2BEvent, B2BEventKind
from app.events.reading.lifecycle_dates import LifecycleDates, apply_b2b_event
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import ingest, track, warnings

DAY = timedelta(days=1)
Periods = list[tuple[str, str | None, int, str | None]]
"""First day, end day, cents, end reason."""


def b2b_track(
    name: str, message_id: str = "b1", *, days: float = 0, **properties: object
) -> dict[str, Any]:
    """A track call of ada in account a1, the given number of days ago."""
    at = (NOW - days * DAY).isoformat()
    return track(message_id, event=name, timestamp=at, properties=properties)


def account(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/accounts/a1").json()
    return found


def periods(session: Session) -> Periods:
    found = calls.text_rows(
        session,
        "SELECT DISTINCT ON (s.subscription_id, s.starts_on) starts_on, ends_on, mrr_cents,"
        " end_reason FROM subscription s ORDER BY s.subscription_id, s.starts_on, known_on DESC",
    )
    return [
        (str(first), str(end) if end else None, cents, reason)
        for first, end, cents, reason in found
        if first != end
    ]


def test_account_created_sets_the_columns_of_the_account(
    client: TestClient, session: Session
) -> None:
    receipt = ingest(
        client,
        b2b_track("Account Created", days=3, account_name="Initech", plan="pro", mrr=99, x="y"),
    )

    found = account(client)
    assert (found["name"], found["plan"], found["started_on"]) == ("Initech", "pro", "2026-03-15")
    assert found["traits"] == {}
    assert periods(session) == [("2026-03-15", None, 99_00, None)]
    assert warnings(receipt) == []
    assert {used[4]: count for used, count in calls.usage(session).items()} == {
        "Account Created": 1
    }


@pytest.mark.parametrize("name", ["account created", "ACCOUNT CREATED", "Account created"])
def test_event_names_are_case_insensitive(client: TestClient, name: str) -> None:
    ingest(client, b2b_track(name, account_name="Initech"))

    assert account(client)["name"] == "Initech"


@pytest.mark.parametrize(
    "name", ["Account  Created", "User Account Created", "Invite Sent", "Signed In"]
)
def test_other_events_are_only_counted(client: TestClient, session: Session, name: str) -> None:
    receipt = ingest(client, b2b_track(name, account_name="Initech"))

    assert (account(client)["name"], warnings(receipt)) == (None, [])
    assert calls.usage(session).total() == 1


def test_a_trial_sets_its_dates_and_no_price(client: TestClient, session: Session) -> None:
    ingest(
        client,
        b2b_track(
            "Trial Started",
            days=5,
            trial_start_date="2026-03-13",
            trial_end_date="2026-03-27",
            trial_plan_name="pro",
        ),
    )
    found = account(client)
    assert (found["trial_started_on"], found["trial_ends_on"]) == ("2026-03-13", "2026-03-27")
    assert (found["plan"], periods(session)) == ("pro", [])

    ingest(client, b2b_track("Trial Ended", "b2", days=1))
    assert account(client)["trial_ends_on"] == "2026-03-17"


def test_a_subscription_is_started_updated_and_cancelled(
    client: TestClient, session: Session
) -> None:
    ingest(
        client,
        b2b_track(
            "Subscription Started", "b1", days=60, plan="pro", mrr=100, currency="eur", seats=5
        ),
        b2b_track("Subscription Updated", "b2", days=30, price=2400, interval="year", quantity=9),
        b2b_track("Subscription Cancelled", "b3", days=1, reason="too expensive"),
    )

    assert periods(session) == [
        ("2026-01-17", "2026-02-16", 100_00, None),
        ("2026-02-16", "2026-03-17", 200_00, "too expensive"),
    ]
    assert account(client)["plan"] == "pro"
    rows = (
        "SELECT DISTINCT starts_on, currency, seats, billing_period_months FROM subscription"
        " ORDER BY 1"
    )
    found = [row[1:] for row in calls.text_rows(session, rows)]
    assert found == [("EUR", 5, None), ("EUR", 9, 12)]


EVENTS = (
    b2b_track("Account Created", "b1", days=60, account_name="Initech"),
    b2b_track("Trial Started", "b2", days=59, trial_end_date="2026-02-10"),
    b2b_track("Trial Ended", "b3", days=50),
    b2b_track("Subscription Started", "b4", days=50, mrr=100),
    b2b_track("Subscription Cancelled", "b5", days=10),
)


@pytest.mark.parametrize("order", list(permutations(range(len(EVENTS))))[::7])
def test_the_order_inside_a_batch_does_not_matter(
    client: TestClient, session: Session, order: tuple[int, ...]
) -> None:
    ingest(client, *(EVENTS[n] for n in order))

    found = account(client)
    assert periods(session) == [("2026-01-27", "2026-03-08", 100_00, None)]
    assert (found["trial_started_on"], found["trial_ends_on"]) == ("2026-01-18", "2026-01-27")
    assert (found["name"], found["started_on"]) == ("Initech", "2026-01-17")


def test_sending_the_same_events_again_changes_nothing(
    client: TestClient, session: Session
) -> None:
    ingest(client, *EVENTS)
    before = (account(client), periods(session), calls.table_counts(session))

    assert calls.counts(ingest(client, *EVENTS)) == (0, len(EVENTS), 0)

    assert (account(client), periods(session), calls.table_counts(session)) == before


def test_a_subscription_started_on_the_day_of_a_cancellation_is_not_ended(
    client: TestClient, session: Session
) -> None:
    ingest(
        client,
        b2b_track("Subscription Started", "b1", days=9, mrr=100),
        b2b_track("Subscription Started", "b3", days=1, mrr=200),
        b2b_track("Subscription Canceled", "b2", days=1.01),
    )

    assert periods(session) == [
        ("2026-03-09", "2026-03-17", 100_00, None),
        ("2026-03-17", None, 200_00, None),
    ]


def test_a_late_cancellation_does_not_end_a_later_subscription(
    client: TestClient, session: Session
) -> None:
    ingest(client, b2b_track("Subscription Started", "b1", days=40, mrr=100))
    ingest(client, b2b_track("Subscription Started", "b3", days=10, mrr=200))
    ingest(client, b2b_track("Subscription Cancelled", "b2", days=20))

    assert periods(session) == [
        ("2026-02-06", "2026-02-26", 100_00, None),
        ("2026-03-08", None, 200_00, None),
    ]


def test_a_price_is_known_from_the_day_of_receipt(client: TestClient) -> None:
    ingest(client, b2b_track("Subscription Started", days=20, mrr=100))

    def mrr(known_on: str) -> Any:  # noqa: ANN401
        params = {"on": "2026-03-01", "known_on": known_on}
        return client.get("/api/v1/accounts/a1/mrr", params=params).json()["mrr_cents"]

    assert (mrr("2026-03-17"), mrr("2026-03-18")) == ({}, {"USD": 100_00})


def test_subscriptions_of_the_api_override_subscription_events(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    factories.subscription(session, "a1", mrr_cents=50_00)
    session.commit()

    receipt = ingest(
        client,
        b2b_track("Subscription Started", "b1", mrr=1),
        b2b_track("Subscription Cancelled", "b2"),
    )

    assert warnings(receipt) == ["mrr_ignored"] * 2
    assert periods(session) == [("2025-01-01", None, 50_00, None)]


@pytest.mark.parametrize(("source", "ends"), [("api", True), ("import", True), ("stripe", False)])
def test_a_deleted_account_keeps_only_billed_subscriptions(
    client: TestClient,
    session: Session,
    source: str,
    ends: bool,  # noqa: FBT001
) -> None:
    factories.account(session, "a1")
    factories.subscription(session, "a1", mrr_cents=50_00, source=source)
    session.commit()

    receipt = ingest(client, b2b_track("Account Deleted", days=2, account_name="Initech"))

    assert account(client)["deleted_on"] == "2026-03-16"
    expected = ("2026-03-16", 50_00, "account_deleted") if ends else (None, 50_00, None)
    assert periods(session) == [("2025-01-01", *expected)]
    assert warnings(receipt) == ([] if ends else ["mrr_ignored"])


def test_an_account_created_again_is_no_longer_deleted(client: TestClient) -> None:
    ingest(
        client,
        b2b_track("Account Deleted", "b1", days=2),
        b2b_track("Account Created", "b2", days=1),
    )
    assert account(client)["deleted_on"] is None

    ingest(client, b2b_track("Account Deleted", "b3"))
    ingest(client, b2b_track("Account Created", "b4", days=1))
    assert account(client)["deleted_on"] == "2026-03-18"


def test_b2b_events_with_known_names_are_applied_too(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """With known names a plain batch takes the autocommit path; a B2B event must not."""
    ingest(client, b2b_track("Subscription Started", "b1", days=9, mrr=100))
    with calls.client_at_time(sessions, client) as other:
        ingest(other, b2b_track("Subscription Started", "b2", days=2, mrr=200))
        ingest(other, b2b_track("Subscription Started", "b3", days=1, mrr=300))

    assert [cents for _, _, cents, _ in periods(session)] == [100_00, 200_00, 300_00]


b2b_events = st.builds(
    B2BEvent,
    n=st.just(0),
    kind=st.sampled_from(
        [B2BEventKind.TRIAL_STARTED, B2BEventKind.TRIAL_ENDED, B2BEventKind.ACCOUNT_DELETED]
    ),
    account_id=st.just("a1"),
    user_id=st.none(),
    at=st.integers(0, 40).map(lambda days: NOW + days * DAY),
)


@given(st.lists(b2b_events, max_size=8))
def test_a_trial_never_ends_before_it_starts(events: list[B2BEvent]) -> None:
    days = LifecycleDates()
    for each in events:
        days = apply_b2b_event(days, each)

    if days.trial_started_on and days.trial_ends_on:
        assert days.trial_started_on <= days.trial_ends_on
    assert days.deleted_on == max(
        (each.day for each in events if each.kind is B2BEventKind.ACCOUNT_DELETED), default=None
    )
