"""Deliveries from the outbox to a receiver on this machine."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import orjson
import pytest
from prometheus_client import REGISTRY
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.tables import Message
from app.webhooks.delivery_worker import DeliveryThread
from tests.conftest import NOW
from tests.servers.processes import eventually
from tests.webhooks.delivery import (
    create_endpoint,
    deliver_due,
    get_endpoint,
    list_attempts,
    list_deliveries,
    make_due,
    make_worker,
)
from tests.webhooks.receiver import OK, Receiver, http_response, running_receiver
from tests.webhooks.samples import publish, sample


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver(Receiver()) as started:
        yield started


def test_a_message_arrives_byte_for_byte_with_its_headers(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    create_endpoint(session, receiver.url + "?a=1", headers={"Authorization": "Bearer x"})
    [message_id] = publish(session, sample("alert.opened"))
    session.commit()

    deliver_due(sessions)

    [request] = receiver.received
    assert request.path == "/hook?a=1"
    assert request.body == session.get_one(Message, ("acme", message_id)).body
    assert request.headers["webhook-id"] == message_id
    assert request.headers["authorization"] == "Bearer x"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    [delivery], [attempt] = list_deliveries(session), list_attempts(session)
    assert (delivery.state, delivery.attempts, delivery.token) == ("delivered", 1, None)
    assert (attempt.status, attempt.error, attempt.response) == (200, None, "ok")


def test_a_retry_has_the_same_id_and_body_and_follows_the_schedule(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    responses = iter([http_response(500), http_response(204)])
    receiver.respond = lambda _: next(responses)
    create_endpoint(session, receiver.url)
    publish(session, sample("alert.opened"))
    session.commit()

    deliver_due(sessions)
    [delivery] = list_deliveries(session)
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert NOW + timedelta(seconds=5) <= delivery.due_at <= NOW + timedelta(seconds=6)
    deliver_due(sessions)
    assert len(receiver.received) == 1
    deliver_due(sessions, now=NOW + timedelta(seconds=6))

    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert list_deliveries(session)[0].state == "delivered"
    assert [each.status for each in list_attempts(session)] == [500, 204]


def test_after_the_last_attempt_a_delivery_has_failed(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    receiver.respond = lambda _: http_response(400)
    create_endpoint(session, receiver.url)
    publish(session, sample("alert.opened"))
    session.commit()

    for turn in range(12):
        at = NOW + timedelta(hours=turn)
        make_due(sessions, at)
        deliver_due(sessions, now=at)

    assert len(receiver.received) == 10
    assert list_deliveries(session)[0].state == "failed"


def test_a_redirect_is_a_failure_and_is_not_followed(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    with running_receiver(Receiver()) as other:
        receiver.respond = lambda _: http_response(302, location=other.url)
        create_endpoint(session, receiver.url)
        publish(session, sample("alert.opened"))
        session.commit()

        deliver_due(sessions)

        assert (len(receiver.received), other.connections) == (1, 0)
    assert list_attempts(session)[0].status == 302
    assert list_deliveries(session)[0].state == "pending"


def test_status_410_disables_an_endpoint_and_a_message_goes_to_the_others(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    with running_receiver(Receiver(respond=lambda _: http_response(410))) as gone:
        gone_id, _ = create_endpoint(session, gone.url, name="Old CRM", types=["alert.opened"])
        create_endpoint(session, receiver.url, types=["endpoint.disabled"])
        publish(session, sample("alert.opened"), sample("alert.opened", "b"))
        session.commit()

        deliver_due(sessions)

    state = get_endpoint(session, gone_id)
    assert (state.state, state.reason) == ("disabled", "gone")
    messages = [orjson.loads(each.body) for each in receiver.received]
    assert [each["type"] for each in messages] == ["endpoint.disabled"]
    assert messages[0]["data"]["endpoint_id"] == gone_id
    gone_states = [each.state for each in list_deliveries(session) if each.endpoint_id == gone_id]
    assert gone_states == ["failed", "failed"]


def test_a_disabled_endpoint_gets_nothing_new(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    receiver.respond = lambda _: http_response(410)
    create_endpoint(session, receiver.url)
    publish(session, sample("alert.opened"))
    session.commit()
    deliver_due(sessions)

    publish(session, sample("alert.opened"))
    session.commit()
    deliver_due(sessions)

    assert len(receiver.received) == 1


@pytest.mark.parametrize(("status", "waits"), [(503, 3600), (429, 3600), (503, 10**9)])
def test_nothing_is_sent_before_the_retry_after_of_a_receiver(
    session: Session, sessions: SessionFactory, receiver: Receiver, status: int, waits: int
) -> None:
    receiver.respond = lambda _: http_response(status, retry_after=str(waits))
    endpoint_id, _ = create_endpoint(session, receiver.url)
    publish(session, sample("alert.opened"))
    session.commit()

    deliver_due(sessions)

    until = NOW + timedelta(seconds=min(waits, 86400))
    assert list_deliveries(session)[0].due_at == until
    assert get_endpoint(session, endpoint_id).resume_at == until
    publish(session, sample("alert.opened"))
    session.commit()
    deliver_due(sessions, now=until - timedelta(seconds=1))
    assert len(receiver.received) == 1


def test_a_failing_endpoint_gets_one_probe_at_a_time_and_everything_after_it_recovers(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    receiver.respond = lambda _: http_response(500)
    endpoint_id, _ = create_endpoint(session, receiver.url)
    publish(session, *[sample("alert.opened") for _ in range(30)])
    session.commit()

    deliver_due(sessions)
    degraded = get_endpoint(session, endpoint_id)
    assert degraded.state == "degraded"
    assert degraded.resume_at is not None
    before = len(receiver.received)
    deliver_due(sessions, now=degraded.resume_at)
    assert len(receiver.received) == before + 1

    receiver.respond = lambda _: OK
    make_due(sessions)
    deliver_due(sessions, now=NOW + timedelta(hours=1))

    assert (
        get_endpoint(session, endpoint_id).state,
        get_endpoint(session, endpoint_id).failures,
    ) == (
        "active",
        0,
    )
    assert {each.state for each in list_deliveries(session)} == {"delivered"}
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 30


def test_a_paused_endpoint_gets_its_messages_later(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    endpoint_id, _ = create_endpoint(session, receiver.url, paused=True)
    publish(session, sample("alert.opened"))
    session.commit()
    deliver_due(sessions)
    assert receiver.received == []

    get_endpoint(session, endpoint_id).paused = False
    session.commit()
    deliver_due(sessions)

    assert len(receiver.received) == 1


def test_slow_headers_and_silence_end_at_the_deadline(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    behaviours = iter([receiver.drip, receiver.hang])
    receiver.respond = lambda _: next(behaviours)
    create_endpoint(session, receiver.url)
    publish(session, sample("alert.opened"), sample("alert.opened"))
    session.commit()

    deliver_due(sessions, deadline_seconds=0.3)

    assert [each.error for each in list_attempts(session)] == ["timeout", "timeout"]


def test_only_the_beginning_of_a_long_response_is_read_and_stored(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    receiver.respond = lambda _: http_response(
        200, b"\x00\xff" + b"x" * 10_000_000, content_encoding="gzip"
    )
    create_endpoint(session, receiver.url)
    publish(session, sample("alert.opened"))
    session.commit()

    deliver_due(sessions)

    [attempt] = list_attempts(session)
    assert attempt.status == 200
    assert attempt.response == ("��" + "x" * 1022)


def test_a_refused_connection_is_a_failure(session: Session, sessions: SessionFactory) -> None:
    with running_receiver(Receiver()) as stopped:
        create_endpoint(session, stopped.url)
    publish(session, sample("alert.opened"))
    session.commit()

    deliver_due(sessions)

    assert list_attempts(session)[0].error == "connect_failed"
    assert list_deliveries(session)[0].state == "pending"


def test_an_unexpected_error_does_not_end_the_delivery_thread(
    committed: SessionFactory, receiver: Receiver
) -> None:
    """The clock fails once, as code with a mistake would."""
    with committed() as session:
        create_endpoint(session, receiver.url)
        publish(session, sample("alert.opened"))
        session.commit()
    errors = iter([RuntimeError("no clock")])
    worker = make_worker(committed)

    def clock() -> datetime:
        for error in errors:
            raise error
        return NOW

    worker.clock = clock
    before = interruptions()
    with DeliveryThread(worker):
        eventually(lambda: receiver.received)

    assert interruptions() == before + 1


def interruptions() -> float:
    return REGISTRY.get_sample_value("health_webhook_worker_errors_total") or 0
