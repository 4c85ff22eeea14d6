"""Rolled-up scores and child accounts over HTTP."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.health.definition.scorecard import Scorecard
from app.health.scoring.queries import HAS_CHILDREN
from app.tables import Account, HealthScore
from tests import factories

ACCOUNTS = "/api/v1/accounts"


def account(
    session: Session,
    account_id: str,
    parent_id: str | None = None,
    value: float | None = None,
    **columns: Any,  # noqa: ANN401
) -> None:
    """Add an account that has its own score and pays $1."""
    factories.account(session, account_id, parent_id=parent_id, **columns)
    session.add(
        HealthScore(
            workspace_id=columns.get("workspace_id", "acme"),
            account_id=account_id,
            score=value,
            band=Scorecard().default.band(value),
            status="ok" if value is not None else "insufficient_data",
            mrr_cents=100 if value is not None else 0,
        )
    )
    session.commit()


@pytest.fixture(autouse=True)
def hierarchy(session: Session) -> None:
    """A holding with two regions; one of them has a branch, and the branch has a shop."""
    account(session, "holding", rollup="mean")
    account(session, "north", "holding", 80)
    account(session, "south", "holding", 20)
    account(session, "branch", "north", 60)
    account(session, "shop", "branch", 0)
    account(session, "stranger", None, 1)


def get_rollup(client: TestClient, account_id: str, **params: str) -> Any:  # noqa: ANN401
    return client.get(f"{ACCOUNTS}/{account_id}/rollup", params=params).json()


def test_a_hierarchy_is_rolled_up_at_any_depth(client: TestClient) -> None:
    assert get_rollup(client, "holding") == {
        "account_id": "holding",
        "method": "mean",
        "value": 40.0,
        "band": "watch",
        "scored": 4,
        "children": 4,
        "gone": 0,
        "mrr_cents": 400,
        "exclusions": {"no_rate": 0},
        "by_band": {
            "at_risk": {"accounts": 2, "mrr_cents": 200},
            "watch": {"accounts": 0, "mrr_cents": 0},
            "healthy": {"accounts": 2, "mrr_cents": 200},
            "unknown": {"accounts": 0, "mrr_cents": 0},
        },
    }


def test_a_parent_in_between_combines_itself_and_the_accounts_below_it(client: TestClient) -> None:
    result = get_rollup(client, "north")

    assert (result["method"], result["scored"], result["children"]) == ("revenue_weighted", 3, 2)
    assert result["value"] == pytest.approx(46.6667)


def test_another_method_can_be_requested(client: TestClient) -> None:
    assert get_rollup(client, "holding", method="worst_child")["value"] == 0
    assert get_rollup(client, "holding", method="own")["value"] is None
    answer = client.get(f"{ACCOUNTS}/holding/rollup", params={"method": "median"})
    assert answer.status_code == 422


def test_an_account_without_children_has_its_own_score(client: TestClient) -> None:
    result = get_rollup(client, "shop")

    assert (result["value"], result["scored"], result["children"]) == (0, 1, 0)


def test_an_account_that_is_excluded_today_does_not_count(client: TestClient) -> None:
    client.patch(f"{ACCOUNTS}/south", json={"excluded": True})

    result = get_rollup(client, "holding")

    assert (result["value"], result["gone"]) == (pytest.approx(46.6667), 1)


def test_an_account_without_a_rate_is_left_out_of_the_money_and_counted(
    client: TestClient, session: Session
) -> None:
    """North pays a dollar, and euros without a rate: 3 dollars remain, and (20 + 60 + 0) / 3."""
    score = session.get_one(HealthScore, ("acme", "north"))
    score.details = {"price_status": "no_rate"}
    session.commit()

    result = get_rollup(client, "holding", method="revenue_weighted")

    assert (result["mrr_cents"], result["exclusions"]) == (300, {"no_rate": 1})
    assert result["by_band"]["healthy"] == {"accounts": 2, "mrr_cents": 100}
    assert result["value"] == pytest.approx(80 / 3, abs=0.01)
    assert get_rollup(client, "holding", method="mean")["value"] == 40
    assert get_rollup(client, "north", method="mean")["scored"] == 3, "it pays"


def test_children_are_listed_with_their_scores_in_pages(client: TestClient) -> None:
    url = f"{ACCOUNTS}/holding/children"
    first = client.get(url, params={"limit": 1}).json()
    second = client.get(url, params={"limit": 1, "cursor": first["next_cursor"]}).json()

    assert second["next_cursor"] is None
    result = [*first["items"], *second["items"]]
    assert [(each["account_id"], each["value"], each["has_children"]) for each in result] == [
        ("north", 80, True),
        ("south", 20, False),
    ]
    assert client.get(f"{ACCOUNTS}/shop/children").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("path", ["rollup", "children"])
def test_an_unknown_account_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(f"{ACCOUNTS}/nobody/{path}").json()["code"] == "not_found"


def test_accounts_of_another_workspace_do_not_count(client: TestClient, session: Session) -> None:
    other = factories.workspace(session, "other").id
    account(session, "theirs", "holding", 1, workspace_id=other)

    assert get_rollup(client, "holding")["children"] == 4
    assert len(client.get(f"{ACCOUNTS}/holding/children").json()["items"]) == 2


def test_accounts_with_children_are_marked(session: Session) -> None:
    result = session.query(Account.account_id, HAS_CHILDREN).order_by(Account.account_id)

    assert [row[0] for row in result if row[1]] == ["branch", "holding", "north"]
