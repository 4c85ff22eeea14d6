"""An account keeps all its data when it is renamed or merged."""

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.core.db import SessionFactory
from app.health.scoring import service as health
from tests.billing.sender import connect, invoice, send_all, subscription
from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import group, track, unattributed
from tests.lifecycle.id_changes import LATER, features, move_account, process_all, request_change


def create_account(client: TestClient, account_id: str, user_id: str, message: str) -> None:
    """Create a paying account with a user who exports for an end customer."""
    calls.ingest(
        client,
        group(f"g-{message}", account_id, userId=user_id, traits={"mrr": 100, "plan": account_id}),
        track(
            f"m-{message}",
            userId=user_id,
            context={"groupId": account_id},
            properties={"end_customer_id": f"c-{message}"},
        ),
    )


def mrr_of(client: TestClient, account_id: str) -> Any:  # noqa: ANN401
    return client.get(f"/api/v1/accounts/{account_id}/mrr").json()["mrr_cents"]


def put(client: TestClient, path: str, **body: Any) -> Mapping[str, Any]:  # noqa: ANN401
    answer = client.put(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    body_out: dict[str, Any] = answer.json()
    return body_out


def test_a_renamed_account_keeps_all_its_data(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_account(client, "old", "ada", "1")
    put(client, "accounts/child", parent_id="old")
    health.refresh(session, "acme", ["old"], as_of=NOW.date(), now=NOW)
    session.commit()
    [before] = features(session, "old")
    account = client.get("/api/v1/accounts/old").json()

    done = move_account(client, sessions, "old", "rename", account_id="new")

    [after] = features(session, "new")
    assert (done["kind"], done["account_id"], done["target_id"]) == ("rename", "old", "new")
    assert {**account, "account_id": "new"} == client.get("/api/v1/accounts/new").json()
    names = type(before).__slots__
    different = [name for name in names if getattr(before, name) != getattr(after, name)]
    assert different == ["account_id"]
    assert mrr_of(client, "new") == {"USD": 100_00}
    [listed] = client.get("/api/v1/subscriptions", params={"account_id": "old"}).json()["items"]
    assert listed["account_id"] == "new"
    assert client.get("/api/v1/users/ada").json()["account_id"] == "new"
    assert client.get("/api/v1/accounts/child").json()["parent_id"] == "new"
    history = client.get("/api/v1/accounts/new/health/history").json()["items"]
    assert [point["as_of"] for point in history] == ["2026-03-18"]
    assert calls.text_rows(session, "SELECT account_id FROM event WHERE account_id = 'old'") == []


def test_the_old_id_is_an_alias_everywhere(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_account(client, "old", "ada", "1")
    move_account(client, sessions, "old", "rename", account_id="new")

    create_account(client, "old", "bob", "2")
    calls.ingest(client, unattributed("m3", userId="ada"))
    put(client, "users/eve", account_id="old")
    put(client, "accounts/kid", parent_id="old")
    put(client, "subscriptions/main", account_id="old", mrr_cents=500_00)
    ended = client.post("/api/v1/subscriptions/main/end", json={"account_id": "old"})
    patched = client.patch("/api/v1/accounts/old", json={"name": "Named"})

    assert ended.status_code == 200
    assert (patched.json()["account_id"], patched.json()["name"]) == ("new", "Named")
    for path in ("", "/mrr", "/health", "/health/history"):
        assert client.get(f"/api/v1/accounts/old{path}").status_code == 200
    assert client.get("/api/v1/users/eve").json()["account_id"] == "new"
    query = {"account_id": "old"}
    assert len(client.get("/api/v1/users", params=query).json()["items"]) == 3
    assert client.get("/api/v1/accounts/kid").json()["parent_id"] == "new"
    for table in ("account", "event", "daily_usage", "daily_reach", "subscription", '"user"'):
        rows = calls.text_rows(session, f"SELECT 1 FROM {table} WHERE account_id = 'old'")  # noqa: S608
        assert rows == [], table


def test_a_merge_adds_up_both_accounts(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_account(client, "a1", "ada", "1")
    create_account(client, "a2", "bob", "2")
    put(client, "subscriptions/main", account_id="a1", mrr_cents=300_00, starts_on="2026-03-01")
    put(client, "subscriptions/main", account_id="a2", mrr_cents=500_00, starts_on="2026-03-01")

    move_account(client, sessions, "a2", "merge", into="a1")

    assert mrr_of(client, "a1") == mrr_of(client, "a2") == {"USD": 800_00}
    [both] = features(session)
    assert (both.active_users, both.reached, both.events) == (2, 2, 2)
    listed = client.get("/api/v1/subscriptions").json()["items"]
    assert [each["subscription_id"] for each in listed] == ["a2:main", "main"]


def test_values_of_the_target_win_and_missing_ones_are_filled(
    client: TestClient, sessions: SessionFactory
) -> None:
    ids = {"external_ids": {"salesforce": "s2"}, "feature_exceptions": {"sso": True, "api": True}}
    put(client, "accounts/a1", name="One", traits={"x": 1}, feature_exceptions={"sso": False})
    put(client, "accounts/a2", name="Two", owner="Ines", traits={"x": 2, "y": 2}, **ids)

    move_account(client, sessions, "a2", "merge", into="a1")

    found = client.get("/api/v1/accounts/a1").json()
    assert (found["name"], found["owner"], found["traits"]) == ("One", "Ines", {"x": 1, "y": 2})
    assert found["feature_exceptions"] == {"sso": False, "api": True}
    assert found["external_ids"] == {"salesforce": "s2"}


def test_the_history_of_a_merged_account_stays_with_a_reference_to_the_target(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_account(client, "a1", "ada", "1")
    create_account(client, "a2", "bob", "2")
    health.refresh(session, "acme", ["a1", "a2"], as_of=NOW.date(), now=NOW)
    session.commit()

    move_account(client, sessions, "a2", "merge", into="a1")

    found = calls.text_rows(
        session, "SELECT account_id, details ->> 'merged_into' FROM health_history ORDER BY 1"
    )
    assert found == [("a1", None), ("a2", "a1")]
    assert calls.text_rows(session, "SELECT account_id FROM health_score") == [("a1",)]


def test_a_price_set_after_a_merge_replaces_both_prices(
    client: TestClient, sessions: SessionFactory
) -> None:
    create_account(client, "a1", "ada", "1")
    create_account(client, "a2", "bob", "2")
    move_account(client, sessions, "a2", "merge", into="a1")
    assert mrr_of(client, "a1") == {"USD": 200_00}

    calls.ingest(client, group("g3", "a1", traits={"mrr": 170}))
    assert mrr_of(client, "a1") == {"USD": 170_00}

    put(client, "subscriptions/main", account_id="a1", mrr_cents=190_00)
    assert mrr_of(client, "a1") == {"USD": 190_00}


def test_aliases_of_a_moved_account_move_with_it(
    client: TestClient, sessions: SessionFactory
) -> None:
    create_account(client, "a1", "ada", "1")
    create_account(client, "a4", "bob", "2")
    request_change(client, "POST", "accounts/a1/rename", account_id="a2")
    request_change(client, "POST", "accounts/a2/rename", account_id="a3")
    request_change(client, "POST", "accounts/a3/merge", into="a4")
    process_all(sessions)

    for account_id in ("a1", "a2", "a3"):
        assert client.get(f"/api/v1/accounts/{account_id}").json()["account_id"] == "a4"
    assert len(client.get("/api/v1/users", params={"account_id": "a4"}).json()["items"]) == 2


@pytest.mark.parametrize("done_between", [True, False])
def test_an_account_can_have_its_old_id_back(
    client: TestClient, sessions: SessionFactory, session: Session, *, done_between: bool
) -> None:
    create_account(client, "a1", "ada", "1")
    before = features(session)
    request_change(client, "POST", "accounts/a1/rename", account_id="a2")
    if done_between:
        process_all(sessions)
    move_account(client, sessions, "a2", "rename", account_id="a1")

    assert features(session) == before
    assert client.get("/api/v1/accounts/a2").json()["account_id"] == "a1"
    assert client.get("/api/v1/users/ada").json()["account_id"] == "a1"


def test_an_account_is_not_scored_during_a_move(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    create_account(client, "a1", "ada", "1")
    request_change(client, "POST", "accounts/a1/rename", account_id="a2")
    calls.ingest(client, track("m9", context={"groupId": "a1"}))

    while pipeline.refresh_due(sessions, now=NOW):
        pass
    assert calls.count_rows(session, "health_history") == 0

    process_all(sessions)
    while pipeline.refresh_due(sessions, now=LATER):
        pass
    assert calls.text_rows(session, "SELECT account_id FROM health_history") == [("a2",)]


def test_a_hierarchy_survives_merges(client: TestClient, sessions: SessionFactory) -> None:
    for child, parent in (("top", None), ("a1", "top"), ("kid", "a1"), ("other", None)):
        put(client, f"accounts/{child}", parent_id=parent)

    move_account(client, sessions, "a1", "merge", into="other")
    parents = {
        each: client.get(f"/api/v1/accounts/{each}").json()["parent_id"]
        for each in ("kid", "other")
    }
    assert parents == {"kid": "other", "other": "top"}

    move_account(client, sessions, "other", "merge", into="kid")
    assert client.get("/api/v1/accounts/kid").json()["parent_id"] == "top"
    move_account(client, sessions, "kid", "merge", into="top")
    assert client.get("/api/v1/accounts/top").json()["parent_id"] is None


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("a1/rename", {"account_id": "a1"}, (409, "same_account")),
        ("a1/rename", {"account_id": "a2"}, (409, "account_exists")),
        ("a1/rename", {"account_id": "was-a2"}, (409, "account_exists")),
        ("a1/rename", {"account_id": "gone"}, (409, "erased")),
        ("a1/rename", {"account_id": "undefined"}, (422, "invalid_account_id")),
        ("a1/rename", {"account_id": ""}, (422, "invalid_input")),
        ("a1/rename", {"account_id": "x" * 256}, (422, "invalid_input")),
        ("a1/rename", {}, (422, "invalid_input")),
        ("nobody/rename", {"account_id": "x"}, (404, "not_found")),
        ("a1/merge", {"into": "a1"}, (409, "same_account")),
        ("a2/merge", {"into": "was-a2"}, (409, "same_account")),
        ("a1/merge", {"into": "nobody"}, (404, "not_found")),
        ("nobody/merge", {"into": "a1"}, (404, "not_found")),
        ("top/merge", {"into": "a1"}, (409, "parent_cycle")),
    ],
)
def test_an_invalid_move_is_refused_and_changes_nothing(
    client: TestClient,
    sessions: SessionFactory,
    path: str,
    body: dict[str, str],
    refusal: tuple[int, str],
) -> None:
    for child, parent in (("top", None), ("mid", "top"), ("a1", "mid")):
        put(client, f"accounts/{child}", parent_id=parent)
    put(client, "accounts/was-a2")
    move_account(client, sessions, "was-a2", "rename", account_id="a2")
    put(client, "accounts/gone")
    request_change(client, "DELETE", "accounts/gone")
    process_all(sessions)
    before = client.get("/api/v1/audit-entries").json()

    answer = client.post(f"/api/v1/accounts/{path}", json=body)

    assert (answer.status_code, answer.json()["code"]) == refusal
    assert client.get("/api/v1/audit-entries").json() == before


def test_a_move_leaves_an_audit_entry(client: TestClient) -> None:
    put(client, "accounts/a1")

    request_change(client, "POST", "accounts/a1/rename", account_id="a2")

    [entry, *_] = client.get("/api/v1/audit-entries").json()["items"]
    assert (entry["action"], entry["subject"]) == ("account.renamed", "a2")
    assert entry["details"] == {"account_id": "a1"}


def test_invoices_move_with_the_account(client: TestClient, sessions: SessionFactory) -> None:
    send_all(client, connect(client), subscription(), invoice())

    move_account(client, sessions, "acme", "rename", account_id="new")

    [found] = client.get("/api/v1/accounts/new/invoices").json()["items"]
    assert found["account_id"] == "new"
