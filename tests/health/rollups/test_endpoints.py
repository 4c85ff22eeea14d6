"""Families of accounts over HTTP."""

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
    """An account with a score of its own that pays $1."""
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
def family(session: Session) -> None:
    """A holding with two regions; one of them has a branch, which has a shop."""
    account(session, "holding", rollup="mean")
    account(session, "north", "holding", 80)
    account(session, "south", "holding", 20)
    account(session, "branch", "north", 60)
    account(session, "shop", "branch", 0)
    account(session, "stranger", None, 1)


def rollup(client: TestClient, account_id: str, **params: str) -> Any:  # noqa: ANN401
    return client.get(f"{ACCOUNTS}/{account_id}/rollup", params=params).json()


def test_a_family_is_rolled_up_however_deep_it_is(client: TestClient) -> None:
    assert rollup(client, "holding") == {
        "account_id": "holding",
        "method": "mean",
        "value": 40.0,
        "band": "watch",
        "scored": 4,
        "children": 4,
        "gone": 0,
        "mrr_cents": 400,
        "by_band": {
            "at_risk": {"accounts": 2, "mrr_cents": 200},
            "watch": {"accounts": 0, "mrr_cents": 0},
            "healthy": {"accounts": 2, "mrr_cents": 200},
            "unknown": {"accounts": 0, "mrr_cents": 0},
        },
    }


def test_a_parent_in_between_counts_what_is_below_it_and_itself(client: TestClient) -> None:
    found = rollup(client, "north")

    assert (found["method"], found["scored"], found["children"]) == ("revenue_weighted", 3, 2)
    assert found["value"] == pytest.approx(46.6667)


def test_another_method_may_be_asked_for(client: TestClient) -> None:
    assert rollup(client, "holding", method="worst_child")["value"] == 0
    assert rollup(client, "holding", method="own")["value"] is None
    answer = client.get(f"{ACCOUNTS}/holding/rollup", params={"method": "median"})
    assert answer.status_code == 422


def test_an_account_without_children_is_its_own_family(client: TestClient) -> None:
    found = rollup(client, "shop")

    assert (found["value"], found["scored"], found["children"]) == (0, 1, 0)


def test_an_account_that_is_excluded_today_counts_no_more(client: TestClient) -> None:
    client.patch(f"{ACCOUNTS}/south", json={"excluded": True})

    found = rollup(client, "holding")

    assert (found["value"], found["gone"]) == (pytest.approx(46.6667), 1)


def test_children_are_listed_with_their_scores_page_by_page(client: TestClient) -> None:
    url = f"{ACCOUNTS}/holding/children"
    first = client.get(url, params={"limit": 1}).json()
    second = client.get(url, params={"limit": 1, "cursor": first["next_cursor"]}).json()

    assert second["next_cursor"] is None
    found = [*first["items"], *second["items"]]
    assert [(each["account_id"], each["value"], each["has_children"]) for each in found] == [
        ("north", 80, True),
        ("south", 20, False),
    ]
    assert client.get(f"{ACCOUNTS}/shop/children").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("path", ["rollup", "children"])
def test_a_family_of_nobody_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(f"{ACCOUNTS}/nobody/{path}").json()["code"] == "not_found"


def test_another_workspaces_accounts_belong_to_no_family_here(
    client: TestClient, session: Session
) -> None:
    other = factories.workspace(session, "other").id
    account(session, "theirs", "holding", 1, workspace_id=other)

    assert rollup(client, "holding")["children"] == 4
    assert len(client.get(f"{ACCOUNTS}/holding/children").json()["items"]) == 2


def test_who_has_children_is_one_look_into_an_index(session: Session) -> None:
    found = session.query(Account.account_id, HAS_CHILDREN).order_by(Account.account_id)

    assert [row[0] for row in found if row[1]] == ["branch", "holding", "north"]
