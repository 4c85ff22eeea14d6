"""Explanations over HTTP: of which days, in which language, and when there is none."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.health.scoring import service
from app.tables import HealthHistory, ProductFeature
from tests import factories
from tests.conftest import NOW
from tests.health.builders import AS_OF
from tests.health.explanations.scored_days import (
    DAYS,
    EARLIER,
    PATH,
    create_scored_account,
    get_explanation,
    lose_end_customers,
    score_account,
    sentences_of_kind,
)


@pytest.fixture
def world(session: Session) -> Session:
    return create_scored_account(session)


def test_the_level_has_the_given_and_the_missed_points_of_each_measure(
    client: TestClient, world: Session
) -> None:
    score_account(world, AS_OF)

    explanation = get_explanation(client)

    assert [row["name"] for row in explanation["level"]] == [
        "breadth",
        "depth",
        "reach",
        "momentum",
    ]
    assert sum(row["points"] for row in explanation["level"]) == pytest.approx(
        explanation["after"]["value"], abs=0.001
    )
    for row in explanation["level"]:
        assert row["points"] + row["points_missed"] == pytest.approx(
            100 * row["effective_weight"], abs=0.01
        )
    assert explanation["level"][2]["sentence"].startswith("Reach: 10 end customers (peers: 13)")


def test_the_level_names_no_peers_of_five_accounts(client: TestClient, session: Session) -> None:
    """Five imported accounts that all use three features had "a median of its peers" of 0 (C4)."""
    ids = [f"a01{number}" for number in range(5)]
    factories.workspace(session)
    for account_id in ids:
        factories.account(session, account_id, started_on=AS_OF - timedelta(days=90))
        factories.first_use(session, AS_OF - timedelta(days=90), account_id=account_id)
        factories.subscription(session, account_id)
        for name in ("Export", "Share", "Sign"):
            for days in (1, 2):
                day = AS_OF - timedelta(days=days)
                factories.usage(session, day, account_id=account_id, event_name=name)
    for day in (date(2026, 2, 27), date(2026, 2, 28)):  # the others used nothing at a month-end
        factories.usage(session, day, account_id=ids[1], event_name="Sign")
    for name in ("Export", "Share", "Sign", "Send"):
        feature = {"key": name.lower(), "name": name, "event_names": [name], "weight": 1.0}
        session.add(ProductFeature(workspace_id="acme", **feature))
    session.flush()
    for account_id in ids:
        score_account(session, AS_OF, account_id)

    level = get_explanation(client)["level"]

    breadth = level[0]
    assert (breadth["raw"], breadth["median"], breadth["median_per_dollar"]) == (3, None, None)
    assert breadth["sentence"].startswith("Breadth: 3 product features; it gives ")
    assert not any("peers" in row["sentence"] for row in level)


@pytest.mark.parametrize(
    ("params", "header", "language"),
    [
        ({}, "", "en"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ({}, "de, en;q=0.5, zh;q=0.7", "zh"),
        ({}, "fr", "en"),
        ({"lang": "en"}, "zh", "en"),
        ({"lang": "zh"}, "en", "zh"),
    ],
)
def test_sentences_are_in_the_requested_language(
    client: TestClient, world: Session, params: dict[str, str], header: str, language: str
) -> None:
    lose_end_customers(world)
    score_account(world, AS_OF)

    answer = client.get(PATH, params=DAYS | params, headers={"Accept-Language": header})

    explanation = answer.json()
    assert explanation["language"] == language
    [reach] = [
        row for row in sentences_of_kind(explanation, "behaviour") if "10" in row and " 1 " in row
    ][:1]
    assert reach.startswith("触达从 10 下降到 1 位终端客户" if language == "zh" else "Reach fell")


def test_without_days_the_last_28_are_explained(client: TestClient, world: Session) -> None:
    first = AS_OF - timedelta(days=28)
    service.refresh(world, "acme", ["a010"], as_of=first, now=NOW)
    score_account(world, AS_OF)

    explanation = client.get(PATH).json()

    assert (explanation["before"]["as_of"], explanation["after"]["as_of"]) == (
        str(first),
        str(AS_OF),
    )


@pytest.mark.usefixtures("world")
def test_a_day_without_a_row_takes_the_nearest_row_before_it(client: TestClient) -> None:
    explanation = get_explanation(client, **{"from": str(EARLIER + timedelta(days=3))})

    assert explanation["before"]["as_of"] == explanation["after"]["as_of"] == str(EARLIER)
    assert explanation["change"]["rows"] == []
    assert explanation["change"]["points"] == 0


@pytest.mark.usefixtures("world")
def test_a_first_day_after_the_last_day_is_refused(client: TestClient) -> None:
    answer = client.get(PATH, params={"from": str(AS_OF), "to": str(EARLIER)})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/from")


def test_a_day_without_a_score_is_not_comparable(client: TestClient, world: Session) -> None:
    score_account(world, AS_OF)

    explanation = get_explanation(client, **{"from": "2025-01-01"})

    assert explanation["before"] is None
    assert explanation["change"]["status"] == "not_comparable"
    assert (explanation["change"]["points"], explanation["change"]["rows"]) == (None, [])
    assert explanation["change"]["sentence"].startswith("There is no score on 2025-01-01")


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"scorecard_version": 1, "measures": [{"name": "reach", "score": 3.0}]},
        {"definition": "gone", "benchmark_id": "gone", "inputs": {}},
    ],
)
def test_a_score_without_stored_inputs_is_not_comparable(
    client: TestClient, world: Session, details: dict[str, Any]
) -> None:
    score_account(world, AS_OF)
    world.execute(
        update(HealthHistory).where(HealthHistory.as_of == EARLIER).values(details=details)
    )
    world.commit()

    explanation = get_explanation(client)

    assert explanation["change"]["status"] == "not_comparable"
    assert "2026-02-26" in explanation["change"]["sentence"]
    earlier = get_explanation(client, to=str(EARLIER))
    assert earlier["level"] == []


def test_a_score_that_cannot_be_computed_again_is_not_comparable(
    client: TestClient, world: Session
) -> None:
    """Rows that add up to another number than the published score would be worthless."""
    score_account(world, AS_OF)
    world.execute(update(HealthHistory).where(HealthHistory.as_of == EARLIER).values(score=1.0))
    world.commit()

    assert get_explanation(client)["change"]["status"] == "not_comparable"


@pytest.mark.parametrize("account_id", ["nobody", "theirs"])
def test_an_unknown_account_is_not_found(
    client: TestClient, session: Session, account_id: str
) -> None:
    factories.workspace(session, "other")
    factories.account(session, "theirs", workspace_id="other")

    answer = client.get(f"/api/v1/accounts/{account_id}/health/explanation")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
