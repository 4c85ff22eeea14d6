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
    found = session.get_one(Message, ("acme", message_id))
    said: dict[str, object] = orjson.loads(found.body)["data"]
    return said


@pytest.fixture(autouse=True)
def workspace(session: Session) -> None:
    factories.workspace(session)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_type_of_the_catalogue_can_be_published(session: Session, kind: str) -> None:
    [message_id] = publish(session, sample(kind))

    found = session.get_one(Message, ("acme", message_id))
    assert found.type == kind
    assert orjson.loads(found.body).keys() == {"type", "timestamp", "data"}
    assert len(found.body) < MAX_BODY_BYTES


def test_an_unknown_type_is_refused(session: Session) -> None:
    with pytest.raises(InvalidMessageError, match=r"There is no message type alert\.exploded"):
        publish(session, NewMessage("alert.exploded", {}))


def test_data_that_the_catalogue_does_not_know_is_refused(session: Session) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        publish(session, sample("alert.opened", colour="red"))


def test_a_message_about_an_account_names_it(session: Session) -> None:
    with pytest.raises(InvalidMessageError, match="none is named"):
        publish(session, replace(sample("alert.opened"), account_id=None))


def test_the_sequence_of_an_account_rises_whatever_happens_to_others(session: Session) -> None:
    first = publish(session, *[sample("alert.opened", name) for name in ("b", "a", "b")])
    second = publish(session, sample("alert.resolved", "b"), sample("data.stopped"))

    numbers = [data(session, each).get("sequence") for each in (*first, *second)]
    assert numbers == [1, 1, 2, 3, None]


def test_ids_sort_as_they_were_published(session: Session) -> None:
    ids = publish(session, *[sample("alert.opened") for _ in range(50)])

    assert list(ids) == sorted(ids)


def test_what_is_personal_stands_apart(session: Session) -> None:
    [with_owner] = publish(session, sample("alert.opened", owner="kim@example.com"))
    [without] = publish(session, sample("alert.opened", owner=None))

    found = session.get_one(Message, ("acme", with_owner))
    assert b"kim@" not in found.body
    assert found.personal_body is not None
    assert b"kim@" in found.personal_body
    assert session.get_one(Message, ("acme", without)).personal_body is None


def test_of_many_long_drivers_three_go_out_clipped(session: Session) -> None:
    [message_id] = publish(session, sample("alert.opened", drivers=["é" * 5000] * 9))

    assert data(session, message_id)["drivers"] == ["é" * 300] * 3


def test_a_message_that_is_too_large_is_refused(session: Session) -> None:
    accounts = [{"account_id": "\u00e9" * 255, "current": "\u00e9" * 60}] * 10
    assert publish(session, sample("alert.digested", accounts=accounts))
    escaped = [{"account_id": "\x01" * 255, "current": "\x01" * 60}] * 10

    with pytest.raises(InvalidMessageError, match="too large"):
        publish(session, sample("alert.digested", accounts=escaped, link="\x01" * 500))
