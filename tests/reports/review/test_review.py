"""The review of an account: internal and for the customer, as JSON and as a page."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.tables import ChurnRiskHistory
from tests import factories
from tests.chinese import HAN, faults
from tests.reports.review.scenario import get


@pytest.mark.usefixtures("acme")
def test_a_review_has_value_usage_people_goals_and_support(client: TestClient) -> None:
    found = get(client)

    assert [(p["day"], p["measures"][0]["per_dollar"]) for p in found["value"]] == [
        *(("2026-03-03", 9), ("2026-03-09", 8), ("2026-03-16", 6))
    ]
    assert (found["used"], found["unused"]) == (
        ["Export"],
        [{"name": "Campaigns", "cents": 250_00}],
    )
    assert [(p["measure"], p["percentile"]) for p in found["peers"]] == [("reach", 31)]
    assert found["people"] == [{"name": "Ada Lovelace", "roles": ["champion"]}]
    assert {goal["title"]: goal["currency"] for goal in found["goals"]} == {
        "Send more": None,
        "Double the price": "USD",
    }
    assert (found["renewal_on"], found["notice_on"]) == ("2026-06-01", "2026-05-02")
    assert found["counts"] == [
        {"what": "people", "count": 1, "total": 1},
        {"what": "features", "count": 1, "total": 2},
        {"what": "end_customers", "count": 30, "total": None},
    ]
    assert found["support"] == {
        "opened": 3,
        "closed": 1,
        "in_time": 1,
        "median_reply_minutes": 2515,
    }


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("language", "price"), [("en", "100 USD a month"), ("zh", "每月 100 USD")])
def test_a_goal_on_the_price_has_its_currency_on_the_page(
    client: TestClient, language: str, price: str
) -> None:
    page = client.get(f"/api/v1/accounts/a1/review?format=html&lang={language}").text
    goals = client.get("/api/v1/accounts/a1/goals").json()["items"]

    assert price in page
    assert {goal["goal_id"]: goal["currency"] for goal in goals} == {"g": None, "upsell": "USD"}


@pytest.mark.usefixtures("acme")
def test_the_internal_review_has_interventions_and_outcomes(client: TestClient) -> None:
    found = get(client)

    [_, done], [step, approved] = found["done"], found["next_steps"]
    assert (done["playbook"], done["notes"], done["succeeded"]) == (
        *("right_size", "SECRET NOTE"),
        True,
    )
    assert (done["done_on"], done["message"]) == ("2026-03-16", "You pay for what you use.")
    assert (step["state"], approved["state"]) == ("suggested", "accepted")
    assert (step["id"], step["next_step"]) == ("int_2", "Propose to Acme a smaller plan.")
    assert found["churn_risk"] == {"as_of": "2026-03-10", "level": "high", "probability": 0.8765}
    assert (found["owner"], found["score"], found["band"]) == (
        *("kim@vendor.example", 31.4),
        "at_risk",
    )


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Health score</b>", "1 of 2 product features are in use", "renews on 2026-06-01"]),
        ("zh", ["健康分</b>", "2 项产品功能中正在使用 1 项", "2026-06-01 续约"]),
    ],
)
def test_the_internal_page_has_counts_renewal_and_score_history(
    client: TestClient, language: str, expected: list[str]
) -> None:
    params = {"format": "html", "lang": language}

    page = client.get("/api/v1/accounts/a1/review", params=params).text

    assert [each for each in expected if each not in page] == []


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("language", "level"), [("en", "high"), ("zh", "高")])
def test_the_level_of_a_risk_without_a_probability_is_translated(
    client: TestClient, session: Session, language: str, level: str
) -> None:
    session.execute(update(ChurnRiskHistory).values(probability=None))
    session.commit()
    params = {"format": "html", "lang": language}

    page = client.get("/api/v1/accounts/a1/review", params=params).text

    assert re.search(rf"(Churn risk: |流失风险\uff1a){level}\b", page)


@pytest.mark.usefixtures("acme")
def test_only_usage_measures_are_shown(client: TestClient) -> None:
    assert {m["measure"] for point in get(client)["value"] for m in point["measures"]} == {"reach"}


@pytest.mark.usefixtures("acme")
def test_a_browser_gets_one_page_that_loads_nothing(client: TestClient) -> None:
    path = "/api/v1/accounts/a1/review"

    answer = client.get(path, headers={"Accept": "text/html,application/xhtml+xml"})

    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "@media print" in answer.text
    assert "Acme &lt;b&gt;&amp;" in answer.text
    assert not any(mark in answer.text for mark in ("<script", "http://", "https://", "src="))
    assert answer.text.count("<polyline") == 2


@pytest.mark.usefixtures("acme")
def test_a_review_can_be_in_chinese(client: TestClient) -> None:
    params = {"format": "html", "lang": "zh", "audience": "customer"}

    text = client.get("/api/v1/accounts/a1/review", params=params).text

    assert '<html lang="zh-Hans">' in text
    assert "客户回顾" in text
    assert "Account review" not in text


@pytest.mark.usefixtures("acme")
def test_the_chinese_page_has_chinese_punctuation(client: TestClient) -> None:
    params = {"format": "html", "lang": "zh"}

    page = client.get("/api/v1/accounts/a1/review", params=params).text

    body = re.sub(r"<[^>]+>", "\n", page.partition("<body>")[2]).replace(" · ", "\n")
    broken = [(line, faults(line)) for line in body.splitlines() if re.search(f"[{HAN}]", line)]
    assert [each for each in broken if each[1]] == []


def test_an_account_without_data_has_an_empty_review(client: TestClient, session: Session) -> None:
    factories.account(session)
    session.commit()

    found = get(client, audience="customer")

    assert (found["value"], found["peers"], found["done"]) == ([], [], [])
    page = client.get("/api/v1/accounts/a1/review", params={"format": "html", "lang": "en"})
    assert "Nothing to report." in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"to": "2026-03-19"},
        {"to": "0001-02-01"},
        {"from": "2020-01-01"},
        {"audience": "press"},
        {"format": "pdf"},
    ],
)
def test_invalid_periods_audiences_and_formats_are_refused(
    client: TestClient, session: Session, wrong: dict[str, str]
) -> None:
    factories.account(session)
    session.commit()

    assert client.get("/api/v1/accounts/a1/review", params=wrong).status_code == 422


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("audience", ["internal", "customer"])
def test_the_plan_is_shown_by_its_name(client: TestClient, audience: str) -> None:
    found = get(client, audience=audience)
    params = {"format": "html", "audience": audience}
    page = client.get("/api/v1/accounts/a1/review", params=params).text

    assert (found["plan"], found["plan_name"]) == ("pro", "Professional")
    assert "· Professional ·" in page
