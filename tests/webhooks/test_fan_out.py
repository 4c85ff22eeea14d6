"""Which endpoints get which messages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.core.db import SessionFactory, transaction
from app.tables import Delivery, MessageSequence
from app.webhooks import outbox
from tests import factories
from tests.conftest import NOW
from tests.webhooks.delivery import create_endpoint, deliver_due, list_deliveries
from tests.webhooks.receiver import Receiver, running_receiver
from tests.webhooks.samples import publish, sample


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver(Receiver()) as started:
        yield started


def receives(session: Session, *messages: outbox.NewMessage, **values: Any) -> list[bool]:  # noqa: ANN401
    """Create an endpoint and return, for each message, whether it gets it."""
    create_endpoint(session, **values)
    ids = publish(session, *messages)
    chosen = {each.message_id for each in list_deliveries(session)}
    return [each in chosen for each in ids]


def test_without_types_an_endpoint_gets_everything_except_tests(session: Session) -> None:
    messages = [sample(kind) for kind in ("alert.opened", "import.completed", "endpoint.test")]

    assert receives(session, *messages) == [True, True, False]


def test_with_types_an_endpoint_gets_only_those(session: Session) -> None:
    messages = [sample(kind) for kind in ("alert.opened", "alert.resolved", "data.stopped")]

    assert receives(session, *messages, types=["alert.opened", "data.stopped"]) == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"segment": "smb"}, [True, False, False]),
        ({"traits.region": "eu"}, [False, True, False]),
        ({"account_id": ["a1", "a3"]}, [True, False, True]),
        ({"data.severity": "high"}, [True, True, True]),
        ({"data.rule.id": "health_at_risk"}, [True, True, True]),
        ({"data.rule.id": ["no_use"]}, [False, False, False]),
        ({"data.signal.id": None}, [True, True, True]),
        ({"field": "data.current", "op": "lt", "value": 10}, [False, False, False]),
        ({"not": {"segment": "smb"}}, [False, True, True]),
        ({"field": "started_on", "op": "gte", "value": {"days_ago": 30}}, [True, False, False]),
    ],
)
def test_a_filter_tests_the_account_and_the_message(
    session: Session, condition: dict[str, Any], expected: list[bool]
) -> None:
    factories.account(session, "a1", segment="smb", started_on=(NOW - timedelta(days=20)).date())
    factories.account(session, "a2", segment="enterprise", traits={"region": "eu"})
    messages = [sample("alert.opened", name) for name in ("a1", "a2", "a3")]

    assert receives(session, *messages, filter=condition) == expected


@pytest.mark.parametrize("field", ["account_id", "data.account_id"])
def test_a_former_id_in_a_filter_means_the_current_account(session: Session, field: str) -> None:
    factories.account(session, "a1")
    aliases.put(session, "acme", "was-a1", "a1", now=NOW)
    messages = [sample("alert.opened", name) for name in ("a1", "a2")]

    assert receives(session, *messages, filter={field: ["was-a1"]}) == [True, False]


def test_a_filter_does_not_apply_to_messages_about_no_account(session: Session) -> None:
    assert receives(session, sample("data.stopped"), filter={"segment": "smb"}) == [True]


def test_another_tenants_endpoint_gets_nothing(session: Session) -> None:
    create_endpoint(session)
    factories.workspace(session, "other")

    outbox.publish(session, "other", [sample("data.stopped")], now=NOW)

    assert list_deliveries(session) == []


def test_only_endpoints_with_personal_data_get_personal_fields(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    create_endpoint(session, receiver.url + "?plain")
    create_endpoint(session, receiver.url + "?personal", personal_data=True)
    publish(session, sample("alert.opened", owner="kim@example.com"))
    session.commit()

    deliver_due(sessions)

    data = {each.path: orjson.loads(each.body)["data"] for each in receiver.received}
    assert data["/hook?personal"]["owner"] == "kim@example.com"
    assert "owner" not in data["/hook?plain"]


@pytest.mark.parametrize("personal_data", [True, False])
def test_a_filter_sees_personal_fields_only_if_the_endpoint_gets_them(
    session: Session, *, personal_data: bool
) -> None:
    messages = [sample("alert.opened", "a1", owner=name) for name in ("kim", "lee")]

    chosen = receives(session, *messages, filter={"data.owner": "kim"}, personal_data=personal_data)

    assert chosen == [personal_data, False]


def test_a_rolled_back_message_leaves_no_trace(committed: SessionFactory) -> None:
    with committed() as session:
        create_endpoint(session)
    with committed() as session:
        publish(session, sample("alert.opened"))

    with transaction(committed) as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert session.scalar(select(func.count()).select_from(MessageSequence)) == 0
