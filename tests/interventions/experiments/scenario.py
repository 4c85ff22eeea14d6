"""Start experiments over HTTP, and read which arm each account is assigned to."""

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.tables import Assignment, Experiment
from tests.interventions.scenario import create_account

PATH = "/api/v1/experiments"
ACCOUNT_IDS = [f"a{number:03}" for number in range(60)]


def start_experiment(client: TestClient, session: Session, **design: Any) -> str:  # noqa: ANN401
    """Start an experiment with a fixed salt, so that runs assign the same arms; return its id."""
    body = {"name": "Does it help?", "playbook": "find_next_champion"} | design
    response = client.post(PATH, json=body)
    assert response.status_code == 201, response.text
    session.execute(update(Experiment).values(salt="salt"))
    session.commit()
    return str(response.json()["id"])


def assigned_arms(session: Session) -> dict[str, str]:
    rows = session.execute(select(Assignment.account_id, Assignment.arm))
    return dict(rows.all())


def create_accounts(session: Session) -> list[str]:
    """Create 60 accounts that are eligible for a playbook."""
    for account_id in ACCOUNT_IDS:
        create_account(session, account_id, "champion_inactive")
    session.commit()
    return ACCOUNT_IDS
