"""Complaints and requests by topic."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import FeedbackItem
from tests import factories
from tests.reports.kpis.test_revenue import add_subscription, get_report

DAY = date(2026, 3, 1)


def add_feedback(session: Session, feedback_id: str, account_id: str, **columns: Any) -> None:  # noqa: ANN401
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    days = columns.pop("closed_after", None)
    if days is not None:
        closed_at = at + timedelta(days=days)
        columns |= {"notified_at": closed_at, "resolved_at": closed_at}
        columns["resolved_known_on"] = closed_at.date()
    row = {"kind": "complaint", "topic": "export", "at": at, "known_on": DAY}
    row |= {"workspace_id": "acme", "feedback_id": feedback_id, "account_id": account_id}
    session.add(FeedbackItem(**(row | columns)))


@pytest.fixture
def feedback(session: Session) -> None:
    add_subscription(session, "big", 900_00)
    add_subscription(session, "small", 10_00)
    add_feedback(session, "1", "small", closed_after=2)
    add_feedback(session, "2", "small", topic=" Export ", closed_after=6)
    add_feedback(session, "3", "big", topic=None, product_feature="reports", kind="request")
    add_feedback(session, "4", "big", kind="praise")
    add_feedback(session, "5", "small", closed_after=30)
    add_feedback(session, "6", "ours")
    factories.account(session, "ours", excluded=True)
    session.commit()


@pytest.mark.usefixtures("feedback")
def test_topics_are_ordered_by_the_revenue_behind_them(client: TestClient) -> None:
    found = get_report(client, "feedback")["topics"]

    assert [(t["kind"], t["topic"], t["mrr_cents"]) for t in found] == [
        *(("request", "reports", 900_00), ("complaint", "export", 10_00))
    ]


@pytest.mark.usefixtures("feedback")
def test_a_topic_counts_closed_and_open_items(client: TestClient) -> None:
    """Closed after 2 and 6 days: a median of 4. The third was closed after the last day."""
    [_, found] = get_report(client, "feedback")["topics"]

    assert (found["items"], found["accounts"], found["closed"], found["open"]) == (3, 1, 2, 1)
    assert (found["median_days_to_close"], found["oldest_open_days"]) == (4, 16)


@pytest.mark.parametrize("limit", [0, 201])
def test_the_limit_of_topics_is_validated(client: TestClient, limit: int) -> None:
    assert client.get("/api/v1/reports/feedback", params={"limit": limit}).status_code == 422
