"""Claims of deliveries, and results that come with a valid or a lost claim."""

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


def claim_deliveries(
    session: Session,
    *,
    at: datetime = NOW,
    **options: Any,  # noqa: ANN401
) -> list[ClaimedDelivery]:
    defaults: dict[str, Any] = {
        "free_slots": {},
        "default_slots": 8,
        "limit": 100,
        "now": at,
        "lease_until": at + LEASE,
    }
    return list(delivery_queries.claim_deliveries(session, **defaults | options))


def record_results(
    session: Session, *claimed: ClaimedDelivery, status: int = 200, at: datetime = NOW
) -> None:
    delivery_results.record_delivery_results(
        session, [FinishedAttempt(each, HttpOutcome(5, status), at) for each in claimed], now=at
    )


def stale_count() -> float:
    return REGISTRY.get_sample_value("health_webhook_stale_settles_total") or 0


@pytest.fixture
def waiting(session: Session) -> str:
    """One message for one endpoint."""
    endpoint_id, _ = create_endpoint(session)
    publish(session, sample("alert.opened"))
    session.commit()
    return endpoint_id


@pytest.mark.usefixtures("waiting")
def test_a_claimed_delivery_is_not_claimed_again_until_its_lease_ends(session: Session) -> None:
    [first] = claim_deliveries(session)

    assert claim_deliveries(session, at=NOW + LEASE - timedelta(seconds=1)) == []
    [second] = claim_deliveries(session, at=NOW + LEASE)
    assert (second.message_id, second.attempts) == (first.message_id, 0)
    assert second.token != first.token


@pytest.mark.usefixtures("waiting")
def test_results_after_a_lost_lease_change_nothing_and_are_counted(session: Session) -> None:
    [late] = claim_deliveries(session)
    [holder] = claim_deliveries(session, at=NOW + LEASE)
    before = stale_count()

    record_results(session, late)
    assert stale_count() == before + 1
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    record_results(session, holder)
    record_results(session, holder, status=500)

    assert stale_count() == before + 2
    assert session.scalars(select(Delivery.state)).all() == ["delivered"]
    assert session.scalars(select(Attempt.status)).all() == [200]


def test_a_late_failure_does_not_affect_the_endpoint(session: Session, waiting: str) -> None:
    [late] = claim_deliveries(session)
    [holder] = claim_deliveries(session, at=NOW + LEASE)
    record_results(session, holder)

    record_results(session, late, status=500)

    assert get_endpoint(session, waiting).failures == 0


def test_a_replay_invalidates_the_claim_of_a_delivery(session: Session, waiting: str) -> None:
    [claimed] = claim_deliveries(session)

    service.replay_delivery(session, "acme", waiting, claimed.message_id, now=NOW)
    record_results(session, claimed)

    assert session.scalars(select(Delivery.state)).all() == ["pending"]
    assert len(claim_deliveries(session)) == 1


@pytest.mark.usefixtures("waiting")
def test_a_released_delivery_is_due_at_once(session: Session) -> None:
    [claimed] = claim_deliveries(session)

    delivery_queries.release_deliveries(session, [claimed.token], now=NOW)

    assert len(claim_deliveries(session)) == 1


def test_no_more_deliveries_of_an_endpoint_are_claimed_than_it_has_free_slots(
    session: Session,
) -> None:
    first, _ = create_endpoint(session)
    second, _ = create_endpoint(session)
    publish(session, *[sample("alert.opened") for _ in range(20)])

    claimed = [each.endpoint_id for each in claim_deliveries(session, free_slots={first: 3})]

    assert (claimed.count(first), claimed.count(second)) == (3, 8)
    assert {each.endpoint_id for each in claim_deliveries(session, free_slots={first: 0})} == {
        second
    }


def test_one_delivery_of_a_degraded_endpoint_is_claimed_at_a_time(
    session: Session, waiting: str
) -> None:
    publish(session, *[sample("alert.opened") for _ in range(20)])
    degraded = get_endpoint(session, waiting)
    degraded.state, degraded.failures, degraded.resume_at = "degraded", 5, NOW
    session.flush()

    assert len(claim_deliveries(session)) == 1
    assert claim_deliveries(session) == []
    assert len(claim_deliveries(session, at=NOW + LEASE)) == 1


def test_deliveries_are_deleted_with_their_endpoint(session: Session, waiting: str) -> None:
    [claimed] = claim_deliveries(session)

    queries.delete_endpoint(session, "acme", waiting)
    record_results(session, claimed)

    assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_two_workers_never_claim_the_same_delivery(committed: SessionFactory) -> None:
    with committed() as session:
        create_endpoint(session)
        publish(session, *[sample("alert.opened") for _ in range(10)])
        session.commit()
    with transaction(committed) as first, transaction(committed) as second:
        claimed = [
            claim_deliveries(first, default_slots=4),
            claim_deliveries(second, default_slots=4),
            claim_deliveries(first, default_slots=4),
        ]

    ids = [each.message_id for part in claimed for each in part]
    assert [len(part) for part in claimed] == [4, 4, 2]
    assert len(set(ids)) == 10


def test_old_messages_are_deleted_with_deliveries_and_attempts(
    session: Session, waiting: str
) -> None:
    record_results(session, *claim_deliveries(session))

    delivery_queries.delete_old_messages(session, before=NOW)
    assert session.scalar(select(func.count()).select_from(Attempt)) == 1
    delivery_queries.delete_old_messages(session, before=NOW + timedelta(seconds=1))

    assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert get_endpoint(session, waiting).state == "active"
