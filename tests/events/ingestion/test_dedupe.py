"""A retried event counts once, whatever the clock of the client and the batches are."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion.attribution import attribute_events
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, identify, track, unattributed

DAY = timedelta(days=1)


def test_a_replayed_batch_changes_nothing(client: TestClient, session: Session) -> None:
    batch = [
        track("m1"),
        track("m2", properties={"end_customer_id": "c1"}),
        group(traits={"name": "Acme", "mrr": 100}),
        identify(traits={"email": "ada@a1.example"}),
        calls.alias("anon"),
        unattributed("m3", userId="stranger"),
        track("m4", event=""),
    ]
    first = calls.ingest(client, *batch)
    stored, used = calls.table_counts(session), calls.usage(session)

    again = calls.ingest(client, *batch)

    assert calls.counts(first) == (6, 0, 1)
    assert calls.counts(again) == (0, 6, 1)
    assert calls.table_counts(session) == stored
    assert calls.usage(session) == used
    assert used.total() == 2


def test_in_one_batch_the_first_of_an_id_wins(client: TestClient, session: Session) -> None:
    receipt = calls.ingest(client, track(event="First"), track(event="Second"), track("m2"))

    assert calls.counts(receipt) == (2, 1, 0)
    assert calls.warnings(receipt) == ["id_reused"]
    assert calls.one_row(session, "SELECT name FROM event WHERE message_id = 'm1'") == ("First",)


def test_the_same_id_with_different_content_is_a_duplicate_with_a_warning(
    client: TestClient, session: Session
) -> None:
    calls.ingest(client, track(), unattributed("w1", userId="stranger"))

    same = calls.ingest(
        client, track(sentAt=NOW.isoformat()), unattributed("w1", userId="stranger")
    )
    other = calls.ingest(client, track(event="Other"), unattributed("w1", userId="another"))

    assert (calls.counts(same), calls.warnings(same)) == ((0, 2, 0), [])
    assert (calls.counts(other), calls.warnings(other)) == ((0, 2, 0), ["id_reused", "id_reused"])
    assert (
        calls.count_rows(session, "event") == calls.count_rows(session, "unattributed_event") == 1
    )


def test_the_same_id_at_another_client_time_is_another_event(
    client: TestClient, session: Session
) -> None:
    later = (NOW + timedelta(milliseconds=1)).isoformat()

    assert calls.counts(calls.ingest(client, track(), track(timestamp=later))) == (2, 0, 0)
    assert calls.count_rows(session, "event") == 2


def test_a_retry_with_a_corrected_clock_keeps_its_key(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """The skew differs between the two attempts; the key is the client's own time."""
    ahead = NOW + timedelta(minutes=10)
    calls.ingest(client, track(timestamp=ahead.isoformat(), sentAt=ahead.isoformat()))
    with calls.client_at_time(sessions, client, NOW + timedelta(minutes=3)) as later:
        receipt = calls.ingest(
            later, track(timestamp=ahead.isoformat(), sentAt=(ahead + DAY).isoformat())
        )

    assert calls.counts(receipt) == (0, 1, 0)
    assert calls.one_row(session, "SELECT client_at, occurred_at FROM event") == (ahead, NOW)


@pytest.mark.parametrize("event", [track, unattributed])
def test_an_untimed_event_retried_after_midnight_is_found_on_the_day_before(
    client: TestClient, sessions: SessionFactory, session: Session, event: calls.Maker
) -> None:
    untimed = [event(f"m{number}", timestamp=None) for number in range(3)]
    calls.ingest(client, *untimed)
    with calls.client_at_time(sessions, client, NOW + DAY) as next_day:
        again = calls.ingest(next_day, *untimed, event("m9", timestamp=None))
        assert calls.counts(again) == (1, 3, 0)
        assert calls.warnings(again) == []
    with calls.client_at_time(sessions, client, NOW + 3 * DAY) as much_later:
        assert calls.counts(calls.ingest(much_later, untimed[0])) == (1, 0, 0)
    assert calls.count_rows(session, "event") + calls.count_rows(session, "unattributed_event") == 5


@pytest.mark.parametrize("step", [-2 * DAY, -DAY, DAY, 2 * DAY])
@pytest.mark.parametrize("event", [track, unattributed])
def test_an_untimed_event_counts_once_although_the_clock_was_set_by_a_day(
    client: TestClient,
    sessions: SessionFactory,
    session: Session,
    event: calls.Maker,
    step: timedelta,
) -> None:
    calls.ingest(client, event("m1", timestamp=None))
    with calls.client_at_time(sessions, client, NOW + step) as retried:
        assert calls.counts(calls.ingest(retried, event("m1", timestamp=None))) == (0, 1, 0)

    assert calls.count_rows(session, "event") + calls.count_rows(session, "unattributed_event") == 1


def test_an_untimed_event_that_waited_is_found_after_its_account_is_known(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    calls.ingest(client, unattributed("m1", timestamp=None))
    with calls.client_at_time(sessions, client, NOW + DAY) as next_day:
        receipt = calls.ingest(next_day, group(), unattributed("m1", timestamp=None))
        assert calls.counts(receipt) == (1, 1, 0)
    attribute_events(sessions, now=NOW + DAY)

    assert calls.usage(session).total() == 1


def test_an_idempotency_key_replaces_missing_ids(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    batch = [track(None, timestamp=None), track(None, timestamp=None), track("own")]

    first = calls.ingest(client, *batch, Idempotency_Key="job-7")
    with calls.client_at_time(sessions, client, NOW + DAY) as next_day:
        again = calls.ingest(next_day, *batch, Idempotency_Key="job-7")
    other = calls.ingest(client, *batch, Idempotency_Key="job-8")

    assert [calls.counts(receipt) for receipt in (first, again, other)] == [
        (3, 0, 0),
        (0, 3, 0),
        (2, 1, 0),
    ]
    assert calls.warnings(first) == []
    assert calls.count_rows(session, "event") == 5


def test_a_timed_event_without_an_id_is_identified_by_its_content(client: TestClient) -> None:
    first = calls.ingest(client, track(None), track(None, event="Other"))
    again = calls.ingest(client, track(None, sentAt="2026-03-18T12:00:01Z"))

    assert (calls.counts(first), calls.counts(again)) == ((2, 0, 0), (0, 1, 0))
    assert calls.warnings(first) == []


def test_a_repeat_without_id_and_time_is_stored_again_with_a_warning(
    client: TestClient,
) -> None:
    event = track(None, timestamp=None)

    first, again = calls.ingest(client, event), calls.ingest(client, event)

    assert calls.counts(first) == calls.counts(again) == (1, 0, 0)
    assert calls.warnings(first) == ["no_message_id"]


def test_a_quarantined_event_does_not_use_up_its_id(client: TestClient, session: Session) -> None:
    assert calls.counts(calls.ingest(client, track(event=""))) == (0, 0, 1)
    assert calls.counts(calls.ingest(client, track(event="", timestamp=None))) == (0, 0, 1)

    assert calls.counts(calls.ingest(client, track())) == (1, 0, 0)
    assert calls.count_rows(session, "event") == 1


def test_an_event_quarantined_again_is_counted_and_not_stored_again(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    bad = track("m1", event="")
    first = calls.ingest(client, bad, track("m2", event=""))
    later = NOW + timedelta(hours=1)
    with calls.client_at_time(sessions, client, later) as an_hour_later:
        again = calls.ingest(an_hour_later, bad)

    numbers = [verdict["quarantine_id"] for verdict in first["events"]]
    assert numbers[0] != numbers[1]
    assert again["events"][0]["quarantine_id"] == numbers[0]
    found = client.get(f"/api/v1/quarantine/{numbers[0]}").json()
    assert (found["code"], found["pointer"], found["message_id"], found["times"]) == (
        *("missing_event_name", "/event", "m1"),
        2,
    )
    assert found["last_received_at"] > found["received_at"]
    assert calls.count_rows(session, "quarantined_event") == 2


def test_each_workspace_has_its_own_message_ids(client: TestClient, session: Session) -> None:
    other = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()

    calls.ingest(client, track())

    assert calls.ingest(client, track(), Authorization=f"Bearer {other}")["accepted"] == 1
    counted = calls.one_row(
        session, "SELECT count(DISTINCT workspace_id), count(*) FROM daily_usage"
    )
    assert counted == (2, 2)
