"""Sort by revenue at risk: accounts with a probability, without one, and without a score."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.tables import ChurnRisk
from tests import factories
from tests.conftest import NOW
from tests.portfolio.account_lists import (
    AS_OF,
    add_scored_account,
    list_account_ids,
    list_all_account_ids,
)

CENTS = {
    "a": 1212,
    "b": 1212,
    "d": 1200,
    "c": 1199,
    **dict.fromkeys("efg", 1188),
    "h": 24,
    **dict.fromkeys(("i", "none", "zero"), 0),
}
HIGHEST_FIRST = list(CENTS)


def add_churn_risk(
    session: Session, account_id: str, probability: float | None, cents: int
) -> None:
    defaults: dict[str, Any] = {
        "stage": "trusted",
        "horizon_days": 90,
        "mrr_cents": 1,
        "details": {},
    }
    session.add(
        ChurnRisk(
            workspace_id="acme",
            account_id=account_id,
            as_of=AS_OF,
            status="ok",
            level="high",
            probability=probability,
            revenue_at_risk_cents=cents,
            computed_at=NOW,
            **defaults,
        )
    )


@pytest.fixture(autouse=True)
def _accounts(client: TestClient, session: Session) -> None:
    """Insert amounts of each kind, equal ones, ones that are not whole months, and zero."""
    assert client.headers, "the fixture creates the workspace"
    for account_id, months in {"d": 100, "a": 101, "e": 99, "f": 99, "zero": 0, "h": 2}.items():
        add_scored_account(session, account_id, mrr_cents=months)
    add_churn_risk(session, "h", None, 999_999)
    for account_id, cents in {"c": 1199, "b": 1212, "g": 1188, "i": 0}.items():
        add_scored_account(session, account_id, mrr_cents=500)
        add_churn_risk(session, account_id, 0.5, cents)
    factories.account(session, "none")
    session.commit()


@pytest.mark.parametrize("limit", [*range(1, 12), 1000])
def test_pages_of_any_size_list_every_account_once_highest_first(
    client: TestClient, limit: int
) -> None:
    assert list_all_account_ids(client, sort="-revenue_at_risk", limit=limit) == HIGHEST_FIRST


def test_ascending_the_lowest_comes_first(client: TestClient) -> None:
    ids = list_all_account_ids(client, sort="revenue_at_risk", limit=2)

    assert ids == sorted(CENTS, key=lambda key: (CENTS[key], key))


def test_the_filter_applies_before_the_page_is_cut(client: TestClient) -> None:
    filter_ = '{"account_id": ["a", "g", "none"]}'

    assert list_account_ids(client, sort="-revenue_at_risk", filter=filter_, limit=2) == ["a", "g"]
    assert list_all_account_ids(client, sort="-revenue_at_risk", filter=filter_, limit=1) == [
        "a",
        "g",
        "none",
    ]


@pytest.mark.parametrize(("cents", "first"), [(2**62, "a"), (1211, "d"), (0, "none"), (-5, None)])
def test_a_list_continues_from_any_position_of_a_cursor(
    client: TestClient, cents: int, first: str | None
) -> None:
    cursor = encode_cursor("revenue_at_risk", cents, "ia")

    ids = list_account_ids(client, sort="-revenue_at_risk", cursor=cursor)

    assert ids[:1] == ([first] if first else [])
