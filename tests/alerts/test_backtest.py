"""What a rule would have done, of histories that are written day by day."""

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


def history(session: Session, account_id: str, scores: list[float | None]) -> None:
    """Write one day for each score, the last one today; None: the account has left by then."""
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
    left_on = [row["as_of"] for row in rows if row["score"] is None]
    details = {"inputs": {"paid_until": str(left_on[0])}} if left_on else {}
    session.add(
        HealthScore(
            workspace_id="acme",
            account_id=account_id,
            status="churned" if left_on else "ok",
            details=details,
        )
    )
    session.flush()


def backtest(client: TestClient, **said: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = client.post("/api/v1/alert-rules/low/backtest", json=said)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_it_counts_alerts_who_was_caught_how_early_and_false_alarms(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    history(session, "caught", [80, 80, 30, 30, 20, 10, None, None])
    history(session, "missed", [80, 80, 80, 80, 80, 80, None, None])
    history(session, "alarm", [80, 30, 42, 39, 80, 30, 80, 80])
    history(session, "calm", [80] * 8)
    history(session, "gone", [None] * 8)
    session.commit()

    found = backtest(client, days=8)

    assert (found["accounts"], found["of_accounts"], found["churned"]) == (4, 5, 2)
    assert (found["alerts"], found["accounts_alerted"]) == (3, 2)
    assert (found["caught"], found["days_before_median"]) == (1, 4)
    assert found["caught_accounts"] == [
        {"account_id": "caught", "churned_on": str(TODAY - timedelta(days=1)), "days_before": 4}
    ]
    assert (found["false_alarms"], found["alerts_per_account"]) == (2, 0.75)


def test_an_account_left_when_it_stopped_paying_not_when_history_says_so_next(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    history(session, "weekly", [60, 20, 20, 20, 20, 20, 20, None])
    left = TODAY - timedelta(days=3)
    details = {"inputs": {"paid_until": str(left)}}
    session.execute(update(HealthScore).values(details=details))
    session.execute(
        update(HealthHistory).where(HealthHistory.status == "churned").values(details=details)
    )

    found = backtest(client)

    assert found["caught_accounts"] == [
        {"account_id": "weekly", "churned_on": str(left), "days_before": 3}
    ]


def test_hold_times_count_in_days_as_they_are_evaluated(
    client: TestClient, session: Session
) -> None:
    two_days = 2 * 86400
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, for_seconds=two_days
    )
    history(session, "short", [80, 30, 30, 80, 80, 80])
    history(session, "long", [80, 30, 30, 30, 80, 80])
    session.commit()

    assert backtest(client, days=6)["alerts"] == 1


def test_a_filter_lets_accounts_through_whether_they_have_left_or_not(
    client: TestClient, session: Session
) -> None:
    wanted = {"owner": "kim"}
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, filter=wanted
    )
    history(session, "left", [80, 30, None])
    history(session, "other", [80, 30, None])
    session.execute(update(Account).where(Account.account_id == "left").values(owner="kim"))
    session.commit()

    found = backtest(client, days=3)

    assert [each["account_id"] for each in found["caught_accounts"]] == ["left"]
    assert found["accounts"] == 1


def test_a_filter_of_as_many_levels_or_conditions_as_there_may_be_is_tried_too(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    history(session, "a1", [80, 30])
    session.commit()
    said = {"name": "low", "signal": "health_score", "operator": "below", "fire_at": 40}
    deep: dict[str, Any] = {"owner": "kim"}
    for _ in range(7):
        deep = {"not": deep}

    for wanted in ({"and": [{"owner": None}] * 100}, deep):
        answer = client.put("/api/v1/alert-rules/low", json=said | {"filter": wanted})
        assert answer.status_code == 200, answer.text
        assert backtest(client, days=2)["alerts"] == 1


def test_nothing_is_written_and_days_without_history_are_empty(
    client: TestClient, session: Session
) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    session.commit()

    found = backtest(client)

    assert (found["accounts"], found["alerts"], found["days_before_median"]) == (0, 0, None)
    assert client.get("/api/v1/alerts").json()["items"] == []
