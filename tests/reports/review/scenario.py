"""Helpers: insert interventions of the account a1, and read its review."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import Intervention
from tests.conftest import NOW

APPROVED = {"name": "Teach", "next_step": "Call.", "message": "We show you Campaigns on Monday."}


def intervention(session: Session, number: int, state: str, **columns: Any) -> None:  # noqa: ANN401
    texts = {
        "name": "Right-size the plan",
        "next_step": "Propose to Acme a smaller plan.",
        "message": "Also for you: a smaller plan.\n\nReply with a time.",
    }
    if state == "done":
        texts["message"] = "You pay for what you use."
    row = {"playbook": "right_size", "signal": "low_value_per_dollar", "rank": 1}
    row |= {"value_cents": 5, "created_at": NOW - timedelta(days=30), "changed_at": NOW}
    row |= {"details": {"texts": {"en": texts}, "link": None, "faq": None}, "notes": "SECRET NOTE"}
    row |= {"assignee": "kim@vendor.example", "state": state, "id": f"int_{number}"}
    session.add(Intervention(workspace_id="acme", account_id="a1", **(row | columns)))


def get(client: TestClient, **params: str) -> Any:  # noqa: ANN401
    answer = client.get("/api/v1/accounts/a1/review", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()
