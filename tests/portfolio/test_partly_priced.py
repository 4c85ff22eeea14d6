"""The MRR of an account is unknown while a part of its price has no exchange rate.

``dollars`` pays 70 dollars. ``part`` pays 100 dollars and 50 euros, ``whole`` pays 30 euros, and
there is no rate of the euro. So 70 is known, and two accounts are left out of every sum.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import pipeline
from app.tables import ChurnRisk, ExchangeRate, HealthScore, ProductFeature
from app.webhooks import queries as webhook_queries
from tests import factories
from tests.conftest import NOW
from tests.portfolio.account_lists import ACCOUNTS, list_all_account_ids

IDS = ("dollars", "part", "whole")
UNKNOWN = {"part", "whole"}
CENTS = {"dollars": 70_00, "part": None, "whole": None}
ANY_MRR: dict[str, Any] = {"field": "mrr_cents", "op": "gte", "value": 0}


@pytest.fixture(autouse=True)
def _accounts(session: Session) -> None:
    factories.account(session, "parent")
    for account_id in IDS:
        factories.account(session, account_id, parent_id="parent", name=account_id)
        factories.first_use(session, date(2025, 6, 1), account_id=account_id)
    for account_id, name, cents, currency in (
        ("dollars", "base", 70_00, "USD"),
        ("part", "base", 100_00, "USD"),
        ("part", "add-on", 50_00, "EUR"),
        ("whole", "base", 30_00, "EUR"),
    ):
        factories.subscription(
            session,
            account_id,
            subscription_id=name,
            mrr_cents=cents,
            currency=currency,
            starts_on=date(2025, 6, 1),
            known_on=date(2025, 6, 1),
        )
    score(session)


def score(session: Session) -> None:
    pipeline.refresh(session, "acme", ["parent", *IDS], as_of=NOW.date(), now=NOW)
    session.commit()


def shown(items: list[dict[str, Any]]) -> dict[str, tuple[int | None, str]]:
    return {
        each["account_id"]: (each["mrr_cents"], each["price_status"])
        for each in items
        if each["account_id"] in IDS
    }


def get(client: TestClient, path: str, **params: Any) -> Any:  # noqa: ANN401
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_lists_and_the_account_itself_show_null_and_why(client: TestClient) -> None:
    listed = shown(get(client, ACCOUNTS)["items"])
    children = shown(get(client, f"{ACCOUNTS}/parent/children")["items"])
    single = shown([get(client, f"{ACCOUNTS}/{each}/health") for each in IDS])

    assert {key: cents for key, (cents, _) in listed.items()} == CENTS
    assert {status for key, (_, status) in listed.items() if key in UNKNOWN} == {"no_rate"}
    assert listed["dollars"][1] != "no_rate"
    assert listed == children == single


def test_the_history_shows_null(client: TestClient) -> None:
    found = {
        each: get(client, f"{ACCOUNTS}/{each}/health/history")["items"][-1]["mrr_cents"]
        for each in IDS
    }

    assert found == CENTS


def test_filters_know_no_amount_of_it(client: TestClient) -> None:
    def matching(filter_: dict[str, Any]) -> set[str]:
        body = {"filter": {"and": [filter_, {"account_id": list(IDS)}]}}
        answer = client.post(f"{ACCOUNTS}/query", json=body)
        assert answer.status_code == 200, answer.text
        return {each["account_id"] for each in answer.json()["items"]}

    at_risk = {"field": "churn_risk.revenue_at_risk_cents", "op": "gte", "value": 0}
    assert matching(ANY_MRR) == matching(at_risk) == {"dollars"}
    assert matching({"field": "mrr_cents", "op": "is_null", "value": True}) == UNKNOWN


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("sort", ["mrr", "mrr_cents", "revenue_at_risk"])
def test_lists_by_money_end_with_it_in_both_directions(
    client: TestClient, session: Session, sort: str, limit: int
) -> None:
    """``zz`` has no price, ``parent`` too; they come before the unknown ones, also by id."""
    factories.account(session, "zz")
    session.execute(update(ChurnRisk).values(probability=0.5, revenue_at_risk_cents=100))
    session.execute(
        update(ChurnRisk)
        .where(ChurnRisk.account_id == "parent")
        .values(probability=None, level="low", revenue_at_risk_cents=0)
    )
    session.commit()

    up = list_all_account_ids(client, sort=sort, limit=limit)
    down = list_all_account_ids(client, sort=f"-{sort}", limit=limit)

    assert up == ["parent", "zz", "dollars", "part", "whole"]
    assert down == ["dollars", "parent", "zz", "part", "whole"]


@pytest.mark.parametrize("sort", ["mrr", "-mrr", "revenue_at_risk", "-revenue_at_risk"])
@pytest.mark.parametrize("is_late", [False, True])
def test_each_account_is_listed_once_while_amounts_become_known_and_unknown(
    client: TestClient, session: Session, sort: str, *, is_late: bool
) -> None:
    """After the first page, or after the second one, the euro gets a rate; ``zz`` gets a score."""
    factories.account(session, "zz")
    session.commit()
    expected = list_all_account_ids(client, sort=sort, limit=100)
    pages: list[str] = []
    cursor = None
    while cursor or not pages:
        params = {"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = get(client, ACCOUNTS, **params)
        pages += [each["account_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if len(pages) == (4 if is_late else 2):
            session.add(
                ExchangeRate(
                    workspace_id="acme", currency="EUR", starts_on=date(2025, 1, 1), rate=2
                )
            )
            session.flush()
            pipeline.refresh(session, "acme", ["parent", "zz", *IDS], as_of=NOW.date(), now=NOW)
            session.commit()

    assert pages == expected


@pytest.mark.parametrize("limit", [1, 100])
def test_the_accounts_that_use_a_product_feature_end_with_it(
    client: TestClient, session: Session, limit: int
) -> None:
    factories.account(session, "zz")
    session.add(ProductFeature(workspace_id="acme", key="chat", name="Chat", event_names=["Sent"]))
    for account_id in ("zz", *IDS):
        for day in (NOW.date(), NOW.date() - timedelta(days=1)):
            factories.usage(session, day, account_id=account_id, event_name="Sent")
    pipeline.refresh(session, "acme", ["zz", *IDS], as_of=NOW.date(), now=NOW)
    session.commit()
    ids: list[str] = []
    cursor = None
    while cursor or not ids:
        params = {"use": "adopted", "limit": limit} | ({"cursor": cursor} if cursor else {})
        page = get(client, "/api/v1/product-features/chat/adoption", **params)
        ids += [each["account_id"] for each in page["items"]]
        cursor = page["next_cursor"]

    assert ids == ["dollars", "zz", "part", "whole"]


@pytest.mark.parametrize("limit", [1, 100])
def test_the_revenue_at_risk_is_unknown_too(client: TestClient, limit: int) -> None:
    def amount(account_id: str) -> int | None:
        found: int | None = get(client, f"{ACCOUNTS}/{account_id}/churn-risk")["revenue_at_risk"][
            "cents"
        ]
        return found

    items = get(client, ACCOUNTS)["items"]
    listed = {each["account_id"]: each["churn_risk"]["revenue_at_risk_cents"] for each in items}
    ids = list_all_account_ids(client, sort="-revenue_at_risk", limit=limit)

    assert {amount(each) for each in UNKNOWN} == {listed["part"], listed["whole"]} == {None}
    assert amount("dollars") == listed["dollars"] is not None
    assert sorted(ids) == ["dollars", "parent", "part", "whole"]


def test_every_total_leaves_it_out_and_says_so(client: TestClient) -> None:
    counted = client.post(f"{ACCOUNTS}/count", json={}).json()
    rollup = get(client, f"{ACCOUNTS}/parent/rollup")
    days = {"since": "2026-03-01", "until": "2026-03-18"}
    day = get(client, "/api/v1/reports/distribution", **days)["days"][-1]
    retention = get(client, "/api/v1/reports/revenue-retention", **days)
    value = get(client, "/api/v1/reports/lifetime-value", until="2026-03-18")["segments"][0]
    cohorts = get(client, "/api/v1/reports/cohorts", since="2025-06-01", until="2026-03-18")
    arr = get(client, "/api/v1/reports/arr-at-risk", **days)["arr_at_risk"]

    assert (counted["mrr_cents"], counted["exclusions"]) == (70_00, {"no_rate": 2})
    assert (rollup["mrr_cents"], rollup["exclusions"]) == (70_00, {"no_rate": 2})
    assert sum(band["mrr_cents"] for band in day["bands"]) == 70_00
    assert day["exclusions"]["no_rate"] == 2
    gross = retention["gross_revenue_retention"]
    assert (gross["denominator"], gross["exclusions"]["no_rate"]) == (70_00, 2)
    assert (value["monthly_cents"], value["clv"]["exclusions"]["no_rate"]) == (70_00, 2)
    assert cohorts["cohorts"][0]["cells"][0]["mrr_cents"] == 70_00
    assert cohorts["exclusions"]["no_rate"] == 2
    assert (arr["denominator"], arr["exclusions"]["no_rate"]) == (12 * 70_00, 2)


def test_the_preview_of_a_rule_leaves_it_out(client: TestClient, session: Session) -> None:
    low = update(HealthScore).where(HealthScore.account_id.in_(IDS))
    session.execute(low.values(score=10.0, status="ok"))
    session.commit()
    rule = {"name": "Low", "signal": "health_score", "operator": "below", "fire_at": 40}

    preview = client.post("/api/v1/alert-rules/preview", json=rule).json()

    assert (preview["mrr_cents"], preview["exclusions"]) == (70_00, {"no_rate": 2})
    assert (preview["breaching"], preview["breaching_mrr_cents"]) == (3, 70_00)
    assert preview["breaching_exclusions"] == {"no_rate": 2}


def test_messages_name_no_price(session: Session) -> None:
    facts = webhook_queries.load_account_facts(session, "acme", IDS)

    assert {key: row["mrr_cents"] for key, row in facts.items()} == CENTS
    assert {key: row["mrr_currency"] for key, row in facts.items()} == {
        "dollars": "USD",
        "part": None,
        "whole": None,
    }


@pytest.mark.parametrize("use", ["unused", "adopted"])
def test_adoption_lists_show_null_and_page_all(
    client: TestClient, session: Session, use: str
) -> None:
    names = {"name": "Export", "event_names": ["Export"]}
    session.add(ProductFeature(workspace_id="acme", key="export", **names))
    for account_id in IDS if use == "adopted" else ():
        for day in (date(2026, 3, 16), date(2026, 3, 17)):
            factories.usage(session, day, account_id=account_id, event_name="Export")
    score(session)
    path = "/api/v1/product-features/export/adoption"
    found: dict[str, int | None] = {}
    cursor: dict[str, str] | None = {}

    while cursor is not None:
        page = get(client, path, use=use, limit=1, **cursor)
        found |= {each["account_id"]: each["mrr_cents"] for each in page["items"]}
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None

    assert found == CENTS


def test_a_rate_makes_it_known(client: TestClient, session: Session) -> None:
    """100 + 50 x 2 = 200, and 30 x 2 = 60."""
    session.add(
        ExchangeRate(workspace_id="acme", currency="EUR", starts_on=date(2025, 1, 1), rate=2)
    )
    score(session)

    found = {key: cents for key, (cents, _) in shown(get(client, ACCOUNTS)["items"]).items()}

    assert found == {"dollars": 70_00, "part": 200_00, "whole": 60_00}


def test_amounts_that_an_older_version_stored_are_not_shown(
    client: TestClient, session: Session
) -> None:
    """It stored the part that was known, here 100."""
    session.query(HealthScore).filter_by(account_id="part").update({"mrr_cents": 100_00})
    session.commit()

    items = get(client, ACCOUNTS)["items"]

    assert shown(items)["part"] == (None, "no_rate")
