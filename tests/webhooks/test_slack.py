from collections.abc import Iterator

import orjson
import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.tables import Message
from app.webhooks.message_schemas import CATALOGUE
from app.webhooks.slack import text_body
from tests import factories
from tests.webhooks.delivery import create_endpoint, deliver_due
from tests.webhooks.receiver import Receiver, running_receiver
from tests.webhooks.samples import publish, sample


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver(Receiver()) as started:
        yield started


def test_slack_gets_lines_of_text_without_a_signature(
    session: Session, sessions: SessionFactory, receiver: Receiver
) -> None:
    create_endpoint(session, receiver.url, kind="slack")
    drivers = ["Depth fell from 15 to 9.", "Reach <fell> & fell."]
    publish(session, sample("alert.opened", drivers=drivers, link="/api/v1/alerts/alr_1"))
    session.commit()

    deliver_due(sessions, public_url="https://health.example")

    [request] = receiver.received
    assert not any(name.startswith("webhook-") for name in request.headers)
    assert orjson.loads(request.body) == {
        "text": "*Health score at risk: opened*\n"
        "account id: acme, severity: high, previous: 31.5, current: 22.0, threshold: 25.0\n"
        "• Depth fell from 15 to 9.\n"
        "• Reach &lt;fell&gt; &amp; fell.\n"
        "<https://health.example/api/v1/alerts/alr_1|Open>"
    }


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_type_can_be_rendered(session: Session, kind: str) -> None:
    factories.workspace(session)
    [message_id] = publish(session, sample(kind))

    rendered = orjson.loads(
        text_body(session.get_one(Message, ("acme", message_id)).body, public_url=None)
    )

    assert rendered["text"].startswith("*")
    assert "None" not in rendered["text"]
