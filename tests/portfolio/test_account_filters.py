from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.portfolio.fields import CHOICES, FIELDS
from app.tables import Account, ExternalId
from tests import factories
from tests.conftest import NOW
from tests.portfolio.account_lists import ACCOUNTS, add_scored_account, list_all_account_ids

QUERY, COUNT = f"{ACCOUNTS}/query", f"{ACCOUNTS}/count"


@pytest.fixture
def accounts(session: Session) -> None:
    """Insert ``low`` at risk, ``top`` healthy, ``new`` without a score and ``gone`` churned."""
    add_scored_account(
        session,
        "low",
        score=9.0,
        band="at_risk",
        segment="smb",
        mrr_cents=10_000,
        traits={"tier": "gold", "logins": 3, "tags": ["vip", "eu"], "since": "2025-11-02"},
        details={
            "renewal_on": "2026-04-10",
            "last_used_on": "2026-03-01",
            "currency": "EUR",
            "seats": 10,
            "price_cents": 9_950.5,
            "trend": {"d7": -1.5, "d28": -9.25, "d90": None},
            "measures": [{"name": "depth", "score": 5.0}, {"name": "reach", "score": None}],
            "entitlement": {"value_leak_cents": 1_200},
        },
    )
    add_scored_account(
        session,
        "top",
        score=99.0,
        status="overridden",
        segment="mid",
        plan="pro",
        parent_id="low",
        traits={"tier": 1, "tags": "vip"},
        mrr_cents=20_000,
        details={"seats": None, "measures": [{"name": "depth", "score": 80}], "override": {}},
    )
    factories.account(session, "new", plan="trial", employees=50, started_on=date(2026, 3, 10))
    add_scored_account(session, "gone", score=None, band="unknown", status="churned", segment="smb")
    for external_id in ("001A", "001B"):
        session.add(
            ExternalId(workspace_id="acme", system="crm", external_id=external_id, account_id="low")
        )
    factories.workspace(session, "other")
    factories.account(session, "theirs", workspace_id="other", segment="smb")


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["low", "new", "top"]),
    ({"account_id": ["low", "theirs"]}, ["low"]),
    ({"not": {"segment": "smb"}}, ["new", "top"]),
    ({"field": "segment", "op": "ne", "value": "smb"}, ["top"]),
    ({"segment": None}, ["new"]),
    ({"or": [{"segment": "mid"}, {"plan": "trial"}]}, ["new", "top"]),
    ({"band": "at_risk"}, ["low"]),
    ({"band": "unknown"}, ["new"]),
    ({"status": "churned"}, ["gone"]),
    ({"field": "status", "op": "ne", "value": "ok"}, ["gone", "new", "top"]),
    ({"overridden": True}, ["top"]),
    ({"overridden": False}, ["low", "new"]),
    ({"excluded": False}, ["low", "new", "top"]),
    ({"field": "score", "op": "lt", "value": 99}, ["low"]),
    ({"field": "score", "op": "is_null", "value": True}, ["new"]),
    ({"field": "coverage", "op": "lt", "value": 0.5}, ["new"]),
    ({"field": "mrr_cents", "op": "gt", "value": 0}, ["low", "top"]),
    ({"mrr_cents": 0}, ["new"]),
    ({"plan": "pro"}, ["top"]),
    ({"field": "renewal_on", "op": "lte", "value": {"days_ahead": 30}}, ["low"]),
    ({"field": "renewal_on", "op": "lt", "value": "2026-04-10"}, []),
    ({"field": "last_used_on", "op": "lt", "value": {"days_ago": 14}}, ["low"]),
    ({"field": "started_on", "op": "gt", "value": {"days_ago": 28}}, ["new"]),
    ({"field": "as_of", "op": "eq", "value": {"days_ago": 0}}, ["low", "top"]),
    ({"field": "created_on", "op": "lte", "value": {"days_ago": 0}}, ["new"]),
    ({"currency": "EUR"}, ["low"]),
    ({"field": "seats", "op": "gte", "value": 10}, ["low"]),
    ({"field": "price_cents", "op": "lt", "value": 9_950.75}, ["low"]),
    ({"field": "value_leak_cents", "op": "gt", "value": 0}, ["low"]),
    ({"field": "trend.d7", "op": "lt", "value": -1}, ["low"]),
    ({"field": "trend.d28", "op": "lte", "value": -9.25}, ["low"]),
    ({"trend.d90": None}, ["low", "new", "top"]),
    ({"field": "measures.depth", "op": "lt", "value": 25}, ["low"]),
    ({"measures.depth": 80.0}, ["top"]),
    ({"measures.reach": None}, ["low", "new", "top"]),
    ({"parent_id": "low"}, ["top"]),
    ({"field": "employees", "op": "gte", "value": 50}, ["new"]),
    ({"traits.tier": "gold"}, ["low"]),
    ({"traits.tier": ["silver", 1]}, ["top"]),
    ({"field": "traits.logins", "op": "gt", "value": 2.5}, ["low"]),
    ({"field": "traits.tags", "op": "contains", "value": "vip"}, ["low", "top"]),
    ({"field": "traits.since", "op": "gt", "value": {"days_ago": 365}}, ["low"]),
    ({"external_ids.crm": "001B"}, ["low"]),
    ({"field": "external_ids.crm", "op": "starts_with", "value": "001a"}, ["low"]),
    ({"field": "external_ids.crm", "op": "ne", "value": "001B"}, []),
    ({"field": "external_ids.crm", "op": "not_in", "value": ["x"]}, ["low"]),
    ({"external_ids.crm": None}, ["new", "top"]),
    ({"field": "external_ids.crm", "op": "is_null", "value": False}, ["low"]),
    ({"not": {"external_ids.stripe": "cus_1"}}, ["low", "new", "top"]),
]


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(("raw", "ids"), FILTERS, ids=str)
def test_a_filter_has_the_same_result_in_every_route(
    client: TestClient, session: Session, raw: dict[str, Any], ids: list[str]
) -> None:
    session.execute(update(Account).values(created_at=datetime(2027, 1, 1, tzinfo=UTC)))
    session.get_one(Account, ("acme", "new")).created_at = datetime(2026, 1, 1, tzinfo=UTC)
    session.flush()
    text = orjson.dumps(raw).decode()

    assert list_all_account_ids(client, filter=text, limit=1) == ids
    posted = client.post(QUERY, json={"filter": raw}).json()
    assert [item["account_id"] for item in posted["items"]] == ids
    counted = client.post(COUNT, json={"filter": raw}).json()
    paid = sum(item["mrr_cents"] for item in posted["items"])
    lost = [item["churn_risk"]["revenue_at_risk_cents"] or 0 for item in posted["items"]]
    assert counted.pop("revenue_at_risk")["cents"] == sum(lost)
    assert counted == {"count": len(ids), "mrr_cents": paid, "exclusions": {"no_rate": 0}}


def test_an_mrr_without_a_rate_matches_no_number(client: TestClient, session: Session) -> None:
    """A part of the MRR has no rate: whether it is at most or at least 100 is unknown."""
    no_rate = {"price_status": "no_rate"}
    add_scored_account(session, "euro", score=50.0, band="watch", mrr_cents=9_900, details=no_rate)
    session.commit()

    for op in ("lte", "gte"):
        raw = {"field": "mrr_cents", "op": op, "value": 10_000}
        assert client.post(QUERY, json={"filter": raw}).json()["items"] == []
    unknown = {"field": "mrr_cents", "op": "is_null", "value": True}
    items = client.post(QUERY, json={"filter": unknown}).json()["items"]
    assert [item["account_id"] for item in items] == ["euro"]


@pytest.mark.usefixtures("accounts")
def test_an_old_id_in_a_filter_means_the_current_account(
    client: TestClient, session: Session
) -> None:
    aliases.put(session, "acme", "was-low", "low", now=NOW)
    session.commit()
    others = {"field": "account_id", "op": "not_in", "value": ["was-low", "top"]}
    parts = {"field": "account_id", "op": "starts_with", "value": "was-low"}

    assert list_all_account_ids(
        client, filter=orjson.dumps({"account_id": "was-low"}).decode()
    ) == ["low"]
    assert list_all_account_ids(client, filter=orjson.dumps(others).decode()) == ["new"]
    assert list_all_account_ids(client, filter=orjson.dumps(parts).decode()) == []


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_field_can_be_filtered(client: TestClient, field: str) -> None:
    name = field.replace("*", "x")
    value = {"text": "x", "number": 1, "boolean": True, "day": "2026-01-01"}[FIELDS[field]]
    operand = CHOICES[field][0] if field in CHOICES else value  # type: ignore[index]

    for raw in ({name: operand}, {"not": {name: [operand]}}, {name: None}):
        assert client.post(COUNT, json={"filter": raw}).status_code == 200


@pytest.mark.usefixtures("accounts")
def test_parameters_and_the_filter_must_both_match(client: TestClient) -> None:
    low = orjson.dumps({"field": "score", "op": "lt", "value": 50}).decode()

    assert list_all_account_ids(client, filter=low, segment="smb") == ["low"]
    assert list_all_account_ids(client, filter=low, segment="mid") == []
    assert list_all_account_ids(client, filter=low, status="churned") == []


@pytest.mark.usefixtures("accounts")
def test_a_list_item_has_what_a_renewal_meeting_needs(client: TestClient) -> None:
    item = client.get(ACCOUNTS, params={"band": "at_risk"}).json()["items"][0]

    assert (item["value"], item["band"], item["status"]) == (9, "at_risk", "ok")
    assert (item["currency"], item["seats"], item["price_cents"]) == ("EUR", 10, 9950.5)
    assert (item["renewal_on"], item["last_used_on"]) == ("2026-04-10", "2026-03-01")
    assert item["trend"] == {"d7": -1.5, "d28": -9.25, "d90": None}
    assert item["value_leak_cents"] == 1200


@pytest.mark.parametrize("detail", ["ten", True, [10], {"n": 10}, None])
def test_details_of_another_type_are_unknown_and_cause_no_error(
    client: TestClient, session: Session, detail: object
) -> None:
    add_scored_account(
        session, "a1", details={"seats": detail, "trend": detail, "entitlement": detail}
    )

    [item] = client.post(QUERY, json={"filter": {"seats": None, "trend.d7": None}}).json()["items"]

    assert (item["seats"], item["value_leak_cents"], item["trend"]["d28"]) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("", "/query/filter"),
        ("segment=smb", "/query/filter"),
        ("[]", "/query/filter"),
        ('{"segment": "\\ud800"}', "/query/filter"),
        ("[" * 7000, "/query/filter"),
        ('{"and": [{"segmint": "smb"}]}', "/query/filter/and/0/segmint"),
        ('{"band": "red"}', "/query/filter/band"),
        ('{"field": "score", "op": "lt", "value": "5"}', "/query/filter/value"),
    ],
)
def test_an_invalid_filter_is_refused_with_a_pointer(
    client: TestClient, text: str, pointer: str
) -> None:
    answer = client.get(ACCOUNTS, params={"filter": text})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_filter")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("path", [QUERY, COUNT])
def test_an_invalid_filter_in_a_body_is_refused_with_a_pointer(
    client: TestClient, path: str
) -> None:
    answer = client.post(path, json={"filter": {"not": {"score": "5"}}})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_filter")
    assert answer.json()["errors"][0]["pointer"] == "/body/filter/not/score"


@pytest.mark.parametrize(
    "body", [{"filter": []}, {"sort": "age"}, {"limit": 0}, {"limit": "5"}, {"where": {}}, []]
)
def test_an_invalid_query_is_refused(client: TestClient, body: object) -> None:
    assert client.post(QUERY, json=body).status_code == 422


def test_a_cursor_of_another_sort_order_is_refused(client: TestClient, session: Session) -> None:
    for number in range(2):
        factories.account(session, f"a{number}")
    cursor = client.post(QUERY, json={"limit": 1}).json()["next_cursor"]

    assert client.post(QUERY, json={"cursor": cursor}).json()["items"][0]["account_id"] == "a1"
    answer = client.post(QUERY, json={"cursor": cursor, "sort": "name"})
    assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")
