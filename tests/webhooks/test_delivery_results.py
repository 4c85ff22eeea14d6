"""Who holds a delivery, and what becomes of what others say of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.tables import Attempt, Delivery
from app.webhooks import delivery_queries, delivery_results, queries, service
from app.webhooks.delivery_queries import ClaimedDelivery
from app.webhooks.delivery_results import FinishedAttempt
from app.webhooks.http_client import HttpOutcome
from tests.conftest import NOW
from tests.webhooks.delivery import create_endpoint, get_endpoint
from tests.webhooks.samples import publish, sample

LEASE = timedelta(seconds=40)


def claim_deliveries(session: Session, *, at: datetime = NOW, **how: Any) -> list[ClaimedDelivery]:  # noqa: ANN401
    asked: dict[str, Any] = {
        "rooms": {},
        "room": 8,
        "limit": 100,
        "now": at,
        "lease_until": at + LEASE,
    }
    return list(delivery_queries.claim_deliveries(session, **asked | how))


def record_results(
    session: Session, *claimed: ClaimedDelivery, status: int = 200, at: datetime = NOW
) -> None:
    delivery_results.record_delivery_results(
        session, [FinishedAttempt(each, HttpOutcome(5, status), at) for each in claimed], now=at
    )


def stale_results() -> float:
    return REGISTRY.get_sample_value("health_webhook_stale_settles_total") or 0


@pytest.fixture
def waiting(session: Session) -> str:
    """One message for one endpoint."""
    endpoint_id, _ = create_endpoint(session)
    publish(session, sample("alert.opened"))
    session.commit()
    return endpoint_id


@pytest.mark.usefixtures("waiting")
def test_what_is_held_is_not_taken_until_its_lease_ends(session: Session) -> None:
    [first] = claim_deliveries(session)

    assert claim_deliveries(session, at=NOW + LEASE - timedelta(seconds=1)) == []
    [second] = claim_deliveries(session, at=NOW + LEASE)
    assert (second.message_id, second.attempts) == (first.message_id, 0)
    assert second.token != first.token


@pytest.mark.usefixtures("waiting")
def test_who_lost_the_lease_settles_nothing_and_is_counted(session: Session) -> None:
    [late] = claim_deliveries(session)
    [holder] = claim_deliveries(session, at=NOW + LEASE)
    before = stale_results()

    record_results(session, late)
    assert stale_results() == before + 1
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    record_results(session, holder)
    record_results(session, holder, status=500)

    assert stale_results() == before + 2
    assert session.scalars(select(Delivery.state)).all() == ["delivered"]
    assert session.scalars(select(Attempt.status)).all() == [200]


def test_a_late_failure_says_nothing_of_the_endpoint(session: Session, waiting: str) -> None:
    [late] = claim_deliveries(session)
    [holder] = claim_deliveries(session, at=NOW + LEASE)
    record_results(session, holder)

    record_results(session, late, status=500)

    assert get_endpoint(session, waiting).failures == 0


def test_a_replay_takes_a_delivery_from_who_holds_it(session: Session, waiting: str) -> None:
    [held] = claim_deliveries(session)

    service.replay_delivery(session, "acme", waiting, held.message_id, now=NOW)
    record_results(session, held)

    assert session.scalars(select(Delivery.state)).all() == ["pending"]
    assert len(claim_deliveries(session)) == 1


@pytest.mark.usefixtures("waiting")
def test_what_is_given_back_is_due_at_once(session: Session) -> None:
    [held] = claim_deliveries(session)

    delivery_queries.release_deliveries(session, [held.token], now=NOW)

    assert len(claim_deliveries(session)) == 1


def test_an_endpoint_gives_no_more_than_it_has_room_for(session: Session) -> None:
    first, _ = create_endpoint(session)
    second, _ = create_endpoint(session)
    publish(session, *[sample("alert.opened") for _ in range(20)])

    taken = [each.endpoint_id for each in claim_deliveries(session, rooms={first: 3})]

    assert (taken.count(first), taken.count(second)) == (3, 8)
    assert {each.endpoint_id for each in claim_deliveries(session, rooms={first: 0})} == {second}


def test_of_a_degraded_endpoint_one_delivery_is_taken_whoever_asks(
    session: Session, waiting: str
) -> None:
    publish(session, *[sample("alert.opened") for _ in range(20)])
    degraded = get_endpoint(session, waiting)
    degraded.state, degraded.failures, degraded.resume_at = "degraded", 5, NOW
    session.flush()

    assert len(claim_deliveries(session)) == 1
    assert claim_deliveries(session) == []
    assert len(claim_deliveries(session, at=NOW + LEASE)) == 1


def test_what_waits_for_a_deleted_endpoint_goes_with_it(session: Session, waiting: str) -> None:
    [held] = claim_deliveries(session)

    queries.delete_endpoint(session, "acme", waiting)
    record_results(session, held)

    assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_two_workers_never_take_the_same(committed: SessionFactory) -> None:
    with committed() as session:
        create_endpoint(session)
        publish(session, *[sample("alert.opened") for _ in range(10)])
        session.commit()
    with transaction(committed) as one, transaction(committed) as other:
        taken = [
            claim_deliveries(one, room=4),
            claim_deliveries(other, room=4),
            claim_deliveries(one, room=4),
        ]

    ids = [each.message_id for part in taken for each in part]
    assert [len(part) for part in taken] == [4, 4, 2]
    assert len(set(ids)) == 10


def test_messages_are_dropped_with_all_that_came_of_them(session: Session, waiting: str) -> None:
    record_results(session, *claim_deliveries(session))

    delivery_queries.delete_old_messages(session, before=NOW)
    assert session.scalar(select(func.count()).select_from(Attempt)) == 1
    delivery_queries.delete_old_messages(session, before=NOW + timedelta(seconds=1))

    assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert get_endpoint(session, waiting).state == "active"
