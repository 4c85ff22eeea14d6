"""The receiver in the README accepts a real delivery."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session
from standardwebhooks import WebhookVerificationError

from app.core.db import SessionFactory
from tests.test_docs import README
from tests.test_readme import blocks
from tests.webhooks.delivery import create_endpoint, deliver_due
from tests.webhooks.receiver import Receiver, running_receiver
from tests.webhooks.samples import publish, sample


def test_the_receiver_in_the_readme_accepts_signed_messages_only(
    session: Session,
    sessions: SessionFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [code] = [each for each in blocks(README, "python") if "standardwebhooks" in each]
    with running_receiver(Receiver()) as receiver:
        _, secret = create_endpoint(session, receiver.url)
        [message_id] = publish(session, sample("alert.opened"))
        session.commit()
        deliver_due(sessions, now=datetime.now(UTC))
    [request] = receiver.received

    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    file: dict[str, Any] = {}
    exec(code, file)  # noqa: S102
    client = TestClient(file["app"])

    assert client.post("/hook", content=request.body, headers=request.headers).status_code == 200
    assert capsys.readouterr().out.split() == [message_id, "alert.opened"]
    with pytest.raises(WebhookVerificationError):
        client.post("/hook", content=request.body + b" ", headers=request.headers)
