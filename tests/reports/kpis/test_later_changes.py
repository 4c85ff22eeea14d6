"""Merges and exclusions of today do not change the figures of a past period."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.kpis.test_revenue import add_subscription, get_report

PAST = {"since": "2025-12-31", "until": "2026-02-15"}
CREATED = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _two_accounts(session: Session) -> None:
    """One of 100 stays, one of 200 leaves: GRR 1/3, logo churn 1/2."""
    factories.workspace(session)
    for account_id in ("stays", "leaves"):
        factories.account(session, account_id, created_at=CREATED)
    add_subscription(session, "stays", 100_00)
    add_subscription(session, "leaves", 200_00, ends_on=date(2026, 2, 1))
    session.commit()


def figures(client: TestClient, **period: str) -> Iterator[Any]:
    query = PAST | period
    retention = get_report(client, "revenue-retention", **query)
    yield retention["gross_revenue_retention"]["value"]
    yield retention["logo_churn"]["value"]
    yield get_report(client, "cohorts", **query)["cohorts"]
    yield get_report(client, "lifetime-value", **query)["segments"]
    yield get_report(client, "churn-causes", **query)["left"]


def test_a_merge_does_not_change_the_past(client: TestClient) -> None:
    grr, churn, *rest = figures(client)
    assert (grr, churn) == (pytest.approx(1 / 3), 0.5)

    merged = client.post("/api/v1/accounts/leaves/merge", json={"into": "stays"})

    assert merged.status_code < 300, merged.text
    assert list(figures(client)) == [grr, churn, *rest]
    assert list(figures(client, until="2026-03-18"))[1] == 0, "it is one account now, and pays"


def test_an_exclusion_does_not_change_the_past(client: TestClient) -> None:
    before = list(figures(client))

    for excluded, churn in ((True, 0), (False, 0.5)):
        answer = client.patch("/api/v1/accounts/leaves", json={"excluded": excluded})
        assert answer.status_code == 200, answer.text
        assert list(figures(client)) == before
        assert list(figures(client, until="2026-03-18"))[1] == churn


def test_an_account_that_is_excluded_when_it_is_created_never_counts(
    client: TestClient, session: Session
) -> None:
    before = list(figures(client))[:2]

    client.put("/api/v1/accounts/ours", json={"name": "Ours", "excluded": True})
    add_subscription(session, "ours", 900_00)
    session.commit()

    assert list(figures(client))[:2] == before
