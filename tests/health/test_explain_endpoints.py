"""Explanations over HTTP, of days that were really scored."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.health import override_service, scorecard_service, service
from app.health.scorecard import Scorecard
from app.tables import Benchmark, DailyReach, DailyUsage, HealthHistory, StaleAccount, Subscription
from tests import factories
from tests.health.crowd import NOW, crowd, name_events
from tests.health.scoring import AS_OF

EARLIER = AS_OF - timedelta(days=20)
PATH = "/api/v1/accounts/a010/health/explanation"
DAYS = {"from": str(EARLIER), "to": str(AS_OF)}


def score(session: Session, day: date, account_id: str = "a010") -> None:
    """Score as the worker does on a day."""
    now = datetime.combine(day, NOW.timetz())
    service.refresh(session, "acme", [account_id], as_of=day, now=now)
    session.commit()


def explained(client: TestClient, **asked: Any) -> Any:  # noqa: ANN401
    """Ask, and hold the answer to what all must keep: the rows add up."""
    answer = client.get(PATH, params=DAYS | asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    change = found["change"]
    if change["status"] == "comparable":
        difference = found["after"]["value"] - found["before"]["value"]
        assert sum(row["points"] for row in change["rows"]) == pytest.approx(difference, abs=0.01)
        assert change["points"] == pytest.approx(difference, abs=0.001)
    return found


def kinds(found: Any) -> set[str]:  # noqa: ANN401
    return {row["kind"] for row in found["change"]["rows"]}


def sentences(found: Any, kind: str) -> list[str]:  # noqa: ANN401
    return [row["sentence"] for row in found["change"]["rows"] if row["kind"] == kind]


@pytest.fixture
def world(session: Session) -> Session:
    """Twenty-five accounts; a010 was scored twenty days ago."""
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    score(session, EARLIER)
    return session


def lose_end_customers(session: Session) -> None:
    session.execute(
        delete(DailyReach).where(
            DailyReach.account_id == "a010",
            DailyReach.day > EARLIER,
            DailyReach.end_customer_id != "c0",
        )
    )


def stop_new_peers(session: Session) -> None:
    """Let the benchmark of February hold in March too, so that only one thing changes."""
    [february] = session.scalars(select(Benchmark)).all()
    session.add(
        Benchmark(
            workspace_id="acme",
            id="2026-03-same",
            month=date(2026, 3, 1),
            meaning=february.meaning,
            config=february.config,
            provisional=False,
            current=True,
            computed_at=NOW,
        )
    )
    session.flush()


def test_a_fall_of_usage_is_told_in_a_sentence_for_each_measure(
    client: TestClient, world: Session
) -> None:
    lose_end_customers(world)
    stop_new_peers(world)
    score(world, AS_OF)

    found = explained(client)

    assert kinds(found) == {"behaviour"}
    [reach] = [row for row in found["change"]["rows"] if row["measure"] == "reach"]
    assert (reach["before"], reach["after"]) == (10, 1)
    assert reach["sentence"].startswith("Reach fell from 10 to 1 end customer: \N{MINUS SIGN}")
    assert found["change"]["sentence"].startswith("From 2026-02-26 to 2026-03-18 the score fell")
    assert (found["before"]["as_of"], found["after"]["as_of"]) == ("2026-02-26", "2026-03-18")


def test_the_level_says_what_each_measure_gives_and_leaves_out(
    client: TestClient, world: Session
) -> None:
    score(world, AS_OF)

    found = explained(client)

    assert [row["name"] for row in found["level"]] == ["breadth", "depth", "reach", "momentum"]
    assert sum(row["points"] for row in found["level"]) == pytest.approx(
        found["after"]["value"], abs=0.001
    )
    for row in found["level"]:
        assert row["points"] + row["points_missed"] == pytest.approx(
            100 * row["effective_weight"], abs=0.01
        )
    assert found["level"][2]["sentence"].startswith("Reach: 10 end customers (the median of its")


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        ({}, "", "en"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ({}, "de, en;q=0.5, zh;q=0.7", "zh"),
        ({}, "fr", "en"),
        ({"lang": "en"}, "zh", "en"),
        ({"lang": "zh"}, "en", "zh"),
    ],
)
def test_it_is_told_in_the_language_that_is_asked_for(
    client: TestClient, world: Session, asked: dict[str, str], header: str, language: str
) -> None:
    lose_end_customers(world)
    score(world, AS_OF)

    answer = client.get(PATH, params=DAYS | asked, headers={"Accept-Language": header})

    found = answer.json()
    assert found["language"] == language
    [reach] = [row for row in sentences(found, "behaviour") if "10" in row and " 1 " in row][:1]
    assert reach.startswith("触达从 10 下降到 1 位终端客户" if language == "zh" else "Reach fell")


def test_without_days_it_is_of_the_last_28(client: TestClient, world: Session) -> None:
    first = AS_OF - timedelta(days=28)
    score(world, first)
    score(world, AS_OF)

    found = client.get(PATH).json()

    assert (found["before"]["as_of"], found["after"]["as_of"]) == (str(first), str(AS_OF))


@pytest.mark.usefixtures("world")
def test_of_a_day_without_a_row_the_nearest_before_it_is_taken(client: TestClient) -> None:
    found = explained(client, **{"from": str(EARLIER + timedelta(days=3))})

    assert found["before"]["as_of"] == found["after"]["as_of"] == str(EARLIER)
    assert found["change"]["rows"] == []
    assert found["change"]["points"] == 0


@pytest.mark.usefixtures("world")
def test_days_that_are_the_wrong_way_round_are_refused(client: TestClient) -> None:
    answer = client.get(PATH, params={"from": str(AS_OF), "to": str(EARLIER)})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/from")


def test_where_there_was_no_score_nothing_is_compared(client: TestClient, world: Session) -> None:
    score(world, AS_OF)

    found = explained(client, **{"from": "2025-01-01"})

    assert found["before"] is None
    assert found["change"]["status"] == "not_comparable"
    assert (found["change"]["points"], found["change"]["rows"]) == (None, [])
    assert found["change"]["sentence"].startswith("There is no score on 2025-01-01")


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"scorecard_version": 1, "measures": [{"name": "reach", "score": 3.0}]},
        {"definition": "gone", "benchmark_id": "gone", "inputs": {}},
    ],
)
def test_a_score_from_before_explanations_were_kept_is_not_compared(
    client: TestClient, world: Session, details: dict[str, Any]
) -> None:
    score(world, AS_OF)
    world.execute(
        update(HealthHistory).where(HealthHistory.as_of == EARLIER).values(details=details)
    )
    world.commit()

    found = explained(client)

    assert found["change"]["status"] == "not_comparable"
    assert "2026-02-26" in found["change"]["sentence"]
    earlier = explained(client, to=str(EARLIER))
    assert earlier["level"] == []


def test_a_score_that_cannot_be_made_again_is_not_compared(
    client: TestClient, world: Session
) -> None:
    """Rows that add up to another number than the one people saw would be worth nothing."""
    score(world, AS_OF)
    world.execute(update(HealthHistory).where(HealthHistory.as_of == EARLIER).values(score=1.0))
    world.commit()

    assert explained(client)["change"]["status"] == "not_comparable"


def test_another_plan_price_and_seats_are_rows_of_price(client: TestClient, world: Session) -> None:
    stop_new_peers(world)
    factories.subscription(
        world,
        "a010",
        mrr_cents=1500_00,
        plan="pro",
        seats=200,
        starts_on=EARLIER + timedelta(days=1),
        known_on=EARLIER + timedelta(days=1),
    )
    world.execute(
        update(Subscription)
        .where(Subscription.account_id == "a010", Subscription.plan.is_(None))
        .values(ends_on=EARLIER + timedelta(days=1))
    )
    score(world, AS_OF)

    found = explained(client)

    assert "price" in kinds(found)
    assert "peers" not in kinds(found)
    said = sentences(found, "price")
    assert any(s.startswith("The price rose from 1,000 to 1,3") for s in said), said
    assert all("so the same" in sentence for sentence in said)


def test_a_new_month_has_rows_of_peers(client: TestClient, world: Session) -> None:
    lose_end_customers(world)
    crowd(world, range(30, 60))
    score(world, AS_OF)

    found = explained(client)

    assert "peers" in kinds(found)
    assert any("The peers are those of 2026-03 now" in each for each in sentences(found, "peers"))


def test_product_features_found_anew_are_of_the_peers(client: TestClient, world: Session) -> None:
    """Nobody has said what the product features are; in March they are others than in February."""
    name_events(world, "Novelty")
    crowd(world, range(30, 60), event_names=["Novelty"])
    score(world, AS_OF)

    found = explained(client)

    assert "config" not in kinds(found)
    assert "peers" in kinds(found)


def test_after_an_activation_a_row_is_of_the_configuration(
    client: TestClient, world: Session
) -> None:
    wanted = Scorecard.model_validate(
        {"default": {"measures": [_reach(weight=3), _line("depth", 1)]}}
    )
    row = scorecard_service.draft(world, "acme", wanted, actor="test", now=NOW)
    scorecard_service.activate(world, "acme", row.version, actor="test", now=NOW)
    score(world, AS_OF)

    found = explained(client)

    assert (found["before"]["scorecard_version"], found["after"]["scorecard_version"]) == (1, 2)
    [said] = sentences(found, "config")
    assert said.startswith("Scorecard version 2 took the place of version 1: ")


def _reach(weight: float) -> dict[str, Any]:
    source = {"metric": "reach"}
    return {
        "name": "reach",
        "source": source,
        "transform": {"kind": "percentile"},
        "weight": weight,
    }


def _line(name: str, weight: float) -> dict[str, Any]:
    line = {"kind": "linear_bounded", "at_0": 0, "at_100": 50}
    return {"name": name, "source": {"metric": name}, "transform": line, "weight": weight}


def test_an_overruled_day_has_a_row_of_the_override(client: TestClient, world: Session) -> None:
    stop_new_peers(world)
    override_service.put(
        world,
        "acme",
        "a010",
        value=95,
        reason="They signed.",
        author="kim@example.com",
        expires_at=NOW + timedelta(days=30),
        actor="test",
        now=NOW,
    )
    world.commit()

    found = explained(client)

    assert found["after"]["status"] == "overridden"
    assert found["after"]["value"] == 95
    [said] = sentences(found, "override")
    assert said.startswith(
        'kim@example.com set the score to 95 until 2026-04-17 ("They signed"): +'
    )


def test_a_stale_day_is_explained_by_what_was_known_when_the_source_fell_silent(
    client: TestClient, world: Session
) -> None:
    lose_end_customers(world)
    score(world, AS_OF - timedelta(days=2))
    world.execute(delete(DailyUsage).where(DailyUsage.account_id == "a010"))
    world.add(StaleAccount(workspace_id="acme", account_id="a010", key_id="k1"))
    score(world, AS_OF)

    found = explained(client)
    before = explained(client, to=str(AS_OF - timedelta(days=2)))

    assert found["after"]["status"] == "stale"
    assert found["after"]["value"] == before["after"]["value"]
    assert found["change"]["rows"] == before["change"]["rows"]


@pytest.mark.parametrize("account_id", ["nobody", "theirs"])
def test_an_unknown_account_is_not_found(
    client: TestClient, session: Session, account_id: str
) -> None:
    factories.workspace(session, "other")
    factories.account(session, "theirs", workspace_id="other")

    answer = client.get(f"/api/v1/accounts/{account_id}/health/explanation")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
