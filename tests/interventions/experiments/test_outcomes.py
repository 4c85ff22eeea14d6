"""The results of experiments after their horizon, and how experiments end."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.interventions.outcome_job import evaluate_outcomes
from app.tables import Account, AccountSignal, Assignment, Experiment
from tests import factories
from tests.conftest import NOW
from tests.interventions.experiments.scenario import (
    ACCOUNT_IDS,
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


@pytest.fixture
def crowd(session: Session) -> list[str]:
    return create_accounts(session)


def run_to_horizon(
    client: TestClient,
    session: Session,
    sessions: SessionFactory,
    crowd: list[str],
    *,
    lost: dict[str, int],
) -> str:
    """Let a horizon of 30 days pass; by then so many accounts of each arm have churned."""
    key = start_experiment(
        client, session, arms=[{"arm": "treated", "share": 0.5}], horizon_days=30
    )
    refresh(session, *crowd)
    remaining = dict(lost)
    for account_id, arm in sorted(assigned_arms(session).items()):
        record_history(session, account_id, TODAY, score=40.0)
        has_churned = remaining[arm] > 0
        remaining[arm] -= has_churned
        record_history(
            session,
            account_id,
            TODAY + timedelta(days=30),
            score=40.0,
            status="churned" if has_churned else "ok",
        )
    session.commit()
    while evaluate_outcomes(sessions, now=NOW + timedelta(days=31)):
        pass
    session.expire_all()
    return key


def test_results_count_all_assigned_accounts_whatever_was_done(
    client: TestClient, session: Session, sessions: SessionFactory, crowd: list[str]
) -> None:
    key = run_to_horizon(client, session, sessions, crowd, lost={"treated": 2, "control": 10})

    results = client.get(f"{PATH}/{key}/results").json()

    by_arm = {each["arm"]: each for each in results["arms"]}
    sizes = {
        arm: list(assigned_arms(session).values()).count(arm) for arm in ("treated", "control")
    }
    assert {arm: each["decided"] for arm, each in by_arm.items()} == sizes
    assert by_arm["treated"]["rate"] == pytest.approx(1 - 2 / sizes["treated"])
    assert by_arm["control"]["rate"] == pytest.approx(1 - 10 / sizes["control"])
    interval = by_arm["treated"]["against_control"]
    assert interval["low"] < interval["difference"] < interval["high"]
    assert results["verdict"] == "ok"
    assert results["sample_ratio_p"] > 0.001


def test_an_assigned_account_that_renews_within_the_grace_is_a_success(
    client: TestClient, session: Session, sessions: SessionFactory, crowd: list[str]
) -> None:
    """Two contracts end a day before the horizon; one is renewed after 20 days."""
    start_experiment(client, session, arms=[{"arm": "treated", "share": 0.5}], horizon_days=30)
    refresh(session, *crowd)
    due_on = TODAY + timedelta(days=30)
    ended_on = due_on - timedelta(days=1)
    for account_id in assigned_arms(session):
        lapsed = account_id in crowd[:2]
        end, status = (ended_on, "churned") if lapsed else (None, "ok")
        record_history(session, account_id, due_on, score=4.0, status=status, paid_until=end)
        record_history(session, account_id, ended_on + timedelta(days=31), score=4.0)
        factories.subscription(session, account_id, ends_on=end)
    renewed_on = ended_on + timedelta(days=20)
    factories.subscription(session, crowd[0], starts_on=renewed_on, known_on=renewed_on)
    session.commit()

    def decided() -> dict[str, bool]:
        session.expire_all()
        rows = session.scalars(select(Assignment).where(Assignment.success.is_not(None)))
        return {row.account_id: bool(row.success) for row in rows}

    for days in (31, 60):
        while evaluate_outcomes(sessions, now=NOW + timedelta(days=days)):
            pass
        assert decided().keys() == {*crowd[2:]}
    evaluate_outcomes(sessions, now=NOW + timedelta(days=61))

    assert decided() == dict.fromkeys(crowd, True) | {crowd[1]: False}


def test_before_the_horizon_there_are_no_rates(
    client: TestClient, session: Session, sessions: SessionFactory, crowd: list[str]
) -> None:
    key = start_experiment(client, session)
    refresh(session, *crowd)
    session.commit()
    evaluate_outcomes(sessions, now=NOW + timedelta(days=60))

    results = client.get(f"{PATH}/{key}/results").json()

    assert results["verdict"] == "insufficient_sample"
    assert all(each["rate"] is None and each["decided"] == 0 for each in results["arms"])
    assert sum(each["assigned"] for each in results["arms"]) == len(crowd)


def test_measured_uplifts_enter_the_ranking(
    client: TestClient, session: Session, sessions: SessionFactory, crowd: list[str]
) -> None:
    run_to_horizon(client, session, sessions, crowd, lost={"treated": 0, "control": 20})
    create_account(session, "new", "champion_inactive")
    session.execute(update(Experiment).values(state="stopped"))

    refresh(session, "new")
    session.commit()

    [item] = client.get("/api/v1/accounts/new/suggestions").json()["items"]
    assert (item["effect"]["evidence"], item["effect"]["n"]) == ("measured", 60)
    assert item["effect"]["churn_removed_share"] > 0.30 * 0.8


def test_another_metric_than_retained_moves_no_uplift(
    client: TestClient, session: Session, sessions: SessionFactory, crowd: list[str]
) -> None:
    run_to_horizon(client, session, sessions, crowd, lost={"treated": 0, "control": 20})
    success = Experiment.config.op("||")({"metric": "success"})
    session.execute(update(Experiment).values(state="stopped", config=success))
    create_account(session, "new", "champion_inactive")

    refresh(session, "new")
    session.commit()

    [item] = client.get("/api/v1/accounts/new/suggestions").json()["items"]
    assert (item["effect"]["evidence"], item["effect"]["n"]) == ("prior", 0)


def test_contaminated_accounts_are_listed(client: TestClient, session: Session) -> None:
    for account_id in ACCOUNT_IDS:
        create_account(session, account_id, "champion_inactive")
    key = start_experiment(client, session, arms=[{"arm": "treated", "share": 0.5}])
    refresh(session, *ACCOUNT_IDS)
    session.commit()
    control = sorted(
        account_id for account_id, arm in assigned_arms(session).items() if arm == "control"
    )
    treated = sorted(set(ACCOUNT_IDS) - set(control))

    client.post(
        "/api/v1/interventions", json={"account_id": control[0], "playbook": "find_next_champion"}
    )
    client.post(
        "/api/v1/interventions", json={"account_id": treated[0], "playbook": "find_next_champion"}
    )
    session.execute(
        update(Account).where(Account.account_id == control[1]).values(parent_id=treated[1])
    )
    session.commit()
    results = client.get(f"{PATH}/{key}/results").json()["contaminated"]

    assert {(each["account_id"], each["arm"], each["why"]) for each in results} == {
        (control[0], "control", "treated_in_control"),
        (control[1], "control", "family_in_two_arms"),
    }


def test_roll_out_changes_the_playbook_for_all_accounts(
    client: TestClient, session: Session, crowd: list[str]
) -> None:
    key = start_experiment(
        client, session, arms=[{"arm": "by_post", "share": 0.5, "changes": {"channel": "post"}}]
    )
    refresh(session, *crowd)
    session.commit()

    undecided = client.post(f"{PATH}/{key}/roll-out", json={})
    wrong = client.post(f"{PATH}/{key}/roll-out", json={"arm": "control"})
    rolled_out = client.post(f"{PATH}/{key}/roll-out", json={"arm": "by_post"}).json()
    refresh(session, *crowd)

    assert (undecided.status_code, undecided.json()["code"]) == (409, "no_winner")
    assert wrong.status_code == 409
    assert (rolled_out["state"], rolled_out["winner"]) == ("rolled_out", "by_post")
    playbook = client.get("/api/v1/playbooks/find_next_champion").json()
    assert (playbook["origin"], playbook["playbook"]["channel"]) == ("changed", "post")
    assert all(suggested_playbooks(session, account_id) for account_id in crowd)


def test_roll_out_without_a_name_takes_the_winner(
    client: TestClient, session: Session, sessions: SessionFactory, crowd: list[str]
) -> None:
    key = run_to_horizon(client, session, sessions, crowd, lost={"treated": 0, "control": 25})

    rolled_out = client.post(f"{PATH}/{key}/roll-out").json()

    assert (rolled_out["state"], rolled_out["winner"]) == ("rolled_out", "treated")


def test_the_metric_success_uses_the_criterion_of_the_playbook(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    create_account(session, "a1", "price_rise")
    create_account(session, "a2", "price_rise")
    start_experiment(client, session, playbook="right_size", metric="success", horizon_days=7)
    refresh(session, "a1", "a2")
    for account_id in ("a1", "a2"):
        record_history(session, account_id, TODAY + timedelta(days=7), score=40.0)
    session.execute(
        update(AccountSignal).where(AccountSignal.account_id == "a1").values(cleared_at=NOW)
    )
    session.commit()

    evaluate_outcomes(sessions, now=NOW + timedelta(days=8))

    session.expire_all()
    rows = session.execute(select(Assignment.account_id, Assignment.success))
    assert dict(rows.all()) == {"a1": True, "a2": False}
