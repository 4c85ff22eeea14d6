"""Backtests of rules on histories that are written day by day."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.tables import Account, HealthHistory, HealthScore
from tests import factories
from tests.alerts.scenario import activate_rule
from tests.conftest import NOW

TODAY = NOW.date()


def write_history(session: Session, account_id: str, scores: list[float | None]) -> None:
    """Write one day for each score, the last one today; None: the account has churned by then."""
    factories.account(session, account_id)
    first = TODAY - timedelta(days=len(scores) - 1)
    rows = [
        {
            "workspace_id": "acme",
            "account_id": account_id,
            "as_of": first + timedelta(days=number),
            "change": 0,
            "score": score,
            "band": "unknown",
            "status": "churned" if score is None else "ok",
            "coverage": 1.0,
            "mrr_cents": 100_00,
            "details": {"measures": [], "definition": "d", "benchmark_id": "b"},
            "computed_at": NOW,
        }
        for number, score in enumerate(scores)
    ]
    session.execute(insert(HealthHistory), rows)
    churned_days = [row["as_of"] for row in rows if row["score"] is None]
    details = {"inputs": {"paid_until": str(churned_days[0])}} if churned_days else {}
    session.add(
        HealthScore(
            workspace_id="acme",
            account_id=account_id,
            status="churned" if churned_days else "ok",
            details=details,
        )
    )
    session.flush()


def backtest(client: TestClient, **body: Any) -> dict[str, Any]:  # noqa: ANN401
    response = client.post("/api/v1/alert-rules/low/backtest", json=body)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


def test_a_backtest_counts_alerts_caught_accounts_lead_time_and_false_alarms(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    write_history(session, "caught", [80, 80, 30, 30, 20, 10, None, None])
    write_history(session, "missed", [80, 80, 80, 80, 80, 80, None, None])
    write_history(session, "alarm", [80, 30, 42, 39, 80, 30, 80, 80])
    write_history(session, "calm", [80] * 8)
    write_history(session, "gone", [None] * 8)
    session.commit()

    result = backtest(client, days=8)

    assert (result["accounts"], result["of_accounts"], result["churned"]) == (4, 5, 2)
    assert (result["alerts"], result["accounts_alerted"]) == (3, 2)
    assert (result["caught"], result["days_before_median"]) == (1, 4)
    assert result["caught_accounts"] == [
        {"account_id": "caught", "churned_on": str(TODAY - timedelta(days=1)), "days_before": 4}
    ]
    assert (result["false_alarms"], result["alerts_per_account"]) == (2, 0.75)


def test_an_account_churns_when_it_stops_paying_not_at_its_next_history_row(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    write_history(session, "weekly", [60, 20, 20, 20, 20, 20, 20, None])
    churned_on = TODAY - timedelta(days=3)
    details = {"inputs": {"paid_until": str(churned_on)}}
    session.execute(update(HealthScore).values(details=details))
    session.execute(
        update(HealthHistory).where(HealthHistory.status == "churned").values(details=details)
    )

    result = backtest(client)

    assert result["caught_accounts"] == [
        {"account_id": "weekly", "churned_on": str(churned_on), "days_before": 3}
    ]


def test_for_seconds_counts_in_evaluated_days(client: TestClient, session: Session) -> None:
    two_days = 2 * 86400
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, for_seconds=two_days
    )
    write_history(session, "short", [80, 30, 30, 80, 80, 80])
    write_history(session, "long", [80, 30, 30, 30, 80, 80])
    session.commit()

    assert backtest(client, days=6)["alerts"] == 1


def test_a_filter_matches_churned_accounts_too(client: TestClient, session: Session) -> None:
    account_filter = {"owner": "kim"}
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, filter=account_filter
    )
    write_history(session, "churned", [80, 30, None])
    write_history(session, "other", [80, 30, None])
    session.execute(update(Account).where(Account.account_id == "churned").values(owner="kim"))
    session.commit()

    result = backtest(client, days=3)

    assert [each["account_id"] for each in result["caught_accounts"]] == ["churned"]
    assert result["accounts"] == 1


def test_a_filter_of_the_maximum_depth_or_size_can_be_backtested(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    write_history(session, "a1", [80, 30])
    session.commit()
    config = {"name": "low", "signal": "health_score", "operator": "below", "fire_at": 40}
    deep: dict[str, Any] = {"owner": "kim"}
    for _ in range(7):
        deep = {"not": deep}

    for account_filter in ({"and": [{"owner": None}] * 100}, deep):
        response = client.put("/api/v1/alert-rules/low", json=config | {"filter": account_filter})
        assert response.status_code == 200, response.text
        assert backtest(client, days=2)["alerts"] == 1


def test_a_backtest_writes_nothing_and_days_without_history_are_empty(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    session.commit()

    result = backtest(client)

    assert (result["accounts"], result["alerts"], result["days_before_median"]) == (0, 0, None)
    assert client.get("/api/v1/alerts").json()["items"] == []
