"""What accounts ask for, and when those at risk renew."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import ChurnRiskHistory, FeedbackItem, HealthHistory
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_revenue import add_subscription, get_report

DAY = date(2026, 3, 1)


def say(session: Session, feedback_id: str, account_id: str, **said: Any) -> None:  # noqa: ANN401
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    days = said.pop("told_after", None)
    if days is not None:
        told_at = at + timedelta(days=days)
        said |= {"told_at": told_at, "resolved_at": told_at, "resolved_known_on": told_at.date()}
    row = {"kind": "complaint", "topic": "export", "at": at, "known_on": DAY}
    row |= {"workspace_id": "acme", "feedback_id": feedback_id, "account_id": account_id}
    session.add(FeedbackItem(**(row | said)))


@pytest.fixture
def said(session: Session) -> None:
    add_subscription(session, "big", 900_00)
    add_subscription(session, "small", 10_00)
    say(session, "1", "small", told_after=2)
    say(session, "2", "small", topic=" Export ", told_after=6)
    say(session, "3", "big", topic=None, product_feature="reports", kind="request")
    say(session, "4", "big", kind="praise")
    say(session, "5", "small", told_after=30)
    say(session, "6", "ours")
    factories.account(session, "ours", excluded=True)
    session.commit()


@pytest.mark.usefixtures("said")
def test_topics_are_ordered_by_the_revenue_behind_them(client: TestClient) -> None:
    found = get_report(client, "feedback")["topics"]

    assert [(t["kind"], t["topic"], t["mrr_cents"]) for t in found] == [
        *(("request", "reports", 900_00), ("complaint", "export", 10_00))
    ]


@pytest.mark.usefixtures("said")
def test_a_topic_tells_how_its_loops_were_closed(client: TestClient) -> None:
    """Told after 2 and 6 days: a median of 4. The third was told after the day that is asked."""
    [_, found] = get_report(client, "feedback")["topics"]

    assert (found["items"], found["accounts"], found["closed"], found["open"]) == (3, 1, 2, 1)
    assert (found["median_days_to_close"], found["oldest_open_days"]) == (4, 16)


@pytest.mark.parametrize("limit", [0, 201])
def test_no_more_topics_than_that(client: TestClient, limit: int) -> None:
    assert client.get("/api/v1/reports/feedback", params={"limit": limit}).status_code == 422


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


def test_revenue_at_risk_is_told_by_the_quarter_of_its_renewal(
    client: TestClient, session: Session
) -> None:
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


def test_a_probability_of_churn_weighs_the_revenue_as_it_was_known(
    client: TestClient, session: Session
) -> None:
    """12 x (100 x 0.25 + 50): the second has no probability, so all of it is at stake."""
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
