"""The order of revenue at risk: merged from accounts with a probability, without one, unscored."""

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
MOST_FIRST = list(CENTS)


def judged(session: Session, account_id: str, probability: float | None, cents: int) -> None:
    usual: dict[str, Any] = {"stage": "trusted", "horizon_days": 90, "mrr_cents": 1, "details": {}}
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
            **usual,
        )
    )


@pytest.fixture(autouse=True)
def _accounts(client: TestClient, session: Session) -> None:
    """Amounts of either kind side by side, equal ones, such as are no whole months, and nothing."""
    assert client.headers, "it makes the workspace first"
    for account_id, months in {"d": 100, "a": 101, "e": 99, "f": 99, "zero": 0, "h": 2}.items():
        add_scored_account(session, account_id, mrr_cents=months)
    judged(session, "h", None, 999_999)
    for account_id, cents in {"c": 1199, "b": 1212, "g": 1188, "i": 0}.items():
        add_scored_account(session, account_id, mrr_cents=500)
        judged(session, account_id, 0.5, cents)
    factories.account(session, "none")
    session.commit()


@pytest.mark.parametrize("limit", [*range(1, 12), 1000])
def test_pages_of_any_size_hold_everybody_once_the_most_first(
    client: TestClient, limit: int
) -> None:
    assert list_all_account_ids(client, sort="-revenue_at_risk", limit=limit) == MOST_FIRST


def test_the_other_way_round_the_least_comes_first(client: TestClient) -> None:
    found = list_all_account_ids(client, sort="revenue_at_risk", limit=2)

    assert found == sorted(CENTS, key=lambda key: (CENTS[key], key))


def test_a_filter_counts_before_the_page_is_cut(client: TestClient) -> None:
    some = '{"account_id": ["a", "g", "none"]}'

    assert list_account_ids(client, sort="-revenue_at_risk", filter=some, limit=2) == ["a", "g"]
    assert list_all_account_ids(client, sort="-revenue_at_risk", filter=some, limit=1) == [
        "a",
        "g",
        "none",
    ]


@pytest.mark.parametrize(("cents", "first"), [(2**62, "a"), (1211, "d"), (0, "none"), (-5, None)])
def test_a_list_goes_on_from_wherever_a_cursor_says(
    client: TestClient, cents: int, first: str | None
) -> None:
    cursor = encode_cursor("revenue_at_risk", cents, "ia")

    found = list_account_ids(client, sort="-revenue_at_risk", cursor=cursor)

    assert found[:1] == ([first] if first else [])
