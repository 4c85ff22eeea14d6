"""Begin experiments over HTTP, and see who was dealt into which arm."""

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.tables import Assignment, Experiment
from tests.interventions.scenario import create_account

PATH = "/api/v1/experiments"
ACCOUNT_IDS = [f"a{number:03}" for number in range(60)]


def start_experiment(client: TestClient, session: Session, **design: Any) -> str:  # noqa: ANN401
    """Begin an experiment that deals the same in every run."""
    body = {"name": "Does it help?", "playbook": "find_next_champion"} | design
    answer = client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    session.execute(update(Experiment).values(salt="salt"))
    session.commit()
    return str(answer.json()["id"])


def assigned_arms(session: Session) -> dict[str, str]:
    rows = session.execute(select(Assignment.account_id, Assignment.arm))
    return dict(rows.all())


def create_accounts(session: Session) -> list[str]:
    """Make 60 accounts for which a playbook does."""
    for account_id in ACCOUNT_IDS:
        create_account(session, account_id, "champion_inactive")
    session.commit()
    return ACCOUNT_IDS
