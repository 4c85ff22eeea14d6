"""Questions that people ask an agent, answered by tools alone, beside what the API answers."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.mcp.agent import Agent
from tests.mcp.conftest import NEW_ID, OLD_ID
from tests.web.accounts.conftest import SILENT


def get(api: TestClient, path: str, **params: Any) -> Any:  # noqa: ANN401 - any JSON
    answer = api.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_which_account_is_at_risk_with_the_most_money(agent: Agent, api: TestClient) -> None:
    page = agent.answer("at_risk")["accounts"]

    assert page["items"] == get(api, "/accounts/at-risk", limit=20)["items"]
    assert SILENT in [each["account_id"] for each in page["items"]]


def test_how_is_this_account_and_why(agent: Agent, api: TestClient) -> None:
    brief = agent.answer("account_brief", account_id=SILENT)

    assert brief["health"] == get(api, f"/accounts/{SILENT}/health")
    assert brief["churn_risk"] == get(api, f"/accounts/{SILENT}/churn-risk")
    assert brief["open_alerts"] == get(api, "/alerts", account_id=SILENT)["items"]
    assert brief["suggestions"] == get(api, f"/accounts/{SILENT}/suggestions")["items"]
    assert brief["open_tasks"] == []
    timeline = get(api, f"/accounts/{SILENT}/timeline", limit=20)
    assert brief["timeline"] == timeline["items"]
    assert brief["left_out"] == (["timeline"] if timeline["next_cursor"] else [])
    assert brief["link"].endswith(f"/accounts/{SILENT}")


def test_what_moved_the_score_since_a_month(agent: Agent, api: TestClient) -> None:
    explanation = agent.answer("explain_change", account_id=SILENT)["explanation"]

    assert explanation == get(api, f"/accounts/{SILENT}/health/explanation")
    assert explanation["change"]["status"] == "comparable"
    assert explanation["change"]["points"] < 0


def test_what_should_kim_do_today(agent: Agent, api: TestClient) -> None:
    page = agent.answer("today", owner="kim@example.com")["accounts"]

    assert page == get(api, "/today", owner="kim@example.com")
    assert [each["account_id"] for each in page["items"]] == [SILENT]


def test_what_is_suggested_for_all_accounts(agent: Agent, api: TestClient) -> None:
    page = agent.answer("suggestions", limit=100)["suggestions"]

    assert page == get(api, "/suggestions")
    assert page["items"]


def test_find_an_account_by_a_part_of_its_name(agent: Agent) -> None:
    found = agent.answer("find_accounts", name="ONERROR")["accounts"]["items"]

    assert [each["account_id"] for each in found] == ["c01"]


def test_the_lowest_scores_in_pages(agent: Agent, api: TestClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = agent.answer("find_accounts", sort="score", limit=10, cursor=cursor)["accounts"]
        seen += [each["account_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == [each["account_id"] for each in get(api, "/accounts", sort="score")["items"]]
    assert len(seen) == 24


def test_accounts_of_an_owner_that_are_at_risk(agent: Agent) -> None:
    page = agent.answer(
        "find_accounts", owner="kim@example.com", filter={"band": ["at_risk", "watch"]}
    )["accounts"]

    assert [each["account_id"] for each in page["items"]] == [SILENT]


def test_what_changed_since_the_last_time(agent: Agent, api: TestClient) -> None:
    first = agent.answer("changes_since", limit=5)["changes"]
    second = agent.answer("changes_since", limit=5, cursor=first["next_cursor"])["changes"]

    assert first["items"] + second["items"] == get(api, "/changes", limit=10)["items"]
    assert agent.answer("changes_since", types=["alert"])["changes"]["items"] == [
        each for each in get(api, "/changes", limit=1000)["items"] if each["type"] == "alert"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "arr_at_risk",
        "revenue_retention",
        "nps",
        "time_to_first_value",
        "lifetime_value",
        "cohorts",
        "distribution",
        "feedback",
        "churn_causes",
    ],
)
def test_a_report_for_the_board(agent: Agent, api: TestClient, name: str) -> None:
    answer = agent.answer("report", name=name, since="2026-01-01")

    path = f"/reports/{name.replace('_', '-')}"
    assert answer["report"] == get(api, path, since="2026-01-01")


def test_how_well_did_the_predictions_come_true(agent: Agent, api: TestClient) -> None:
    answer = agent.answer("report", name="calibration")

    assert answer["report"] == get(api, "/reports/revenue-at-risk-calibration")


def test_what_if_another_scorecard_were_active(agent: Agent, api: TestClient) -> None:
    simulation = agent.answer("simulate_scorecard", version=1)["simulation"]

    assert simulation == api.post("/api/v1/scorecards/1/simulate", json={}).json()


def test_would_this_rule_have_warned_in_time(agent: Agent, api: TestClient) -> None:
    backtest = agent.answer("backtest_rule", key="health_at_risk", days=30)["backtest"]

    path = "/api/v1/alert-rules/health_at_risk/backtest"
    assert backtest == api.post(path, json={"days": 30}).json()


def test_what_became_of_an_event(agent: Agent, api: TestClient) -> None:
    trace = agent.answer("trace_event", message_id="unknown-message")["trace"]

    assert trace == get(api, "/ingest/trace", message_id="unknown-message")
    assert trace["found"] == 0


def test_an_account_that_was_renamed_is_found_under_its_old_id(agent: Agent) -> None:
    brief = agent.answer("account_brief", account_id=OLD_ID)

    assert brief["health"]["account_id"] == NEW_ID
    assert brief["link"].endswith("/accounts/renamed%20to%20this")
