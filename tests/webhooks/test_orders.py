"""What a receiver orders by its response, limits, and warnings: with a real receiver."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.webhooks.delivery_queries import ClaimedDelivery
from app.webhooks.endpoint_state import EndpointStatus
from tests.conftest import NOW
from tests.webhooks.delivery import (
    create_endpoint,
    deliver_due,
    get_endpoint,
    list_attempts,
    list_deliveries,
    make_due,
)
from tests.webhooks.receiver import Receiver, http_response, running_receiver
from tests.webhooks.samples import publish, sample
from tests.webhooks.test_delivery_results import claim_deliveries, record_results

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver(Receiver()) as receiver:
        yield receiver


def ordering(status: int, order: str) -> Receiver:
    return Receiver(respond=lambda _: http_response(status, webhook_delivery=order))


@pytest.mark.parametrize(("status", "delivery"), [(204, "delivered"), (500, "failed")])
def test_disable_disables_an_endpoint_whatever_its_status(
    session: Session, sessions: SessionFactory, receiver: Receiver, status: int, delivery: str
) -> None:
    with running_receiver(ordering(status, "Disable")) as ordered:
        ordered_id, _ = create_endpoint(session, ordered.url, types=["alert.opened"])
        create_endpoint(session, receiver.url, types=["endpoint.disabled"])
        publish(session, sample("alert.opened"))
        session.commit()
        deliver_due(sessions)

    endpoint = get_endpoint(session, ordered_id)
    assert (endpoint.state, endpoint.reason) == ("disabled", "requested")
    states = [each.state for each in list_deliveries(session) if each.endpoint_id == ordered_id]
    assert states == [delivery]
    [message] = [orjson.loads(each.body) for each in receiver.received]
    assert (message["type"], message["data"]["reason"]) == ("endpoint.disabled", "requested")


def test_abort_message_ends_the_attempts_of_a_message_and_is_no_failure_of_the_endpoint(
    session: Session, sessions: SessionFactory
) -> None:
    with running_receiver(ordering(422, "abort-message")) as ordered:
        endpoint_id, _ = create_endpoint(session, ordered.url)
        publish(session, sample("alert.opened"))
        session.commit()
        deliver_due(sessions)
        make_due(sessions, NOW + DAY)
        deliver_due(sessions, now=NOW + DAY)

    [delivery] = list_deliveries(session)
    assert (delivery.state, len(ordered.received)) == ("failed", 1)
    assert [each.status for each in list_attempts(session)] == [422]
    endpoint = get_endpoint(session, endpoint_id)
    assert (endpoint.state, endpoint.failures) == ("active", 0)


@pytest.mark.parametrize("order", ["abort", "", "retry"])
def test_an_unknown_order_changes_nothing(
    session: Session, sessions: SessionFactory, order: str
) -> None:
    with running_receiver(ordering(500, order)) as ordered:
        create_endpoint(session, ordered.url)
        publish(session, sample("alert.opened"))
        session.commit()
        deliver_due(sessions)

    assert list_deliveries(session)[0].state == "pending"


def test_two_orders_can_be_sent_together(session: Session, sessions: SessionFactory) -> None:
    with running_receiver(ordering(200, "abort-message, disable")) as ordered:
        endpoint_id, _ = create_endpoint(session, ordered.url)
        publish(session, sample("alert.opened"))
        session.commit()
        deliver_due(sessions)

    assert get_endpoint(session, endpoint_id).state == "disabled"
    assert list_deliveries(session)[0].state == "delivered"


def test_the_other_endpoints_are_warned_once_on_each_part_of_the_way(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    with running_receiver(Receiver(respond=lambda _: http_response(500))) as failing:
        failing_id, _ = create_endpoint(session, failing.url, name="Old CRM")
        create_endpoint(session, receiver.url, types=["endpoint.failing"])
        endpoint = get_endpoint(session, failing_id)
        endpoint.status = EndpointStatus(failures=9, failing_since=NOW - 2.4 * DAY)
        publish(session, sample("alert.opened"))
        session.commit()
        for days in (0, 0.2, 0.3, 1.2, 2.2):  # 48, 52, 54, 72 and 92 % of five days
            make_due(sessions, NOW + days * DAY)
            deliver_due(sessions, now=NOW + days * DAY)

    data = [orjson.loads(each.body)["data"] for each in receiver.received]
    assert [(each["percent"], each["failures"]) for each in data] == [(50, 11), (70, 13), (90, 14)]
    assert {each["endpoint_id"] for each in data} == {failing_id}
    assert {each["disabled_from"] for each in data} == {"2026-03-21T02:24:00Z"}
    assert [each for each in failing.received if b"endpoint.failing" in each.body] == []


def throttled(session: Session, messages: int, **options: Any) -> str:  # noqa: ANN401
    endpoint_id, _ = create_endpoint(session, **{"max_per_second": 4, **options})
    publish(session, *[sample("alert.opened") for _ in range(messages)])
    session.commit()
    return endpoint_id


def delays(claimed: Sequence[ClaimedDelivery]) -> list[float]:
    return sorted(each.delay for each in claimed)


def test_a_limit_spaces_messages_evenly_and_the_next_ones_follow_them(session: Session) -> None:
    throttled(session, 10)

    first = claim_deliveries(session)
    assert delays(first) == [0, 0.25, 0.5, 0.75]
    assert claim_deliveries(session, at=NOW + 0.9 * SECOND) == []
    second = claim_deliveries(session, at=NOW + SECOND)
    third = claim_deliveries(session, at=NOW + 2 * SECOND)
    assert delays(second) == [0, 0.25, 0.5, 0.75]
    assert delays(third) == [0, 0.25]
    assert claim_deliveries(session, at=NOW + 2.4 * SECOND) == []
    publish(session, sample("alert.opened"))
    assert len(claim_deliveries(session, at=NOW + 2.5 * SECOND)) == 1


def test_a_limit_leaves_failures_of_the_endpoint_and_other_endpoints_as_they_are(
    session: Session,
) -> None:
    limited = throttled(session, 10)
    free, _ = create_endpoint(session)
    publish(session, *[sample("alert.opened") for _ in range(8)])

    claimed = claim_deliveries(session, free_slots={limited: 2})
    assert [each.endpoint_id for each in claimed].count(limited) == 2
    assert [each.delay for each in claimed if each.endpoint_id == free] == [0] * 8
    record_results(session, *claimed)
    assert get_endpoint(session, limited).next_at == NOW + 0.5 * SECOND


def test_a_clock_that_went_back_does_not_stop_a_limited_endpoint(session: Session) -> None:
    throttled(session, 8)
    claim_deliveries(session, at=NOW + DAY)

    assert len(claim_deliveries(session)) == 4


def test_limited_messages_arrive_each_once(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    throttled(session, 5, url=receiver.url, max_per_second=200)

    deliver_due(sessions)

    ids = [each.headers["webhook-id"] for each in receiver.received]
    assert len(ids) == len(set(ids)) == 5


def test_a_limit_is_a_setting_of_the_endpoint(client: TestClient) -> None:
    url = "https://93.184.216.34/hook"
    created = client.post("/api/v1/webhook-endpoints", json={"url": url, "max_per_second": 10})
    path = f"/api/v1/webhook-endpoints/{created.json()['id']}"

    assert created.json()["max_per_second"] == 10
    assert client.patch(path, json={"name": "CRM"}).json()["max_per_second"] == 10
    assert client.patch(path, json={"max_per_second": None}).json()["max_per_second"] is None
    for wrong in (0, 1001, "10", 1.5):
        assert client.patch(path, json={"max_per_second": wrong}).status_code == 422
