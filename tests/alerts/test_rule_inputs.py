"""Rules on named signals and churn risk read what these stages store, now and on past days."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.alerts import service
from app.alerts.service import EvaluationRun
from app.health.scoring import service as health
from app.tables import AccountSignal, ChurnRisk, ChurnRiskHistory, HealthHistory
from tests import factories
from tests.alerts.scenario import activate_rule, create_accounts, sent_messages, stored_alerts
from tests.conftest import NOW

DAY = timedelta(days=1)
TODAY = NOW.date()
DRIVER = {"signal": "silence", "feature": "recency", "effect": 0.8, "value": 24.0}


def evaluate(session: Session, *account_ids: str, days: int = 0) -> None:
    """Evaluate rules directly after the scores, without signals and risks in between."""
    now = NOW + days * DAY
    scored = health.refresh(session, "acme", account_ids, as_of=now.date(), now=now)
    service.refresh(session, scored, EvaluationRun("acme", now.date(), now))


def insert_signal(session: Session, account_id: str, name: str, **columns: Any) -> None:  # noqa: ANN401
    defaults: dict[str, Any] = {
        "severity": "high",
        "since": TODAY,
        "evidence": {},
        "opened_at": NOW,
        "changed_at": NOW,
        "key": "",
    }
    key = {"workspace_id": "acme", "account_id": account_id, "signal": name}
    session.add(AccountSignal(**key, **(defaults | columns)))
    session.flush()


def insert_risk(
    session: Session, account_id: str, level: str, *, model: int | None = 1, days: int = 0
) -> None:
    """Store a risk as of the last closed day."""
    day = TODAY + (days - 1) * DAY
    probability = {"low": 0.1, "medium": 0.3, "high": 0.7}[level] if model else None
    details = {"drivers": [DRIVER | {"before": 3.0, "peers": 2.0}]}
    columns: dict[str, Any] = {
        "workspace_id": "acme",
        "account_id": account_id,
        "as_of": day,
        "status": "ok",
        "level": level,
        "probability": probability,
        "risk": probability or 0.5,
        "stage": "trusted" if model else "rules",
        "model_version": model,
        "horizon_days": 90,
        "revenue_at_risk_cents": round((probability or 0) * 1200_00),
        "details": details,
        "computed_at": NOW,
    }
    session.merge(ChurnRisk(**columns, mrr_cents=100))
    session.merge(ChurnRiskHistory(**columns))
    session.flush()


def test_a_named_signal_opens_an_alert_with_its_own_sentence(session: Session) -> None:
    activate_rule(session, "slow", signal="signal:first_value_late", operator="above")
    create_accounts(session, "a1", "a2")
    evaluate(session, "a1", "a2", days=-1)
    evidence = {"days": 40, "signed_up_on": "2026-02-06"}
    insert_signal(session, "a1", "first_value_late", evidence=evidence)

    evaluate(session, "a1", "a2")

    [(_, data)] = sent_messages(session)
    assert (data["account_id"], data["current"]) == ("a1", 1)
    assert data["drivers"][0].startswith("Signed up 40 days ago (2026-02-06)")
    session.execute(update(AccountSignal).values(cleared_at=NOW + DAY))
    evaluate(session, "a1", days=1)
    assert [alert.resolution for alert in stored_alerts(session)] == ["recovered"]


def test_a_signal_that_is_absent_for_days_opens_an_alert(session: Session) -> None:
    activate_rule(session, "quiet", signal="signal:milestone", operator="absent_for", fire_at=2)
    create_accounts(session, "a1", "a2")
    insert_signal(session, "a2", "milestone")

    for days in range(3):
        evaluate(session, "a1", "a2", days=days)

    assert [alert.account_id for alert in stored_alerts(session)] == ["a1"]


def test_a_high_risk_opens_an_alert_with_its_drivers(session: Session) -> None:
    activate_rule(session, "risky", signal="churn_risk", operator="enters_band", band="high")
    create_accounts(session, "a1")
    insert_risk(session, "a1", "medium")
    evaluate(session, "a1")
    insert_risk(session, "a1", "high", days=1)

    evaluate(session, "a1", days=1)

    [(_, data)] = sent_messages(session)
    assert (data["previous"], data["current"], data["threshold"]) == ("medium", "high", "high")
    assert (data["direction"], data["model_version"]) == ("up", "1")
    [driver] = data["drivers"]
    assert driver.startswith("Days since the last use: 24")
    assert driver.endswith("This goes with a higher risk.")
    assert data["revenue_at_risk_cents"] == round(0.7 * 1200_00)


def test_a_new_model_alone_opens_nothing_unless_on_config_change_is_set(session: Session) -> None:
    for key, on_config_change in (("level", False), ("any_change", True)):
        config = {"signal": "churn_risk", "operator": "enters_band", "band": "high"}
        activate_rule(session, key, **config, on_config_change=on_config_change)
    activate_rule(session, "number", signal="churn_risk", operator="above", fire_at=0.5)
    create_accounts(session, "a1")
    insert_risk(session, "a1", "medium")
    evaluate(session, "a1")
    insert_risk(session, "a1", "high", model=2, days=1)

    for days in (1, 2):
        evaluate(session, "a1", days=days)
    assert [alert.rule_key for alert in stored_alerts(session)] == ["any_change"]

    insert_risk(session, "a1", "low", model=2, days=3)
    evaluate(session, "a1", days=3)
    insert_risk(session, "a1", "high", model=2, days=4)
    evaluate(session, "a1", days=4)
    opened = {alert.rule_key for alert in stored_alerts(session) if alert.resolved_at is None}
    assert opened == {"level", "any_change", "number"}


RISK_RULES: dict[str, dict[str, Any]] = {
    "level": {"signal": "churn_risk", "operator": "enters_band", "band": "high"},
    "number": {"signal": "churn_risk", "operator": "above", "fire_at": 0.5},
}


@pytest.mark.parametrize("days_before", [0, -1, None])
def test_the_first_model_alone_opens_nothing(session: Session, days_before: int | None) -> None:
    """The first model opened 62 alerts: before it there was no probability, or no risk (C6).

    ``days_before``: the first day with a risk by rules; the model takes over on day 0.
    """
    for key, config in RISK_RULES.items():
        activate_rule(session, key, **config)
    create_accounts(session, "a1")
    for days in range(days_before if days_before is not None else 1, 1):
        insert_risk(session, "a1", "medium", model=None, days=days)
        evaluate(session, "a1", days=days)
    factories.churn_model(session, activated_at=NOW)

    for days in (0, 1, 2):
        insert_risk(session, "a1", "high", model=1, days=days)
        evaluate(session, "a1", days=days)
    assert stored_alerts(session) == []

    for days, level in ((3, "low"), (4, "high")):
        insert_risk(session, "a1", level, model=1, days=days)
        evaluate(session, "a1", days=days)
    assert {alert.rule_key for alert in stored_alerts(session)} == {*RISK_RULES}


def test_rules_that_take_over_from_a_model_open_nothing(session: Session) -> None:
    activate_rule(session, "level", **RISK_RULES["level"])
    create_accounts(session, "a1")
    retired = factories.churn_model(session, activated_at=NOW - 9 * DAY)
    retired.state, retired.retired_at = "degraded", NOW
    insert_risk(session, "a1", "high", model=None)

    evaluate(session, "a1")

    assert stored_alerts(session) == []


def test_the_first_risk_of_an_account_by_an_old_model_opens_an_alert(session: Session) -> None:
    for key, config in RISK_RULES.items():
        activate_rule(session, key, **config)
    create_accounts(session, "a1")
    factories.churn_model(session, activated_at=NOW - 9 * DAY)
    insert_risk(session, "a1", "high", model=1)

    evaluate(session, "a1")

    assert {alert.rule_key for alert in stored_alerts(session)} == {*RISK_RULES}


def test_a_backtest_reads_past_risks(client: TestClient, session: Session) -> None:
    activate_rule(session, "risky", signal="churn_risk", operator="enters_band", band="high")
    factories.account(session, "a1")
    for days, level in ((-3, "low"), (-2, "high"), (-1, "low"), (0, "low")):
        insert_risk(session, "a1", level, days=days + 1)
        session.add(
            HealthHistory(
                workspace_id="acme",
                account_id="a1",
                as_of=TODAY + days * DAY,
                change=0,
                score=80,
                band="healthy",
                status="ok",
                coverage=1,
                mrr_cents=100,
                details={"measures": []},
                computed_at=NOW,
            )
        )
    create_accounts(session)
    health.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)
    session.commit()

    backtest = client.post("/api/v1/alert-rules/risky/backtest", json={"days": 4}).json()

    assert backtest["alerts"] == 1
