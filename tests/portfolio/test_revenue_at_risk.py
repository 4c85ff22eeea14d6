"""Sort by revenue at risk: accounts with a probability, at risk without one, and the others."""

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
    "a": 364,  # 12 x 101 x 0.3 = 363.6
    "b": 364,
    "d": 360,
    "c": 359,
    **dict.fromkeys("efg", 356),  # 12 x 99 x 0.3 = 356.4
    "h": 7,
    **dict.fromkeys(("i", "medium", "none", "well", "zero"), 0),
}
HIGHEST_FIRST = list(CENTS)


def add_churn_risk(
    session: Session, account_id: str, probability: float | None, cents: int, level: str = "high"
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
            level=level,
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
        band = "healthy" if account_id == "h" else "at_risk"
        add_scored_account(session, account_id, mrr_cents=months, band=band)
    add_churn_risk(session, "h", None, 7)
    add_scored_account(session, "well", mrr_cents=1000)
    add_scored_account(session, "medium", mrr_cents=1000, band="watch")
    add_churn_risk(session, "medium", None, 0, "medium")
    for account_id, cents in {"c": 359, "b": 364, "g": 356, "i": 0}.items():
        add_scored_account(session, account_id, mrr_cents=500)
        add_churn_risk(session, account_id, 0.5, cents)
    factories.account(session, "none")
    session.commit()


@pytest.mark.parametrize("limit", [*range(1, 12), 1000])
def test_pages_of_any_size_list_every_account_once_highest_first(
    client: TestClient, limit: int
) -> None:
    assert list_all_account_ids(client, sort="-revenue_at_risk", limit=limit) == HIGHEST_FIRST


def test_every_item_tells_its_amount_and_its_basis(client: TestClient) -> None:
    items = client.get("/api/v1/accounts").json()["items"]
    found = {each["account_id"]: each["churn_risk"] for each in items}

    assert {key: each["revenue_at_risk_cents"] for key, each in found.items()} == CENTS
    basis = {"b": "probability", "c": "probability", "a": "assumed", "h": "assumed", "well": "none"}
    assert {key: found[key]["revenue_basis"] for key in basis} == basis


def test_totals_have_a_part_from_probabilities_and_an_assumed_part(
    client: TestClient, session: Session
) -> None:
    """364 + 359 + 356 + 0 of b, c, g, i; 364 + 360 + 2 x 356 + 7 + 0 of a, d, e, f, h, zero.

    Only b has a range: 12 x 100 x 0.25 and 12 x 100 x 0.75 in place of 364.
    """
    risk = session.get_one(ChurnRisk, ("acme", "b"))
    risk.mrr_cents, risk.probability_low, risk.probability_high = 100, 0.25, 0.75
    session.commit()
    parts = {"cents": 1079 + 1443, "probability_cents": 1079, "assumed_cents": 1443}
    parts |= {"probability_low_cents": 715 + 300, "probability_high_cents": 715 + 900}
    total = client.post("/api/v1/accounts/count", json={}).json()
    client.put("/api/v1/segments/all", json={"name": "All", "filter": {}})

    assert total["revenue_at_risk"] == parts
    assert client.get("/api/v1/segments/all").json()["revenue_at_risk"] == parts


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


@pytest.mark.parametrize(
    ("cents", "first"), [(2**62, "a"), (363, "d"), (357, "e"), (0, "medium"), (-5, None)]
)
def test_a_list_continues_from_any_position_of_a_cursor(
    client: TestClient, cents: int, first: str | None
) -> None:
    cursor = encode_cursor("revenue_at_risk", cents, "ia")

    ids = list_account_ids(client, sort="-revenue_at_risk", cursor=cursor)

    assert ids[:1] == ([first] if first else [])
