"""Group calls set the parent of an account and its ids in other systems."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group

HOUR = timedelta(hours=1)


def group_call(message_id: str, account_id: str, **traits: object) -> dict[str, Any]:
    return group(message_id, account_id, traits=traits)


def account(client: TestClient, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/accounts/{account_id}").json()
    return found


@pytest.mark.parametrize("name", ["parent_id", "parentId"])
def test_an_unknown_parent_is_created(client: TestClient, name: str) -> None:
    receipt = calls.ingest(client, group_call("g1", "north", **{name: "holding"}))

    assert calls.warnings(receipt) == []
    assert account(client, "north")["parent_id"] == "holding"
    assert account(client, "holding")["parent_id"] is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_hierarchy_can_be_sent_in_any_order(client: TestClient, order: tuple[int, ...]) -> None:
    batch = [
        group_call("g1", "branch", parent_id="north"),
        group_call("g2", "north", parent_id="holding"),
        group_call("g3", "holding", name="Holding"),
    ]

    calls.ingest(client, *(batch[number] for number in order))

    assert account(client, "branch")["parent_id"] == "north"
    assert account(client, "north")["parent_id"] == "holding"


def test_a_cycle_drops_only_the_link(client: TestClient) -> None:
    calls.ingest(client, group_call("g1", "north", parent_id="holding"))

    receipt = calls.ingest(client, group_call("g2", "holding", parent_id="north", name="Holding"))

    assert (calls.counts(receipt), calls.warnings(receipt)) == ((1, 0, 0), ["link_ignored"])
    found = account(client, "holding")
    assert (found["parent_id"], found["name"]) == (None, "Holding")


def test_an_older_call_sets_a_parent_only_if_there_is_none(
    client: TestClient,
) -> None:
    def earlier(message_id: str, account_id: str, **traits: object) -> dict[str, Any]:
        when = (NOW - HOUR).isoformat()
        return group(message_id, account_id, traits=traits, timestamp=when)

    calls.ingest(client, group_call("g1", "a", parent_id="new"), group_call("g2", "b", name="B"))
    calls.ingest(client, earlier("g3", "a", parent_id="old"), earlier("g4", "b", parent_id="old"))

    assert (account(client, "a")["parent_id"], account(client, "b")["parent_id"]) == ("new", "old")


def test_external_ids_are_added_and_stay_with_the_first_account(client: TestClient) -> None:
    calls.ingest(client, group_call("g1", "a1", external_ids={"salesforce": "001", "erp": 77}))

    receipt = calls.ingest(
        client, group_call("g2", "a2", externalIds={"salesforce": "001", "stripe": "cus_1"})
    )

    assert calls.warnings(receipt) == ["link_ignored"]
    assert account(client, "a1")["external_ids"] == {"salesforce": "001", "erp": "77"}
    assert account(client, "a2")["external_ids"] == {"stripe": "cus_1"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"parent_id": "null"},
        {"parent_id": "x" * 256},
        {"parent_id": ["holding"]},
        {"parent_id": True},
        {"external_ids": "001"},
        {"external_ids": {"Sales Force": "1"}},
        {"external_ids": {"crm": ""}},
        {"external_ids": {"crm": {"id": 1}}},
    ],
)
def test_an_invalid_link_is_left_out_with_a_warning(
    client: TestClient, wrong: dict[str, Any]
) -> None:
    receipt = calls.ingest(client, group_call("g1", "a1", name="Acme", **wrong))

    assert (calls.counts(receipt), calls.warnings(receipt)) == ((1, 0, 0), ["invalid_trait"])
    found = account(client, "a1")
    assert (found["name"], found["parent_id"], found["external_ids"]) == ("Acme", None, {})
