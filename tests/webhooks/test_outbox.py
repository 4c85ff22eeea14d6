from dataclasses import replace

import orjson
import pytest
from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.tables import Message
from app.webhooks.message_schemas import CATALOGUE
from app.webhooks.outbox import MAX_BODY_BYTES, InvalidMessageError, NewMessage
from tests import factories
from tests.webhooks.samples import publish, sample


def data(session: Session, message_id: str) -> dict[str, object]:
    message = session.get_one(Message, ("acme", message_id))
    data: dict[str, object] = orjson.loads(message.body)["data"]
    return data


@pytest.fixture(autouse=True)
def workspace(session: Session) -> None:
    factories.workspace(session)


@pytest.mark.parametrize("type_", CATALOGUE)
def test_every_type_of_the_catalogue_can_be_published(session: Session, type_: str) -> None:
    [message_id] = publish(session, sample(type_))

    message = session.get_one(Message, ("acme", message_id))
    assert message.type == type_
    assert orjson.loads(message.body).keys() == {"type", "timestamp", "data"}
    assert len(message.body) < MAX_BODY_BYTES


def test_an_unknown_type_is_refused(session: Session) -> None:
    with pytest.raises(InvalidMessageError, match=r"There is no message type alert\.exploded"):
        publish(session, NewMessage("alert.exploded", {}))


def test_data_with_an_unknown_field_is_refused(session: Session) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        publish(session, sample("alert.opened", colour="red"))


def test_a_message_about_an_account_needs_an_account_id(session: Session) -> None:
    with pytest.raises(InvalidMessageError, match="needs an account_id"):
        publish(session, replace(sample("alert.opened"), account_id=None))


def test_each_account_has_a_rising_sequence_of_its_own(session: Session) -> None:
    first = publish(session, *[sample("alert.opened", name) for name in ("b", "a", "b")])
    second = publish(session, sample("alert.resolved", "b"), sample("data.stopped"))

    numbers = [data(session, each).get("sequence") for each in (*first, *second)]
    assert numbers == [1, 1, 2, 3, None]


def test_ids_sort_in_the_order_of_publication(session: Session) -> None:
    ids = publish(session, *[sample("alert.opened") for _ in range(50)])

    assert list(ids) == sorted(ids)


def test_personal_fields_are_stored_in_a_separate_body(session: Session) -> None:
    [with_owner] = publish(session, sample("alert.opened", owner="kim@example.com"))
    [without] = publish(session, sample("alert.opened", owner=None, account_owner=None))

    message = session.get_one(Message, ("acme", with_owner))
    assert b"kim@" not in message.body
    assert message.personal_body is not None
    assert b"kim@" in message.personal_body
    assert session.get_one(Message, ("acme", without)).personal_body is None


def test_drivers_are_limited_to_three_clipped_sentences(session: Session) -> None:
    [message_id] = publish(session, sample("alert.opened", drivers=["é" * 5000] * 9))

    assert data(session, message_id)["drivers"] == ["é" * 300] * 3


def test_a_message_that_is_too_large_is_refused(session: Session) -> None:
    accounts = [{"account_id": "\u00e9" * 255, "current": "\u00e9" * 60}] * 10
    assert publish(session, sample("alert.digested", accounts=accounts))
    escaped = [{"account_id": "\x01" * 255, "current": "\x01" * 60}] * 10

    with pytest.raises(InvalidMessageError, match="too large"):
        publish(session, sample("alert.digested", accounts=escaped, link="\x01" * 500))
