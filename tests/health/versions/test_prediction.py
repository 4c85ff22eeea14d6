"""What the scores of a version are worth as a prediction of churn."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.churn.model import rules_reason
from app.health.versions import prediction
from app.jobs import service as jobs
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW

PATH = "/api/v1/scorecards"


def add_backtest(
    session: Session, *, hour: int = 0, since: str | None = None, **auc: tuple[float, int]
) -> None:
    """Add a finished backtest of versions, as ``v2=(AUC, churned accounts)``."""
    results: list[dict[str, Any]] = [
        {
            "kind": "scorecard",
            "key": version.removeprefix("v"),
            "horizon_days": 90,
            "rows": 100,
            "churned_accounts": churned,
            "auc": value,
            "auc_of_recency": 0.6,
            "compared_with_model": None,
            "bands": [{"band": "watch", "rows": 100, "churned_rows": 9, "churned_share": 0.09}],
        }
        for version, (value, churned) in auc.items()
    ]
    subjects = [{name: each[name] for name in ("kind", "key")} for each in results]
    config = {"subjects": subjects, "since": since, "until": "2026-01-01"}
    job = jobs.enqueue(
        session, Actor("acme", "test", NOW + timedelta(hours=hour)), prediction.BACKTEST, config
    )
    job.state, job.progress = "done", {"results": results}
    session.commit()


def get_prediction(client: TestClient, version: int) -> Any:  # noqa: ANN401
    return client.get(f"{PATH}/{version}").json()["prediction"]


def simulate(client: TestClient, version: int) -> Any:  # noqa: ANN401
    return client.post(f"{PATH}/{version}/simulate").json()["prediction"]


def test_a_version_shows_its_newest_backtest_over_all_days(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    assert get_prediction(client, 1)["reason"] == "not_tested"

    add_backtest(session, v1=(0.7, 9))
    add_backtest(session, v1=(0.8, 9), hour=1)
    add_backtest(session, v1=(0.9, 9), hour=2, since="2025-12-01")
    found = get_prediction(client, 1)

    assert (found["reason"], found["auc"], found["auc_of_recency"]) == (None, 0.8, 0.6)
    assert found["bands"][0]["churned_share"] == 0.09


def test_too_few_churned_accounts_give_no_figure(client: TestClient, session: Session) -> None:
    factories.account(session, "a1")
    add_backtest(session, v1=(0.9, 7))

    found = get_prediction(client, 1)

    assert (found["reason"], found["churned_accounts"]) == ("too_few_churned", 7)
    assert (found["auc"], found["bands"]) == (None, [])
    assert prediction.MIN_CHURNED == rules_reason.MIN_CHURNED


def test_a_simulation_shows_the_change_by_a_backtest_of_both_versions(
    client: TestClient, session: Session
) -> None:
    """The AUC rises from .7 to .75. Tests of each version alone are on other days."""
    factories.scorecard(session, {}, version=2)
    session.commit()
    assert client.post(PATH, json={"name": "Draft"}).json()["version"] == 3
    add_backtest(session, v2=(0.7, 9))
    add_backtest(session, v3=(0.9, 9), hour=1)
    alone = simulate(client, 3)
    add_backtest(session, v2=(0.7, 9), v3=(0.75, 9), hour=2)
    both = simulate(client, 3)

    assert (alone["reason"], alone["auc_change"]) == ("not_tested", None)
    assert (both["reason"], both["auc_change"]) == (None, 0.05)
    assert (both["before"]["auc"], both["after"]["auc"]) == (0.7, 0.75)
