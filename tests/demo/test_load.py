"""A small demo in a database: whatever it is asked, it has a true answer."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.demo import load as demo_load
from app.demo.load import Demo
from tests.conftest import NOW, CreateDatabase, attach_test_storage, client_of

Ask = Callable[[str], Any]
"""Gets a path with the demo's read key."""
REPORTS = "/reports/"


@pytest.fixture(scope="module")
def committed(databases: CreateDatabase, migrated: str) -> Iterator[SessionFactory]:
    engine = open_engine(databases("demo", template=migrated), pool_size=4)
    yield create_session_factory(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def demo(committed: SessionFactory) -> Demo:
    """A sixth of the accounts of the demo, for ten months, with four weeks of scores."""
    return demo_load.load(
        committed,
        name="Demo",
        seed=5,
        now=NOW,
        progress=lambda *_: None,
        weeks=4,
        accounts=100,
        days=300,
    )


@pytest.fixture
def ask(demo: Demo, running_app: TestClient, app: FastAPI, committed: SessionFactory) -> Ask:
    client = client_of(running_app, demo.read_key.text)

    def get(path: str) -> Any:  # noqa: ANN401 - JSON
        attach_test_storage(app, committed)
        answer = client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def rows(sessions: SessionFactory, statement: str) -> list[Any]:
    with transaction(sessions) as session:
        return [tuple(row) for row in session.execute(text(statement))]


def test_an_end_is_known_when_notice_is_given_or_when_it_comes(
    demo: Demo, committed: SessionFactory
) -> None:
    """A period whose end was known from its start would say what is to come."""
    ends = (
        "SELECT account_id, starts_on, min(known_on) FROM subscription"
        " WHERE ends_on IS NOT NULL GROUP BY 1, 2"
    )
    known = {(account_id, starts_on): day for account_id, starts_on, day in rows(committed, ends)}

    assert known == {
        (row.account_id, row.starts_on): row.end_known_on or row.ends_on
        for row in demo.world.subscriptions
        if row.ends_on
    }


def test_every_event_is_understood(demo: Demo, committed: SessionFactory) -> None:
    assert rows(committed, "SELECT count(*) FROM quarantined_event") == [(0,)]
    assert rows(committed, "SELECT count(*) FROM unattributed_event") == [(0,)]
    assert demo.events == rows(committed, "SELECT count(*) FROM event")[0][0]


def test_the_line_on_the_model_says_what_accounts_have(demo: Demo, ask: Ask) -> None:
    """An active model gives each paying account a probability with drivers; a shadow gives none."""
    listed = ask("/accounts?status=ok&limit=200")["items"]
    risks = [each["churn_risk"] for each in listed if each["churn_risk"]["status"] == "ok"]
    detail = ask(f"/accounts/{listed[0]['account_id']}/churn-risk")

    assert len(risks) > 50
    is_active = demo.model.startswith("version 1, ")
    assert {risk["probability"] is not None for risk in risks} == {is_active}
    assert {risk["stage"] for risk in risks} == {
        demo.model.split()[2].strip(":") if is_active else "rules"
    }
    assert detail["drivers"]


def test_every_report_has_something_true_to_show(ask: Ask, app: FastAPI) -> None:
    paths = {path for path in app.openapi()["paths"] if path.startswith(f"/api/v1{REPORTS}")}
    answers = {
        path.removeprefix(f"/api/v1{REPORTS}"): ask(path.removeprefix("/api/v1")) for path in paths
    }
    answers["purchase-value"] = ask(f"{REPORTS}purchase-value?months=3")  # the demo is shorter here
    retention = answers["revenue-retention"]
    assert answers.pop("revenue-at-risk-calibration")["months"] == []  # no claim before today

    shown = {
        "arr-at-risk": answers["arr-at-risk"]["quarters"],
        "churn-causes": answers["churn-causes"]["findings"] and answers["churn-causes"]["reasons"],
        "revenue-retention": retention["gross_revenue_retention"]["value"],
        "repurchase-rate": answers["repurchase-rate"]["value"],
        "nps": answers["nps"]["value"],
        "time-to-first-value": answers["time-to-first-value"]["n"],
        "lifetime-value": answers["lifetime-value"]["segments"][0]["clv"]["value"],
        "purchase-value": answers["purchase-value"]["clv"]["value"],
        "movers": answers["movers"]["movers"],
        "cohorts": answers["cohorts"]["cohorts"],
        "distribution": answers["distribution"]["days"][-1]["bands"],
        "feedback": answers["feedback"]["topics"],
        "sentiment-disagreements": answers["sentiment-disagreements"]["disagreements"],
    }
    assert shown.keys() == answers.keys()
    assert all(shown.values()), shown


def test_owners_state_how_they_feel_and_plan_what_to_do(
    demo: Demo, committed: SessionFactory
) -> None:
    """Each bad sentiment has a note of a call and a task, which is done after two weeks."""
    stated = rows(committed, "SELECT account_id, value, reason, author FROM sentiment")
    bad = [(account_id, reason) for account_id, value, reason, _ in stated if value <= 2]
    calls = rows(committed, "SELECT account_id, text FROM note WHERE kind = 'call'")
    tasks = rows(committed, "SELECT account_id, due_on, done_at IS NULL FROM task")
    owners = {each.account_id: each.owner for each in demo.world.accounts}

    assert all(owners[account_id] == author for account_id, _, _, author in stated)
    assert bad
    assert sorted(calls) == sorted(bad)
    assert sorted(key for key, _, _ in tasks) == sorted(key for key, _ in bad)
    assert all(is_open == (due_on >= NOW.date()) for _, due_on, is_open in tasks)


def test_a_review_shows_people_goals_support_and_answers(ask: Ask) -> None:
    """Of the accounts that pay, each part of a review is filled for some, and most for many."""
    reviews = [
        ask(f"/accounts/{each['account_id']}/review?audience=internal")
        for each in ask("/accounts?status=ok&sort=-mrr&limit=20")["items"]
    ]
    parts = ("people", "goals", "used", "unused", "peers", "value", "counts")

    assert all(any(review[part] for review in reviews) for part in parts)
    assert any(review["support"]["opened"] for review in reviews)
    assert any(review["nps_mean"] is not None for review in reviews)
    assert any(review["csat_mean"] is not None for review in reviews)
    roles = {role for review in reviews for person in review["people"] for role in person["roles"]}
    assert roles == {"champion", "sponsor"}


def test_answers_of_people_and_incidents_open_signals(
    demo: Demo, committed: SessionFactory
) -> None:
    statement = "SELECT DISTINCT signal FROM account_signal WHERE cleared_at IS NULL"
    cleared = "SELECT count(*) FROM account_signal WHERE cleared_at IS NOT NULL"
    names = {name for (name,) in rows(committed, statement)}

    assert demo.events
    assert rows(committed, cleared) > [(20,)]
    assert names >= {
        *("nps_detractor", "nps_promoter", "goal_off_track", "goal_achieved"),
        *("incident_affected", "request_shipped"),
    }
