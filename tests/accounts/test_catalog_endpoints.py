from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import ClaimedAccount, Priority, claim_due
from app.tables import ProductFeature
from tests import factories
from tests.events import calls

CATALOG: list[tuple[str, str, dict[str, Any]]] = [
    (
        "plans",
        "plan",
        {
            "name": "Pro",
            "product_features": ["export"],
            "price_shares": {"export": 0.3},
            "seat_price_cents": 4900,
            "limits": {"users": 25, "export": 1000},
        },
    ),
    ("product-features", "product_feature", {"event_names": ["Exported"], "weight": 2.5}),
]


@pytest.fixture(autouse=True)
def _product_features(session: Session) -> None:
    factories.workspace(session)
    for key in ("export", *"abcdefghij"):
        events = ["Report Exported"] if key == "export" else [key]
        session.add(ProductFeature(workspace_id="acme", key=key, name=key, event_names=events))
    session.commit()


def audited(client: TestClient) -> list[tuple[str, str]]:
    entries = client.get("/api/v1/audit-entries").json()["items"]
    return [(entry["action"], entry["subject"]) for entry in entries][
        :-2
    ]  # without those of the fixture


@pytest.mark.parametrize(("path", "kind", "body"), CATALOG)
def test_catalog_rows_are_written_read_and_deleted(
    client: TestClient, path: str, kind: str, body: dict[str, Any]
) -> None:
    url = f"/api/v1/{path}/pro"

    created = client.put(url, json=body)

    assert created.status_code == 200
    assert body.items() <= created.json().items()
    assert client.get(url).json() == created.json()
    assert created.json() in client.get(f"/api/v1/{path}").json()["items"]
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == client.delete(url).status_code == 404
    assert audited(client) == [(f"{kind}.deleted", "pro"), (f"{kind}.created", "pro")]


@pytest.mark.parametrize(("path", "kind", "body"), CATALOG)
def test_a_change_queues_every_account_without_notification(
    client: TestClient, session: Session, path: str, kind: str, body: dict[str, Any]
) -> None:
    factories.account(session, "a1")
    session.commit()

    client.put(f"/api/v1/{path}/pro", json=body)
    client.put(f"/api/v1/{path}/pro", json=body | {"name": "Other"})

    swept = [ClaimedAccount("acme", "a1", Priority.SWEEP, notify=False)]
    assert claim_due(session, limit=9) == swept
    assert audited(client) == [(f"{kind}.changed", "pro"), (f"{kind}.created", "pro")]


@pytest.mark.parametrize(("path", "kind", "body"), CATALOG)
def test_the_same_body_again_changes_nothing(
    client: TestClient, session: Session, path: str, kind: str, body: dict[str, Any]
) -> None:
    factories.account(session, "a1")
    client.put(f"/api/v1/{path}/pro", json=body)
    claim_due(session, limit=9)
    session.commit()

    client.put(f"/api/v1/{path}/pro", json=body)

    assert claim_due(session, limit=9) == []
    assert audited(client) == [(f"{kind}.created", "pro")]


def test_the_key_is_the_default_name(client: TestClient) -> None:
    assert client.put("/api/v1/plans/pro", json={}).json() == {
        "key": "pro",
        "name": "pro",
        "product_features": [],
        "price_shares": {},
        "seat_price_cents": None,
        "limits": {},
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_shares": {"a": 0.6, "b": 0.5}},
        {"price_shares": {"a": -0.1}},
        {"price_shares": {"a": 1.5}},
        {"price_shares": {"a": "0.5"}},
        {"price_shares": {"": 0.5}},
        {"product_features": ["a"], "price_shares": {"b": 0.5}},
        {"seat_price_cents": -1},
        {"seat_price_cents": 1.5},
        {"limits": {"users": -1}},
        {"limits": {"users": None}},
        {"limits": {"a\x00": 1}},
        {"limits": ["users"]},
    ],
)
def test_a_plan_with_impossible_numbers_is_rejected(
    client: TestClient, wrong: dict[str, Any]
) -> None:
    answer = client.put("/api/v1/plans/pro", json=wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert client.get("/api/v1/plans/pro").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "pointer", "meant"),
    [
        ({"product_features": ["export", "exprot"]}, "product_features/1", "'export'"),
        ({"product_features": ["Export"]}, "product_features/0", "'export'"),
        ({"product_features": ["Report Exported"]}, "product_features/0", "'export'"),
        ({"price_shares": {"exports": 0.2}}, "price_shares/exports", "'export'"),
        ({"limits": {"user": 5}}, "limits/user", "'users'"),
        ({"limits": {"endcustomers": 5}}, "limits/endcustomers", "'end_customers'"),
        ({"product_features": ["users"]}, "product_features/0", "PUT /api/v1/product-features"),
        ({"limits": {"x/y": 5}}, "limits/x~1y", "PUT /api/v1/product-features"),
    ],
)
def test_a_plan_with_an_unknown_product_feature_is_refused_with_what_may_be_meant(
    client: TestClient, wrong: dict[str, Any], pointer: str, meant: str
) -> None:
    answer = client.put("/api/v1/plans/team", json=wrong)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "unknown_product_feature")
    assert [error["pointer"] for error in body["errors"]] == [f"/body/{pointer}"]
    assert meant in body["errors"][0]["message"]
    assert client.get("/api/v1/plans/team").status_code == 404


def test_without_product_features_a_plan_may_name_events_that_were_received(
    client: TestClient, session: Session
) -> None:
    session.execute(delete(ProductFeature))
    session.commit()
    calls.ingest(client, calls.track(event="Report Exported"))

    def put(name: str) -> int:
        plan = {"product_features": [name], "limits": {"users": 5, name: 9}}
        status: int = client.put("/api/v1/plans/team", json=plan).status_code
        return status

    assert [put("Report Exported"), put("Report Imported")] == [200, 422]


def test_price_shares_may_add_up_to_one_despite_rounding(client: TestClient) -> None:
    shares = dict.fromkeys("abcdefghij", 0.1)

    answer = client.put("/api/v1/plans/pro", json={"price_shares": shares})

    assert (answer.status_code, answer.json()["price_shares"]) == (200, shares)


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_names": []},
        {"event_names": ["a\x00"]},
        {"event_names": ["a"], "weight": 0},
        {"event_names": ["a"], "weight": "2"},
        {"event_names": ["a"], "colour": "red"},
        {},
    ],
)
def test_a_product_feature_that_could_never_be_used_is_rejected(
    client: TestClient, wrong: dict[str, Any]
) -> None:
    assert client.put("/api/v1/product-features/x", json=wrong).status_code == 422
    assert client.get("/api/v1/product-features/x").status_code == 404


def test_another_workspace_has_its_own_catalog(client: TestClient, session: Session) -> None:
    other = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()
    client.put("/api/v1/plans/pro", json={"name": "Ours"})

    theirs = {"Authorization": f"Bearer {other}"}

    assert client.get("/api/v1/plans/pro", headers=theirs).status_code == 404
    assert client.delete("/api/v1/plans/pro", headers=theirs).status_code == 404
    assert client.get("/api/v1/plans/pro").json()["name"] == "Ours"
