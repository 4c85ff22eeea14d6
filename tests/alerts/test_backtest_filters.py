"""The filter of a backtested rule is judged on each past day by what was known then."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.tables import ChurnRiskHistory, HealthHistory, HealthScore
from tests import factories
from tests.alerts.scenario import activate_rule
from tests.alerts.test_backtest import backtest
from tests.conftest import NOW

TODAY = NOW.date()
DAYS = 10


def write(session: Session, key: str, days: list[dict[str, Any]], **today: Any) -> None:  # noqa: ANN401
    """Write a history, the last day today; ``today``: columns of the account as it is now."""
    factories.account(session, key, **today)
    defaults = {"score": 80.0, "band": "unknown", "status": "ok", "coverage": 1.0}
    rows = []
    for number, day in enumerate(days):
        inputs = day.pop("inputs", {})
        details = {"measures": [], "definition": "d", "benchmark_id": "b", "inputs": inputs}
        details |= day.pop("details", {})
        as_of = TODAY - timedelta(days=len(days) - 1 - number)
        row = {"workspace_id": "acme", "account_id": key, "as_of": as_of, "change": 0}
        row |= {"mrr_cents": 0, "computed_at": NOW, "details": details}
        rows.append(row | defaults | day)
    session.execute(insert(HealthHistory), rows)
    last = rows[-1]
    columns = {name: last[name] for name in ("score", "band", "status", "mrr_cents", "details")}
    session.add(HealthScore(workspace_id="acme", account_id=key, **columns))
    session.flush()


def churn(session: Session, key: str, before: dict[str, Any], **today: Any) -> None:  # noqa: ANN401
    """Write five good days, three bad ones and two after the churn."""
    first_day = str(TODAY - timedelta(days=1))
    gone = {"score": None, "status": "churned", "inputs": {"paid_until": first_day}}
    write(
        session,
        key,
        [
            *({"score": 80.0, **before} for _ in range(5)),
            *({"score": 30.0, **before} for _ in range(3)),
            *({**gone} for _ in range(2)),
        ],
        **today,
    )


def low(session: Session, filter_: dict[str, Any]) -> None:
    activate_rule(
        session, "low", signal="health_score", operator="below", fire_at=40, filter=filter_
    )
    session.commit()


def test_accounts_that_paid_then_are_caught_although_they_pay_nothing_today(
    client: TestClient, session: Session
) -> None:
    """Two paid 600, fell below 40 and left; one pays 600 and fell; one paid 100 and left."""
    big, small = {"mrr_cents": 600_00}, {"mrr_cents": 100_00}
    churn(session, "left1", big)
    churn(session, "left2", big)
    churn(session, "small", small)
    write(
        session, "stays", [*({**big} for _ in range(5)), *({"score": 30.0, **big} for _ in "123")]
    )
    grown = [{"score": 30.0, **small} for _ in range(4)]
    write(session, "grown", [*grown, *({"score": 80.0, **big} for _ in range(4))])
    low(session, {"field": "mrr_cents", "op": "gt", "value": 500_00})

    result = backtest(client, days=DAYS)

    assert (result["accounts"], result["churned"], result["caught"]) == (4, 2, 2)
    assert (result["alerts"], result["false_alarms"]) == (3, 1)
    assert {each["account_id"] for each in result["caught_accounts"]} == {"left1", "left2"}
    assert result["filtered_by_today"] == []


FILTERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"segment": "smb"}, {"inputs": {"segment": "smb"}}),
    ({"owner": "kim"}, {"inputs": {"owner": "kim"}}),
    ({"plan": "team"}, {"inputs": {"plan": "team"}}),
    ({"field": "employees", "op": "gte", "value": 10}, {"inputs": {"employees": 10}}),
    ({"traits.tier": "gold"}, {"inputs": {"traits": {"tier": "gold"}}}),
    ({"band": "watch"}, {"band": "watch"}),
    ({"overridden": True}, {"status": "overridden"}),
    ({"field": "seats", "op": "eq", "value": 5}, {"details": {"seats": 5}}),
    (
        {"field": "renewal_on", "op": "lte", "value": {"days_ahead": 4}},
        {"details": {"renewal_on": str(TODAY)}},
    ),
    ({"field": "trend.d28", "op": "lt", "value": -5}, {"details": {"trend": {"d28": -9.5}}}),
    (
        {"field": "measures.depth", "op": "lt", "value": 20},
        {"details": {"measures": [{"name": "depth", "score": 10}]}},
    ),
]


@pytest.mark.parametrize(("filter_", "then"), FILTERS, ids=str)
def test_each_field_of_a_filter_is_that_of_the_day(
    client: TestClient, session: Session, filter_: dict[str, Any], then: dict[str, Any]
) -> None:
    churn(session, "matched", then, segment="other", owner="other", traits={"tier": "none"})
    churn(session, "never", {}, segment="other")
    low(session, filter_)

    result = backtest(client, days=DAYS)

    assert (result["accounts"], result["caught"]) == (1, 1)


def test_the_churn_risk_of_a_filter_is_that_of_the_day(
    client: TestClient, session: Session
) -> None:
    churn(session, "risky", {"mrr_cents": 100_00})
    churn(session, "calm", {"mrr_cents": 100_00})
    columns: dict[str, Any] = {"status": "ok", "level": "high", "risk": 0.7, "stage": "rules"}
    columns |= {"horizon_days": 90, "revenue_at_risk_cents": 360_00, "computed_at": NOW}
    columns |= {"details": {"revenue_basis": "assumed"}, "as_of": TODAY - timedelta(days=20)}
    session.add(ChurnRiskHistory(workspace_id="acme", account_id="risky", **columns))
    revenue = {"field": "churn_risk.revenue_at_risk_cents", "op": "gte", "value": 360_00}
    low(session, {"and": [{"churn_risk.level": "high"}, revenue]})

    result = backtest(client, days=DAYS)

    assert (result["accounts"], result["caught"]) == (1, 1)


def test_the_answer_names_fields_whose_past_is_not_stored(
    client: TestClient, session: Session
) -> None:
    churn(session, "named", {"mrr_cents": 100_00}, name="Acme", traits={"tier": "gold"})
    paid = {"field": "mrr_cents", "op": "gt", "value": 1}
    low(session, {"and": [{"name": "Acme"}, {"traits.tier": "gold"}, paid]})

    result = backtest(client, days=DAYS)

    assert (result["accounts"], result["caught"]) == (1, 1)
    assert result["filtered_by_today"] == ["name", "traits.tier"]
