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


def risk(session: Session, account_id: str, day: date, probability: float | None) -> None:
    row: dict[str, Any] = {"probability": probability, "risk": probability, "level": None}
    row |= {"status": "ok", "stage": "trained", "model_version": 1, "horizon_days": 90}
    row |= {"revenue_at_risk_cents": 0, "details": {}, "computed_at": NOW}
    key = {"workspace_id": "acme", "account_id": account_id, "as_of": day}
    session.add(ChurnRiskHistory(**key, **row))


def test_arr_is_weighted_by_the_probability_known_on_the_day(
    client: TestClient, session: Session
) -> None:
    """12 x (100 x 0.25 + 50): the second has no probability, so all of its ARR counts."""
    factories.workspace(session)
    score(session, "a", "at_risk", 100_00, "2026-04-01")
    score(session, "b", "at_risk", 50_00, "2026-06-30")
    for day, probability in ((10, 0.9), (15, 0.25)):
        risk(session, "a", date(2026, 3, day), probability)
    risk(session, "a", date(2026, 3, 18), 0.5)
    session.commit()

    [quarter] = get_report(client, "arr-at-risk")["quarters"]

    assert (quarter["arr_cents"], quarter["revenue_at_risk_cents"]) == (12 * 150_00, 12 * 75_00)
    assert (quarter["accounts"], quarter["with_probability"]) == (2, 1)
