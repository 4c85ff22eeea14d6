"""A period has one documented name, and its other name means the same at every route."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.portfolio.account_lists import add_scored_account
from tests.reports.kpis.test_revenue import add_subscription
from tests.test_openapi import DOCUMENT

SINCE, UNTIL = "2025-12-31", "2026-03-17"
PATHS = [
    path
    for path, item in DOCUMENT["paths"].items()
    if {"until", "to"} & {each["name"] for each in item.get("get", {}).get("parameters", ())}
]


def get(client: TestClient, path: str, **params: Any) -> Any:  # noqa: ANN401
    return client.get(path.replace("{account_id}", "a1"), params=params)


@pytest.fixture
def scored(client: TestClient, session: Session) -> TestClient:
    add_scored_account(session, "a1", mrr_cents=100_00)
    add_subscription(session, "a1", 100_00, ends_on=date(2026, 2, 1))
    session.commit()
    return client


def test_there_are_seventeen_routes_with_a_period() -> None:
    assert len(PATHS) == 17


@pytest.mark.parametrize("path", PATHS)
def test_every_period_is_documented_by_one_name(path: str) -> None:
    parameters = DOCUMENT["paths"][path]["get"]["parameters"]

    names = {each["name"]: each.get("deprecated", False) for each in parameters}

    assert [names[name] for name in ("since", "until", "from", "to")] == [False, False, True, True]


@pytest.mark.parametrize("path", PATHS)
def test_both_names_of_a_period_give_the_same_answer(scored: TestClient, path: str) -> None:
    found = get(scored, path, since=SINCE, until=UNTIL)
    other = get(scored, path, **{"from": SINCE, "to": UNTIL})

    assert found.status_code == 200, found.text
    assert other.json() == found.json()
    both = get(scored, path, **{"since": SINCE, "until": UNTIL, "from": "2026-01-05", "to": UNTIL})
    assert both.json() == found.json(), "the documented name wins"


@pytest.mark.parametrize("path", PATHS)
def test_a_value_that_is_no_day_is_refused_by_the_name_that_was_sent(
    scored: TestClient, path: str
) -> None:
    for name in ("since", "until", "from", "to"):
        answer = get(scored, path, **{name: "yesterday"})
        pointers = [error["pointer"] for error in answer.json()["errors"]]
        assert (answer.status_code, pointers) == (422, [f"/query/{name}"])


@pytest.mark.parametrize("name", ["explanation", "stats", "review", "nps"])
def test_a_reversed_period_is_refused_by_the_name_that_was_sent(
    scored: TestClient, name: str
) -> None:
    [path] = [path for path in PATHS if path.endswith(name)]

    for first, last in (("since", "until"), ("from", "to")):
        answer = get(scored, path, **{first: UNTIL, last: SINCE})
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{first}"]


def test_the_mrr_of_lists_has_one_name_and_another(client: TestClient, session: Session) -> None:
    for account_id, cents in (("small", 10_00), ("large", 900_00), ("middle", 300_00)):
        add_scored_account(session, account_id, mrr_cents=cents)
    session.commit()

    def ids(**query: Any) -> list[str]:  # noqa: ANN401
        answer = get(client, "/api/v1/accounts", **query)
        assert answer.status_code == 200, answer.text
        return [item["account_id"] for item in answer.json()["items"]]

    for name in ("min_mrr_cents", "min_mrr"):
        assert ids(sort="-mrr", **{name: 300_00}) == ["large", "middle"]
    assert ids(sort="-mrr_cents") == ["large", "middle", "small"]
    page = get(client, "/api/v1/accounts", sort="mrr_cents", limit=1).json()
    assert ids(sort="mrr", cursor=page["next_cursor"]) == ["middle", "large"]
    bad = get(client, "/api/v1/accounts", min_mrr_cents=-1)
    assert bad.json()["errors"][0]["pointer"] == "/query/min_mrr_cents"


def test_a_subscription_takes_its_price_in_units_too(client: TestClient, session: Session) -> None:
    """499 a month is 49,900 cents; the text 1.500 may be 1.50 or 1500."""
    factories.account(session, "a1")
    session.commit()

    def put(**price: Any) -> Any:  # noqa: ANN401
        return client.put("/api/v1/subscriptions/main", json={"account_id": "a1"} | price)

    for price, cents in (({"mrr": 499}, 49900), ({"mrr": "19.99"}, 1999), ({"mrr_cents": 5}, 5)):
        answer = put(**price)
        assert answer.status_code == 200, answer.text
        assert client.get("/api/v1/accounts/a1/mrr").json()["mrr_cents"] == {"USD": cents}
    refused: tuple[dict[str, Any], ...] = (
        *({"mrr": "1.500"}, {"mrr": None}, {}),
        {"mrr": 1, "mrr_cents": 100},
    )
    for body in refused:
        assert put(**body).status_code == 422
    assert "`mrr`" in put(mrr="1.500").json()["errors"][0]["message"]
