"""Functions that list, change, replay and discard quarantined events."""

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


def run_action(client: TestClient, action: str, **body: object) -> dict[str, Any]:
    answer = client.post(f"/api/v1/quarantine/{action}", json=body)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    if action == "replay":
        parts = ("replayed", "duplicates", "quarantined", "erased", "skipped")
        assert report["selected"] == sum(report[part] for part in parts)
    return report


def list_events(client: TestClient, **filters: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/api/v1/quarantine", params=filters).json()["items"]
    return items


def edit_payloads(session: Session, wrong: str, right: str) -> None:
    """Change the payloads in the quarantine, so that they become valid."""
    session.execute(
        text("UPDATE quarantined_event SET payload = replace(payload, :wrong, :right)"),
        {"wrong": wrong, "right": right},
    )
    session.commit()


def with_longer_retention(sessions: SessionFactory, client: TestClient, days: int = 800) -> Any:  # noqa: ANN401
    """Return a client of the same service with a longer retention, a day later."""
    return calls.client_at_time(sessions, client, NOW + DAY, event_retention_days=days)
