"""ARR at risk by renewal quarter."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import ChurnRiskHistory, HealthHistory
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_revenue import get_report


def score(session: Session, account_id: str, band: str, cents: int, renewal_on: str | None) -> None:
    factories.account(session, account_id)
    session.add(
        HealthHistory(
            workspace_id="acme",
            account_id=account_id,
            as_of=date(2026, 3, 15),
            restatement=0,
            change=0,
            score=20,
            band=band,
            status="ok",
            coverage=1,
            mrr_cents=cents,
            details={"renewal_on": renewal_on},
            computed_at=NOW,
        )
    )


def test_arr_at_risk_is_grouped_by_renewal_quarter(client: TestClient, session: Session) -> None:
    """At risk: 12 x (100 + 50 + 30) of 12 x 380."""
    factories.workspace(session)
    score(session, "a", "at_risk", 100_00, "2026-04-01")
    score(session, "b", "at_risk", 50_00, "2026-06-30")
    score(session, "c", "at_risk", 30_00, None)
    score(session, "d", "healthy", 200_00, "2026-07-01")
    session.commit()

    found = get_report(client, "arr-at-risk")

    assert [(q["quarter"], q["accounts"], q["arr_cents"]) for q in found["quarters"]] == [
        *(("2026-Q2", 2, 12 * 150_00), (None, 1, 12 * 30_00))
    ]
    kpi = found["arr_at_risk"]
    assert (kpi["numerator"], kpi["denominator"], kpi["n"]) == (12 * 180_00, 12 * 380_00, 3)
    assert kpi["value"] == pytest.approx(180 / 380)
    assert get_report(client, "arr-at-risk", until="2026-03-14")["quarters"] == []


def risk(
    session: Session, account_id: str, day: date, probability: float | None, level: str = "low"
) -> None:
    row: dict[str, Any] = {"probability": probability, "risk": probability, "level": level}
    if probability is not None:
        row |= {"probability_low": probability / 2, "probability_high": probability * 1.5}
    row |= {"status": "ok", "stage": "trained", "model_version": 1, "horizon_days": 90}
    row |= {"revenue_at_risk_cents": 0, "details": {}, "computed_at": NOW}
    key = {"workspace_id": "acme", "account_id": account_id, "as_of": day}
    session.add(ChurnRiskHistory(**key, **row))


def test_arr_is_weighted_by_the_probability_known_on_the_day(
    client: TestClient, session: Session
) -> None:
    """12 x 100 x 0.25 of the first; the second has no probability: 12 x 50 x 0.30."""
    factories.workspace(session)
    score(session, "a", "at_risk", 100_00, "2026-04-01")
    score(session, "b", "at_risk", 50_00, "2026-06-30")
    for day, probability in ((10, 0.9), (15, 0.25)):
        risk(session, "a", date(2026, 3, day), probability)
    risk(session, "a", date(2026, 3, 18), 0.5)
    session.commit()

    [quarter] = get_report(client, "arr-at-risk")["quarters"]

    assert (quarter["arr_cents"], quarter["revenue_at_risk_cents"]) == (12 * 150_00, 12 * 40_00)
    assert (quarter["probability_cents"], quarter["assumed_cents"]) == (12 * 25_00, 12 * 15_00)
    assert (quarter["accounts"], quarter["with_probability"]) == (2, 1)
    bounds = (quarter["probability_low_cents"], quarter["probability_high_cents"])
    assert bounds == (12 * 12_50, 12 * 37_50)


def test_a_high_churn_risk_is_at_risk_too_and_both_parts_add_up(
    client: TestClient, session: Session
) -> None:
    """At risk: 12 x (10 + 20 + 40) of 12 x 150. 12 x 10 x 0.5 + 12 x (20 + 40) x 0.30 = 276."""
    factories.workspace(session)
    score(session, "modelled", "watch", 10_00, "2026-04-01")
    score(session, "ruled", "healthy", 20_00, "2026-07-01")
    score(session, "banded", "at_risk", 40_00, "2026-07-01")
    score(session, "well", "healthy", 80_00, "2026-07-01")
    risk(session, "modelled", date(2026, 3, 10), 0.5, "high")
    risk(session, "ruled", date(2026, 3, 10), None, "high")
    risk(session, "well", date(2026, 3, 10), 0.01)
    session.commit()

    found = get_report(client, "arr-at-risk")

    assert (found["arr_at_risk"]["numerator"], found["arr_at_risk"]["n"]) == (12 * 70_00, 3)
    assert found["revenue_at_risk"] == {
        "cents": 60_00 + 216_00,
        "probability_cents": 60_00,
        "probability_low_cents": 30_00,
        "probability_high_cents": 90_00,
        "assumed_cents": 216_00,
    }
    assert [each["revenue_at_risk_cents"] for each in found["quarters"]] == [60_00, 216_00]
