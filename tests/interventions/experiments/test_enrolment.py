"""Accounts are assigned to the arms of experiments, and suggestions follow the arm."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.tables import Assignment, Experiment, Intervention
from tests.interventions.experiments.scenario import (
    PATH,
    assigned_arms,
    create_accounts,
    start_experiment,
)
from tests.interventions.scenario import create_account, refresh, suggested_playbooks


@pytest.fixture
def crowd(session: Session) -> list[str]:
    return create_accounts(session)


def test_the_control_gets_no_suggestion_of_the_playbook(
    client: TestClient, session: Session, crowd: list[str]
) -> None:
    start_experiment(client, session, arms=[{"arm": "treated", "share": 0.5}])

    refresh(session, *crowd)

    by_account = assigned_arms(session)
    assert set(by_account) == set(crowd)
    assert set(by_account.values()) == {"treated", "control"}
    for account_id, arm in by_account.items():
        expected = ["find_next_champion"] if arm == "treated" else []
        assert suggested_playbooks(session, account_id) == expected


def test_an_arm_never_changes(client: TestClient, session: Session, crowd: list[str]) -> None:
    start_experiment(client, session, arms=[{"arm": "treated", "share": 0.5}])
    refresh(session, *crowd)
    before = assigned_arms(session)
    session.execute(update(Experiment).values(salt="another"))

    refresh(session, *crowd, days=1)

    assert assigned_arms(session) == before


def test_children_are_in_the_arm_of_their_parent(client: TestClient, session: Session) -> None:
    create_account(session, "top", "champion_inactive")
    for number in range(8):
        create_account(session, f"mid{number}", parent_id="top")
        create_account(session, f"low{number}", "champion_inactive", parent_id=f"mid{number}")
    start_experiment(client, session, arms=[{"arm": "treated", "share": 0.5}])

    refresh(session, "top", *(f"low{number}" for number in range(8)))

    assert len(assigned_arms(session)) == 9
    assert len(set(assigned_arms(session).values())) == 1
    assert session.scalar(select(func.count(Assignment.family.distinct()))) == 1


def test_only_accounts_that_match_the_filter_take_part(
    client: TestClient, session: Session
) -> None:
    create_account(session, "a1", "champion_inactive", segment="smb")
    create_account(session, "a2", "champion_inactive", segment="mid")
    create_account(session, "a3", "price_rise", segment="smb")
    start_experiment(client, session, filter={"segment": "smb"})

    refresh(session, "a1", "a2", "a3")

    assert set(assigned_arms(session)) == {"a1"}


def test_a_treated_arm_gets_its_version_of_the_playbook(
    client: TestClient, session: Session, crowd: list[str]
) -> None:
    start_experiment(
        client,
        session,
        arms=[
            {"arm": "by_call", "share": 0.4, "changes": {"channel": "call"}},
            {"arm": "by_post", "share": 0.4, "changes": {"channel": "post"}},
        ],
    )

    refresh(session, *crowd)

    rows = session.scalars(select(Intervention)).all()
    assert {(row.arm, row.details["channel"]) for row in rows} == {
        ("by_call", "call"),
        ("by_post", "post"),
    }


@pytest.mark.parametrize(
    ("design", "status", "pointer"),
    [
        ({"playbook": "nonsense"}, 404, None),
        ({"filter": {"nonsense": 1}}, 422, "/body/filter/nonsense"),
        ({"arms": [{"arm": "a", "share": 1}]}, 422, "/body/arms/0/share"),
        (
            {"arms": [{"arm": "a", "share": 0.5, "changes": {"channel": "pigeon"}}]},
            422,
            "/body/arms/0/changes/channel",
        ),
    ],
)
def test_an_invalid_design_is_rejected(
    client: TestClient, design: dict[str, Any], status: int, pointer: str | None
) -> None:
    response = client.post(PATH, json={"name": "x", "playbook": "right_size"} | design)

    assert response.status_code == status
    assert [each["pointer"] for each in response.json().get("errors", [])] == (
        [pointer] if pointer else []
    )


def test_a_playbook_has_one_running_experiment_at_a_time(
    client: TestClient, session: Session
) -> None:
    first = start_experiment(client, session)
    body = {"name": "x", "playbook": "find_next_champion"}

    rejected = client.post(PATH, json=body)
    client.post(f"{PATH}/{first}/stop")

    assert rejected.status_code == 409
    assert client.post(PATH, json=body).status_code == 201
    assert {e["state"] for e in client.get(PATH).json()["items"]} == {"running", "stopped"}
    assert len(client.get(f"{PATH}?state=running").json()["items"]) == 1
