"""Plain functions that look at what was put aside, and act on it."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.conftest import NOW
from tests.events import calls

DAY = timedelta(days=1)
OLD = {"timestamp": (NOW - 500 * DAY).isoformat()}


def run_action(client: TestClient, act: str, **body: object) -> dict[str, Any]:
    answer = client.post(f"/api/v1/quarantine/{act}", json=body)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    if act == "replay":
        parts = ("replayed", "duplicates", "quarantined", "erased", "skipped")
        assert said["selected"] == sum(said[part] for part in parts)
    return said


def list_events(client: TestClient, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/quarantine", params=asked).json()["items"]
    return found


def edit_payloads(session: Session, wrong: str, right: str) -> None:
    """Change what was put aside, as if the rules had."""
    session.execute(
        text("UPDATE quarantined_event SET payload = replace(payload, :wrong, :right)"),
        {"wrong": wrong, "right": right},
    )
    session.commit()


def with_longer_retention(sessions: SessionFactory, client: TestClient, days: int = 800) -> Any:  # noqa: ANN401
    """The same service with a longer retention, a day later."""
    return calls.client_at_time(sessions, client, NOW + DAY, event_retention_days=days)
