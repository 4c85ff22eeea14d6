from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.tables import HealthScore, Message
from app.webhooks.message_schemas import CATALOGUE
from app.webhooks.outbox import NewMessage
from app.webhooks.slack import text_body
from tests import factories
from tests.conftest import NOW
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
    drivers = ["Depth <fell> & fell.", "Reach fell."]
    publish(session, sample("alert.opened", drivers=drivers, link="/api/v1/alerts/alr_1"))
    session.commit()

    deliver_due(sessions, public_url="https://health.example")

    [request] = receiver.received
    assert not any(name.startswith("webhook-") for name in request.headers)
    assert orjson.loads(request.body) == {
        "text": "*Acme Ltd – Health score at risk: opened*\n"  # noqa: RUF001 - a dash
        "499 USD a month, 2,399 USD a year at risk, renews on 1 June 2026, severity: high\n"
        "Depth &lt;fell&gt; &amp; fell."
    }


def rendered(session: Session, *, personal: bool = False, **values: Any) -> str:  # noqa: ANN401
    """Publish an alert about the account acme and return its text in Slack."""
    alert = {"rule": {"id": "r", "name": "Score low"}, "alert_id": "alr_1", "signal": "s"} | values
    alert["link"] = values.get("link", "/api/v1/alerts/alr_1")
    [message_id] = publish(session, NewMessage("alert.opened", alert, "acme"))
    message = session.get_one(Message, ("acme", message_id))
    body = message.personal_body if personal and message.personal_body else message.body
    text = orjson.loads(text_body(body, public_url="https://health.example"))["text"]
    assert isinstance(text, str)
    return text


def test_an_alert_has_the_accounts_own_name_money_owner_and_renewal(session: Session) -> None:
    factories.account(session, "acme", name="Acme & Co", owner="kim@example.com")
    details = {"renewal_on": "2026-06-01"}
    score = {"as_of": NOW.date(), "score": 22.0, "band": "at_risk", "status": "ok"}
    score |= {"mrr_cents": 123_400, "details": details, "computed_at": NOW}
    session.add(HealthScore(workspace_id="acme", account_id="acme", **score))
    session.flush()

    title, facts, sentence = rendered(
        session, personal=True, previous=31.5, current=22.0, threshold=25.0
    ).split("\n")

    assert title == "*Acme &amp; Co – Score low: opened*"  # noqa: RUF001 - a dash
    assert facts == "1,234 USD a month, owner: kim@example.com, renews on 1 June 2026"
    assert sentence == "It went from 31.5 to 22.0; the threshold is 25.0."
    assert "kim@example.com" not in rendered(session)


def test_an_account_without_name_price_and_renewal_is_called_by_its_id(session: Session) -> None:
    factories.account(session, "acme")

    assert rendered(session, current=3) == (
        "*acme – Score low: opened*\nIt is 3.0."  # noqa: RUF001 - a dash
    )


def test_a_link_that_needs_a_key_is_left_out(session: Session) -> None:
    factories.account(session, "acme")

    assert "http" not in rendered(session, link="/api/v1/alerts/alr_1")
    assert "<https://health.example/alerts/1|Open>" in rendered(session, link="/alerts/1")


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_type_can_be_rendered(session: Session, kind: str) -> None:
    factories.workspace(session)
    [message_id] = publish(session, sample(kind))

    rendered = orjson.loads(
        text_body(session.get_one(Message, ("acme", message_id)).body, public_url=None)
    )

    assert rendered["text"].startswith("*")
    assert "None" not in rendered["text"]
