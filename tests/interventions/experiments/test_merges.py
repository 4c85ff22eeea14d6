"""Experiments count the same families in the same arms after renames, merges and new parents."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.interventions.outcome_job import evaluate_outcomes
from app.tables import Account, Assignment
from tests.conftest import NOW
from tests.interventions.experiments.scenario import (
    PATH,
    assigned_arms,
    create_accounts,
    start_experiment,
)
from tests.interventions.scenario import (
    TODAY,
    create_account,
    record_history,
    refresh,
    suggested_playbooks,
)
from tests.lifecycle.id_changes import move_account

HALF = [{"arm": "treated", "share": 0.5}]


def sizes(client: TestClient, key: str, what: str = "assigned") -> Mapping[str, int]:
    arms = client.get(f"{PATH}/{key}/results").json()["arms"]
    return {each["arm"]: each[what] for each in arms}


def one_of_each_arm(session: Session) -> tuple[str, str]:
    """Return a treated account and one in the control."""
    arms = assigned_arms(session)
    return tuple(min(a for a in arms if arms[a] == arm) for arm in ("treated", "control"))  # type: ignore[return-value]


@pytest.fixture
def running(client: TestClient, session: Session) -> str:
    """Assign 60 accounts on one day; return the id of the experiment."""
    crowd = create_accounts(session)
    key = start_experiment(client, session, arms=HALF, horizon_days=30)
    refresh(session, *crowd)
    session.commit()
    return key


@pytest.mark.parametrize("order", [1, -1])
def test_a_merge_keeps_both_accounts_in_their_arms(
    client: TestClient,
    session: Session,
    sessions: SessionFactory,
    running: str,
    order: int,
) -> None:
    before = sizes(client, running)
    old, into = one_of_each_arm(session)[::order]

    move_account(client, sessions, old, "merge", into=into)

    assert sizes(client, running) == before
    assert sum(before.values()) == 60


def test_each_account_of_a_chain_of_merges_counts(
    client: TestClient, session: Session, sessions: SessionFactory, running: str
) -> None:
    before = sizes(client, running)

    move_account(client, sessions, "a000", "merge", into="a001")
    move_account(client, sessions, "a001", "merge", into="a002")
    move_account(client, sessions, "a002", "rename", account_id="one")

    assert sizes(client, running) == before
    rows = session.scalars(select(Assignment).where(Assignment.account_id == "one"))
    assert len(rows.all()) == 3


def test_merged_accounts_are_decided_by_the_outcome_of_the_account_that_stays(
    client: TestClient, session: Session, sessions: SessionFactory, running: str
) -> None:
    before = sizes(client, running)
    treated, control = one_of_each_arm(session)
    move_account(client, sessions, treated, "merge", into=control)
    for account_id in {*assigned_arms(session)}:
        status = "churned" if account_id == control else "ok"
        record_history(session, account_id, TODAY + timedelta(days=30), score=40.0, status=status)
    session.commit()

    while evaluate_outcomes(sessions, now=NOW + timedelta(days=31)):
        pass

    assert sizes(client, running, "decided") == before
    session.expire_all()
    lost = session.execute(select(Assignment.arm).where(Assignment.success.is_(False)))
    assert sorted(lost.scalars()) == ["control", "treated"]


@pytest.mark.parametrize(
    ("first", "suggested"), [("treated", ["find_next_champion"]), ("control", [])]
)
def test_a_merged_account_is_treated_like_its_first_arm(
    client: TestClient,
    session: Session,
    sessions: SessionFactory,
    first: str,
    suggested: list[str],
) -> None:
    crowd = create_accounts(session)
    start_experiment(client, session, arms=HALF)
    refresh(session, *crowd)
    arms = assigned_arms(session)
    old, into = one_of_each_arm(session)[:: 1 if first == "treated" else -1]
    later = TODAY + timedelta(days=1)
    session.execute(
        update(Assignment).where(Assignment.account_id == into).values(assigned_on=later)
    )
    session.commit()

    move_account(client, sessions, old, "merge", into=into)
    refresh(session, into, days=2)

    assert arms[old] == first
    assert suggested_playbooks(session, into) == suggested


def test_an_account_merged_into_one_outside_of_the_experiment_brings_its_arm(
    client: TestClient, session: Session, sessions: SessionFactory, running: str
) -> None:
    before = sizes(client, running)
    _, control = one_of_each_arm(session)
    create_account(session, "new", "champion_inactive")
    session.commit()

    move_account(client, sessions, control, "merge", into="new")
    refresh(session, "new", days=1)
    session.commit()

    assert sizes(client, running) == before
    assert suggested_playbooks(session, "new") == []


@pytest.mark.parametrize("verb", ["rename", "merge"])
def test_children_join_the_arm_of_their_family_whatever_became_of_its_root(
    client: TestClient, session: Session, sessions: SessionFactory, verb: str
) -> None:
    create_account(session, "top", "champion_inactive")
    create_account(session, "spare")
    key = start_experiment(client, session, arms=HALF)
    refresh(session, "top")
    session.commit()
    root = "spare" if verb == "merge" else "fresh"
    body = {"into": root} if verb == "merge" else {"account_id": root}
    move_account(client, sessions, "top", verb, **body)
    children = [f"child{number}" for number in range(6)]
    for child in children:
        create_account(session, child, "champion_inactive", parent_id=root)

    refresh(session, *children, days=1)
    session.commit()

    assert len(set(assigned_arms(session).values())) == 1
    assert session.scalar(select(func.count(Assignment.family.distinct()))) == 1
    assert sum(sizes(client, key).values()) == 1


def test_children_of_an_assigned_account_under_a_new_parent_keep_its_arm(
    client: TestClient, session: Session
) -> None:
    create_account(session, "first", "champion_inactive")
    key = start_experiment(client, session, arms=HALF)
    refresh(session, "first")
    create_account(session, "holding")
    session.execute(
        update(Account).where(Account.account_id == "first").values(parent_id="holding")
    )
    siblings = [f"sibling{number}" for number in range(6)]
    for each in siblings:
        create_account(session, each, "champion_inactive", parent_id="holding")

    refresh(session, *siblings, days=1)
    session.commit()

    assert len(set(assigned_arms(session).values())) == 1
    assert client.get(f"{PATH}/{key}/results").json()["contaminated"] == []


def test_what_was_done_for_the_merged_account_in_its_arm_is_no_contamination_of_the_control(
    client: TestClient, session: Session, sessions: SessionFactory, running: str
) -> None:
    treated, control = one_of_each_arm(session)
    client.post(
        "/api/v1/interventions", json={"account_id": treated, "playbook": "find_next_champion"}
    )

    move_account(client, sessions, treated, "merge", into=control)

    [found] = client.get(f"{PATH}/{running}/results").json()["contaminated"]
    assert found == {"account_id": control, "arm": "treated", "why": "family_in_two_arms"}
