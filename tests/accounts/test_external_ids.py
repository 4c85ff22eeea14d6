"""Ids of an account in other systems."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts import queries
from app.core.db import SessionFactory, transaction
from tests import factories

ACCOUNTS = "/api/v1/accounts"


def put(client: TestClient, account_id: str, **body: Any) -> Any:  # noqa: ANN401
    return client.put(f"{ACCOUNTS}/{account_id}", json=body)


def patch(client: TestClient, account_id: str, external_ids: object) -> Any:  # noqa: ANN401
    return client.patch(f"{ACCOUNTS}/{account_id}", json={"external_ids": external_ids})


def find(client: TestClient, system: str, external_id: str) -> Any:  # noqa: ANN401
    return client.get(f"{ACCOUNTS}/by-external-id/{system}/{external_id}")


def test_an_account_is_found_by_its_id_in_another_system(client: TestClient) -> None:
    created = put(client, "a1", external_ids={"salesforce": "001", "stripe": ["cus_1", "cus_2"]})

    assert created.json()["external_ids"] == {"salesforce": "001", "stripe": ["cus_1", "cus_2"]}
    for system, external_id in [("salesforce", "001"), ("stripe", "cus_1"), ("stripe", "cus_2")]:
        assert find(client, system, external_id).json() == created.json()


@pytest.mark.parametrize(("system", "external_id"), [("stripe", "001"), ("salesforce", "002")])
def test_an_unknown_external_id_is_not_found(
    client: TestClient, system: str, external_id: str
) -> None:
    put(client, "a1", external_ids={"salesforce": "001"})

    answer = find(client, system, external_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_external_id_belongs_to_one_account(client: TestClient) -> None:
    put(client, "a1", external_ids={"crm": "1"})

    answer = put(client, "a2", name="Two", external_ids={"crm": "1", "billing": "b"})

    assert (answer.status_code, answer.json()["code"]) == (409, "external_id_taken")
    assert answer.json()["errors"][0]["pointer"] == "/body/external_ids/crm"
    assert client.get(f"{ACCOUNTS}/a2").status_code == 404
    assert find(client, "billing", "b").status_code == 404
    assert find(client, "crm", "1").json()["account_id"] == "a1"


def test_patch_replaces_ids_by_system_and_null_removes(client: TestClient) -> None:
    put(client, "a1", external_ids={"crm": "1", "stripe": ["c1", "c2"], "old": "x"})

    found = patch(client, "a1", {"stripe": "c2", "old": None, "new": "n"}).json()

    assert found["external_ids"] == {"crm": "1", "stripe": "c2", "new": "n"}
    assert find(client, "old", "x").status_code == find(client, "stripe", "c1").status_code == 404


def test_put_without_ids_leaves_them_and_an_empty_object_removes_them(
    client: TestClient,
) -> None:
    """Billing or a CRM may have sent ids that the caller does not know."""
    put(client, "a1", external_ids={"crm": "1"})

    assert put(client, "a1", name="A").json()["external_ids"] == {"crm": "1"}
    assert put(client, "a1", external_ids={"erp": "9"}).json()["external_ids"] == {"erp": "9"}
    assert put(client, "a1", external_ids={}).json()["external_ids"] == {}


def test_a_removed_id_may_be_given_to_another_account(client: TestClient) -> None:
    put(client, "a1", external_ids={"crm": "1"})
    put(client, "a1", external_ids={})

    assert put(client, "a2", external_ids={"crm": "1"}).status_code == 200
    assert find(client, "crm", "1").json()["account_id"] == "a2"


@pytest.mark.parametrize(
    "wrong",
    [
        {"CRM": "1"},
        {"": "1"},
        {"9crm": "1"},
        {"crm": ""},
        {"crm": 1},
        {"crm": "a\x00"},
        {"crm": []},
        {"crm": ["a", 2]},
        {"crm": "x" * 256},
        {"c" * 65: "1"},
        ["crm"],
        "crm",
    ],
)
def test_an_invalid_external_id_is_rejected(client: TestClient, wrong: object) -> None:
    put(client, "a1", external_ids={"crm": "1"})

    assert put(client, "a1", external_ids=wrong).status_code == 422
    assert patch(client, "a1", wrong).status_code == 422
    assert client.get(f"{ACCOUNTS}/a1").json()["external_ids"] == {"crm": "1"}


def test_another_workspace_has_its_own_external_ids(client: TestClient, session: Session) -> None:
    other = factories.workspace(session, "other").id
    factories.account(session, "theirs", workspace_id=other)
    queries.put_external_id(session, other, "theirs", "crm", "1")
    session.commit()

    assert find(client, "crm", "1").status_code == 404
    assert put(client, "a1", external_ids={"crm": "1"}).status_code == 200
    assert queries.find_account_id(session, other, "crm", "1") == "theirs"


def test_of_concurrent_writers_of_one_id_all_get_the_same_owner(
    committed: SessionFactory,
) -> None:
    accounts = ["a", "b", "c", "d"]
    with transaction(committed) as session:
        for account_id in accounts:
            factories.account(session, account_id)
    together = threading.Barrier(len(accounts))
    owners: list[str] = []

    def put_id(account_id: str) -> None:
        with transaction(committed) as session:
            together.wait()
            owners.append(queries.put_external_id(session, "acme", account_id, "crm", "1"))

    threads = [threading.Thread(target=put_id, args=(account_id,)) for account_id in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(owners) == len(accounts)
    with transaction(committed) as session:
        assert {queries.find_account_id(session, "acme", "crm", "1")} == set(owners)
