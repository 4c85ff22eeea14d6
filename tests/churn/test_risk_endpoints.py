"""Churn risk from the refresh to the HTTP response."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.churn.model import artifacts
from app.churn.model.drivers import signal_of_column
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.model.levels import ModelStage
from app.churn.model.linear import Linear
from app.churn.model.model import Model
from app.churn.registry import model_queries
from app.churn.scoring import risk_queries, service
from app.churn.training import observations
from app.features.table import event_names_in
from app.features.table_queries import load_feature_table
from app.tables import ChurnRisk, ChurnRiskHistory
from tests import factories
from tests.churn.workspaces import UNTIL, add_usage, create_customers, observe_panel
from tests.conftest import NOW

TODAY = NOW.date()


def refresh(session: Session, *account_ids: str, days: int = 0) -> None:
    now = NOW + timedelta(days=days)
    service.refresh(session, "acme", account_ids, as_of=now.date(), now=now)
    session.flush()


def get_risk(client: TestClient, account_id: str = "a0", **params: Any) -> Any:  # noqa: ANN401
    answer = client.get(f"/api/v1/accounts/{account_id}/churn-risk", params=params)
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture
def company(session: Session) -> None:
    """Create three active accounts, one of them silent for seven weeks, and one churned account."""
    create_customers(session, stay=2, leave=1)
    factories.account(session, "quiet")
    began = date(2025, 8, 1)
    factories.subscription(
        session, "quiet", starts_on=began, known_on=began, mrr_cents=500_00, renewal_on=None
    )
    add_usage(session, "quiet", began, UNTIL - timedelta(days=49))
    session.commit()


@pytest.mark.usefixtures("company")
def test_rules_give_a_level_and_a_rank_without_a_probability(
    client: TestClient, session: Session
) -> None:
    refresh(session, "a0", "a1", "a2", "quiet")
    found = get_risk(client, "quiet")

    assert (found["probability"], found["method"], found["stage"]) == (None, "rules", "rules")
    assert (found["level"], found["rank"], found["ranked_accounts"]) == ("high", 1, 3)
    assert (found["as_of"], found["horizon_days"]) == (UNTIL.isoformat(), 90)
    assert found["horizon_basis"] == "subscription"
    assert (found["probability_low"], found["probability_high"]) == (None, None)
    assert found["revenue_at_risk"] == {
        "cents": 12 * 150_00,
        "basis": "assumed",
        "low_cents": None,
        "high_cents": None,
    }
    assert "no probability is claimed." in found["confidence"]
    assert found["drivers"][0] == {
        "signal": "silence",
        "feature": "recency",
        "direction": "raises",
        "effect": 70.0,
        "value": 50.0,
        "before": 22.0,
        "peers_median": None,
        "text": "Days since the last use: 50; four weeks before: 22. This goes with a higher risk.",
    }
    assert get_risk(client, "a0")["level"] == "low"


@pytest.mark.parametrize(("others", "median"), [(16, None), (17, 1.0)])
@pytest.mark.usefixtures("company")
def test_peers_are_spoken_of_from_twenty_accounts_on(
    client: TestClient, session: Session, others: int, median: float | None
) -> None:
    """Beside the two that are used and the quiet one there are 16 or 17 more (issue 13, C4)."""
    for number in range(others):
        began = date(2025, 8, 1)
        factories.account(session, f"b{number}")
        factories.subscription(session, f"b{number}", starts_on=began, known_on=began)
        add_usage(session, f"b{number}", UNTIL - timedelta(days=9), UNTIL)

    refresh(session, "quiet")

    [silence] = [each for each in get_risk(client, "quiet")["drivers"] if each["effect"] == 70]
    assert silence["peers_median"] == median
    assert ("median of the others" in silence["text"]) is (median is not None)


@pytest.mark.usefixtures("company")
def test_a_churned_account_has_no_risk(client: TestClient, session: Session) -> None:
    refresh(session, "a2")
    found = get_risk(client, "a2")

    assert (found["status"], found["level"], found["rank"]) == ("churned", None, None)
    assert found["drivers"] == []


@pytest.mark.usefixtures("company")
def test_sentences_are_chinese_on_request(client: TestClient, session: Session) -> None:
    refresh(session, "quiet")

    assert "距上次使用的天数" in get_risk(client, "quiet", lang="zh")["drivers"][0]["text"]
    headers = {"Accept-Language": "zh-CN, en;q=0.5"}
    answer = client.get("/api/v1/accounts/quiet/churn-risk", headers=headers).json()
    assert "不给出概率" in answer["confidence"]


@pytest.mark.usefixtures("company")
def test_an_account_that_is_not_scored_yet_has_an_empty_risk(
    client: TestClient,
) -> None:
    found = get_risk(client, "a0")

    assert (found["status"], found["level"], found["drivers"]) == (None, None, [])


def test_an_unknown_account_is_404(client: TestClient) -> None:
    assert client.get("/api/v1/accounts/nobody/churn-risk").status_code == 404
    assert client.get("/api/v1/accounts/nobody/churn-risk/history").status_code == 404


def insert_trained_model(session: Session, stage: ModelStage = ModelStage.EXPERIMENTAL) -> Model:
    """Train a small model on the workspace's own past, and activate it."""
    panel = observe_panel(session)
    model = Model(panel.names, 90, (Linear.fit(panel.x, panel.y),))
    artifact = artifacts.dump(model)
    row = model_queries.insert_model(
        session,
        "acme",
        state="active",
        stage=stage,
        horizon_days=90,
        data_through=UNTIL,
        known_through=UNTIL,
        card={"data": {"rows": len(panel), "churned_rows": int(panel.y.sum())}},
        head=artifact.head,
        trees=artifact.trees,
        sha256=artifact.sha256,
        created_at=factories.LONG_AGO,
        created_by="test",
    )
    return replace(model, version=row.version)


@pytest.fixture
def active_model(session: Session) -> Model:
    create_customers(session, stay=6, leave=3)
    model = insert_trained_model(session)
    session.commit()
    return model


def test_a_model_predicts_from_the_same_row_as_in_training(
    client: TestClient, session: Session, active_model: Model
) -> None:
    refresh(session, "a0", "a1")
    found = get_risk(client)

    horizon = Horizon(90, HorizonBasis.SUBSCRIPTION)
    names = event_names_in(active_model.names)
    spec = observations.build_table_spec(
        session, "acme", as_of=UNTIL, horizon=horizon, event_names=names
    )
    x = load_feature_table(session, "acme", [("a0", UNTIL)], spec=spec).x
    assert spec.names == active_model.names
    assert found["probability"] == active_model.predict(x)[0]
    assert (found["method"], found["stage"]) == ("model", "experimental")
    assert found["model_version"] == active_model.version
    assert found["revenue_at_risk"] == {
        "cents": round(12 * 100_00 * found["probability"]),
        "basis": "probability",
        "low_cents": round(12 * 100_00 * found["probability_low"]),
        "high_cents": round(12 * 100_00 * found["probability_high"]),
    }


def test_the_drivers_of_a_model_are_its_contributions(
    client: TestClient, session: Session, active_model: Model
) -> None:
    refresh(session, "a0")
    found = get_risk(client)["drivers"]

    table = load_feature_table(
        session,
        "acme",
        [("a0", UNTIL)],
        spec=observations.build_table_spec(
            session,
            "acme",
            as_of=UNTIL,
            horizon=Horizon(90, HorizonBasis.SUBSCRIPTION),
            event_names=event_names_in(active_model.names),
        ),
    )
    by_signal: dict[str, float] = {}
    for name, value in zip(active_model.names, active_model.contributions(table.x)[0], strict=True):
        by_signal[signal_of_column(name)] = by_signal.get(signal_of_column(name), 0) + float(value)
    strongest = sorted(by_signal.values(), key=abs, reverse=True)[:5]
    assert [each["effect"] for each in found] == [round(value, 4) for value in strongest]


def test_a_day_is_scored_once_for_each_model(session: Session) -> None:
    create_customers(session, stay=6, leave=3)
    refresh(session, "a0")
    first = session.get_one(ChurnRisk, ("acme", "a0")).computed_at

    service.refresh(session, "acme", ["a0"], as_of=TODAY, now=NOW + timedelta(hours=2))
    session.expire_all()
    assert session.get_one(ChurnRisk, ("acme", "a0")).computed_at == first

    insert_trained_model(session)
    service.refresh(session, "acme", ["a0"], as_of=TODAY, now=NOW + timedelta(hours=3))
    session.expire_all()
    again = session.get_one(ChurnRisk, ("acme", "a0"))
    assert (again.computed_at, again.stage) == (NOW + timedelta(hours=3), "experimental")


def test_imported_history_marks_risks_outdated(session: Session) -> None:
    create_customers(session)
    refresh(session, "a0")

    risk_queries.mark_all_outdated(session, "acme")

    assert risk_queries.list_outdated(session, "acme", ["a0"], day=UNTIL, version=None) == ["a0"]


def test_past_days_are_not_scored(session: Session) -> None:
    create_customers(session)

    service.refresh(session, "acme", ["a0"], as_of=TODAY - timedelta(days=1), now=NOW)

    assert session.query(ChurnRisk).count() == 0


@pytest.mark.usefixtures("company")
def test_the_history_has_the_days_on_which_the_risk_moved(
    client: TestClient, session: Session
) -> None:
    for days in range(4):
        refresh(session, "a0", "quiet", days=days)
    session.commit()
    path = "/api/v1/accounts/a0/churn-risk/history"
    until = (TODAY + timedelta(days=9)).isoformat()

    page = client.get(path, params={"until": until, "limit": 1}).json()
    rest = client.get(path, params={"until": until, "cursor": page["next_cursor"]}).json()

    found = page["items"] + rest["items"]
    assert [each["as_of"] for each in found] == sorted({each["as_of"] for each in found})
    assert found[0]["as_of"] == UNTIL.isoformat()
    assert len(found) == 4, "its silence grows by a day each day"
    assert session.query(ChurnRiskHistory).filter_by(account_id="quiet").count() == 1
    assert client.get(path, params={"cursor": "x"}).status_code == 404


def test_the_outlook_of_a_later_renewal_is_at_renewal(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    factories.account(session, "a0")
    renewal = UNTIL + timedelta(days=200)
    began = date(2025, 9, 1)
    factories.subscription(session, "a0", starts_on=began, known_on=began, renewal_on=renewal)
    add_usage(session, "a0", began, UNTIL)
    session.commit()
    refresh(session, "a0")

    found = get_risk(client)

    assert (found["outlook"], found["renewal_on"]) == ("at_renewal", renewal.isoformat())
