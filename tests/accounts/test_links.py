"""Parents over the API: cycles, depth, concurrent writers."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.accounts import hierarchy_queries, service
from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.links import ParentCycleError, ParentTooDeepError
from app.accounts.tables import Account
from app.core.db import SessionFactory, transaction
from app.core.row_queries import ensure_row
from tests import factories
from tests.conftest import NOW

ACCOUNTS = "/api/v1/accounts"


@pytest.fixture(autouse=True)
def accounts(session: Session) -> None:
    for account_id in ("holding", "north", "south"):
        factories.account(session, account_id)
    session.commit()


def patch(client: TestClient, account_id: str, **body: Any) -> Any:  # noqa: ANN401
    return client.patch(f"{ACCOUNTS}/{account_id}", json=body)


def test_a_parent_is_set_and_removed(client: TestClient) -> None:
    assert patch(client, "north", parent_id="holding").json()["parent_id"] == "holding"
    assert patch(client, "north", name="North").json()["parent_id"] == "holding"
    assert patch(client, "north", parent_id=None).json()["parent_id"] is None


def test_put_without_a_parent_removes_it(client: TestClient) -> None:
    client.put(f"{ACCOUNTS}/north", json={"parent_id": "holding", "rollup": "worst_child"})

    found = client.put(f"{ACCOUNTS}/north", json={}).json()

    assert (found["parent_id"], found["rollup"]) == (None, "revenue_weighted")


@pytest.mark.parametrize("parent_id", ["holding", "north", "south"])
def test_a_cycle_is_rejected(client: TestClient, parent_id: str) -> None:
    patch(client, "north", parent_id="holding")
    patch(client, "south", parent_id="north")

    answer = patch(client, "holding", parent_id=parent_id, name="Other")

    assert (answer.status_code, answer.json()["code"]) == (409, "parent_cycle")
    assert client.get(f"{ACCOUNTS}/holding").json()["name"] is None


def test_an_unknown_parent_is_rejected_and_named(client: TestClient) -> None:
    answer = patch(client, "north", parent_id="nobody")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_parent")
    assert answer.json()["errors"][0]["pointer"] == "/body/parent_id"


def test_an_account_of_another_workspace_cannot_be_the_parent(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "theirs", workspace_id=factories.workspace(session, "other").id)
    session.commit()

    assert patch(client, "north", parent_id="theirs").json()["code"] == "unknown_parent"


def test_a_hierarchy_has_at_most_ten_levels(client: TestClient) -> None:
    """Levels above and below count: a deep hierarchy may not be put under another deep one."""
    for family in ("a", "b"):
        for level in range(6):
            parent_id = f"{family}{level - 1}" if level else None
            client.put(f"{ACCOUNTS}/{family}{level}", json={"parent_id": parent_id})

    assert patch(client, "b0", parent_id="a4").json()["code"] == "parent_too_deep"
    assert patch(client, "b0", parent_id="a3").status_code == 200
    assert patch(client, "holding", parent_id="b5").json()["code"] == "parent_too_deep"


@pytest.mark.parametrize("rollup", ["", "median", None, 1])
def test_an_unknown_rollup_method_is_rejected(client: TestClient, rollup: object) -> None:
    assert patch(client, "north", rollup=rollup).status_code == 422


links = st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(links, max_size=12))
def test_no_account_is_ever_its_own_ancestor(
    session: Session, changes: list[tuple[str, str]]
) -> None:
    with session.begin_nested() as outer:
        for account_id in "abcdef":
            ensure_row(session, "acme", Account, account_id)
        for account_id, parent_id in changes:
            link(session, account_id, parent_id)
        for account_id in "abcdef":
            above = hierarchy_queries.list_ancestors(session, "acme", account_id)
            assert len(above) == len(set(above))
        outer.rollback()
        session.expire_all()


def link(session: Session, account_id: str, parent_id: str) -> bool:
    changes = {"parent_id": parent_id}
    try:
        service.write_account(session, "acme", account_id, changes, replace=False, now=NOW)
    except (ParentCycleError, ParentTooDeepError):
        return False
    return True


def test_of_concurrent_writers_that_would_form_a_cycle_one_is_rejected(
    committed: SessionFactory,
) -> None:
    circle = ["a", "b", "c", "d"]
    with transaction(committed) as session:
        for account_id in circle:
            factories.account(session, account_id)
    together = threading.Barrier(len(circle))
    linked: list[bool] = []

    def write(account_id: str, parent_id: str) -> None:
        with transaction(committed) as session:
            together.wait()
            linked.append(link(session, account_id, parent_id))

    pairs = zip(circle, circle[1:] + circle[:1], strict=True)
    threads = [threading.Thread(target=write, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(linked) == [False, True, True, True]
    with transaction(committed) as session:
        lines = [hierarchy_queries.list_ancestors(session, "acme", each) for each in circle]
    assert sorted(map(len, lines)) == [1, 2, 3, 4]
    assert max(map(len, lines)) <= MOST_LEVELS
