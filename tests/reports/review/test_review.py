"""The review of an account: internal and for the customer, as JSON and as a page."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import (
    ChurnRiskHistory,
    Goal,
    HealthHistory,
    Intervention,
    PersonRole,
    ProductFeature,
    Ticket,
    User,
)
from tests import factories
from tests.conftest import NOW

INTERNAL = (
    *("kim@vendor.example", "SECRET NOTE", "right_size", "Right-size the plan", "Propose to"),
    *(
        "low_value_per_dollar",
        "at_risk",
        "at risk",
        "band",
        "score",
        "412",
        "enterprise-7",
        "0.8765",
        "88 %",
    ),
    "risk",
)
"""Internal names, notes, playbooks, signals, bands, scores, medians of peers, and segments."""


def measures(reach: float, per_dollar: float) -> list[dict[str, Any]]:
    row = {"raw": reach, "per_dollar": per_dollar, "median": 412, "score": 31.4}
    internal = {"name": "mood", "source": "trait:mood", "raw": 2, "per_dollar": None}
    return [{"name": "reach", "source": "reach", **row}, internal]


def intervention(session: Session, number: int, state: str, **columns: Any) -> None:  # noqa: ANN401
    texts = {
        "name": "Right-size the plan",
        "next_step": "Propose to Acme a smaller plan.",
        "message": "You pay for what you use.\n\nReply with a time.",
    }
    row = {"playbook": "right_size", "signal": "low_value_per_dollar", "rank": 1}
    row |= {"value_cents": 5, "created_at": NOW - timedelta(days=30), "changed_at": NOW}
    row |= {"details": {"texts": {"en": texts}, "link": None, "faq": None}, "notes": "SECRET NOTE"}
    row |= {"assignee": "kim@vendor.example", "state": state, "id": f"int_{number}"}
    session.add(Intervention(workspace_id="acme", account_id="a1", **(row | columns)))


def add_history(session: Session, day: date, reach: float, **columns: Any) -> None:  # noqa: ANN401
    details = {
        "measures": measures(reach, reach / 5),
        "price_cents": 500_00,
        "currency": "USD",
        "inputs": {"adopted": ["export"], "plan": "pro"},
        "entitlement": {"unused": [{"key": "campaigns", "share": 0.5, "cents": 250_00}]},
    }
    row = {"account_id": "a1", "as_of": day, "restatement": 0, "change": 0, "score": 31.4}
    row |= {"band": "at_risk", "status": "ok", "coverage": 1, "mrr_cents": 500_00}
    row |= {"details": details, "computed_at": NOW}
    session.add(HealthHistory(workspace_id="acme", **(row | columns)))


@pytest.fixture
def acme(session: Session) -> None:
    factories.workspace(session)
    owned = {"owner": "kim@vendor.example", "segment": "enterprise-7"}
    factories.account(session, "a1", name="Acme <b>&", **owned)
    for key in ("export", "campaigns"):
        feature = {"key": key, "name": key.title(), "event_names": [key.title()]}
        session.add(ProductFeature(workspace_id="acme", **feature))
    for week, reach in enumerate((50.0, 40.0, 30.0)):
        add_history(session, date(2026, 3, 2) + timedelta(days=7 * week), reach)
    add_history(session, date(2026, 3, 3), 45.0)
    session.add(User(workspace_id="acme", user_id="u1", account_id="a1", name="Ada Lovelace"))
    session.add(PersonRole(workspace_id="acme", user_id="u1", role="champion", known_on=day(1)))
    for number, (replied, closed) in enumerate(((30, 60), (5000, None), (None, None))):
        ticket(session, number, replied, closed)
    session.add(
        Goal(
            workspace_id="acme",
            goal_id="g",
            account_id="a1",
            title="Send more",
            metric="reach",
            baseline=0,
            target=100,
            starts_on=day(1),
            due_on=date(2026, 12, 31),
            known_on=day(1),
        )
    )
    risk: dict[str, Any] = {"level": "high", "probability": 0.8765, "risk": 0.8765, "details": {}}
    risk |= {"status": "ok", "stage": "trained", "model_version": 1, "horizon_days": 90}
    risk |= {"revenue_at_risk_cents": 1, "computed_at": NOW, "as_of": day(10)}
    session.add(ChurnRiskHistory(workspace_id="acme", account_id="a1", **risk))
    outcomes = {"30": {"succeeded": True, "health_score_change": 6.5, "retained": True}}
    done = {"done_at": NOW - timedelta(days=2), "outcomes": outcomes}
    intervention(session, 1, "done", **done)
    intervention(session, 2, "suggested")
    intervention(session, 3, "dismissed")
    session.commit()


def day(number: int) -> date:
    return date(2026, 3, number)


def ticket(session: Session, number: int, replied: int | None, closed: int | None) -> None:
    opened_at = datetime(2026, 3, 5, 9, tzinfo=UTC)
    after = [minutes and opened_at + timedelta(minutes=minutes) for minutes in (replied, closed)]
    row = {"ticket_id": str(number), "account_id": "a1", "opened_at": opened_at}
    row |= {"replied_at": after[0], "closed_at": after[1]}
    session.add(Ticket(workspace_id="acme", **row))


def get(client: TestClient, **params: str) -> Any:  # noqa: ANN401
    answer = client.get("/api/v1/accounts/a1/review", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


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
    assert [goal["title"] for goal in found["goals"]] == ["Send more"]
    assert found["support"] == {
        "opened": 3,
        "closed": 1,
        "in_time": 1,
        "median_reply_minutes": 2515,
    }


@pytest.mark.usefixtures("acme")
def test_the_internal_review_has_interventions_and_outcomes(client: TestClient) -> None:
    found = get(client)

    [done], [step] = found["done"], found["next_steps"]
    assert (done["playbook"], done["notes"], done["succeeded"]) == (
        *("right_size", "SECRET NOTE"),
        True,
    )
    assert (done["done_on"], done["message"]) == ("2026-03-16", "You pay for what you use.")
    assert (step["id"], step["next_step"]) == ("int_2", "Propose to Acme a smaller plan.")
    assert found["churn_risk"] == {"as_of": "2026-03-10", "level": "high", "probability": 0.8765}
    assert (found["owner"], found["score"], found["band"]) == (
        *("kim@vendor.example", 31.4),
        "at_risk",
    )


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("form", ["json", "html"])
def test_nothing_internal_is_in_the_customer_version(client: TestClient, form: str) -> None:
    path, params = "/api/v1/accounts/a1/review", {"format": form, "lang": "en"}

    ours = client.get(path, params=params).text
    theirs = client.get(path, params=params | {"audience": "customer"}).text

    assert "kim@vendor.example" in ours
    assert "SECRET NOTE" in ours
    assert [word for word in INTERNAL if word in theirs] == []
    assert "You pay for what you use." in theirs


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("signal", ["nps_detractor", "csat_low"])
def test_interventions_on_one_persons_answer_are_not_in_the_customer_version(
    client: TestClient, session: Session, signal: str
) -> None:
    texts = {"name": "Close the loop", "next_step": "Call.", "message": "You gave us 3 of 10."}
    columns = {"signal": signal, "details": {"texts": {"en": texts}}}
    intervention(session, 4, "suggested", playbook="close_feedback_loop", **columns)
    intervention(session, 5, "done", done_at=NOW - timedelta(days=1), outcomes={}, **columns)
    session.commit()

    ours, theirs = get(client), get(client, audience="customer")

    assert (len(ours["next_steps"]), len(ours["done"])) == (2, 2)
    assert (len(theirs["next_steps"]), len(theirs["done"])) == (1, 1)
    assert "3 of 10" not in str(theirs)


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
    assert answer.text.count("<polyline") == 1


@pytest.mark.usefixtures("acme")
def test_a_review_can_be_in_chinese(client: TestClient) -> None:
    params = {"format": "html", "lang": "zh", "audience": "customer"}

    text = client.get("/api/v1/accounts/a1/review", params=params).text

    assert '<html lang="zh-Hans">' in text
    assert "客户回顾" in text
    assert "Account review" not in text


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
