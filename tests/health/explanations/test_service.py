"""What is told of two real days between which one thing has changed."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.health.definition.scorecard import Scorecard
from app.health.overrides import service as override_service
from app.health.versions import service as scorecard_service
from app.tables import DailyUsage, StaleAccount, Subscription
from app.workspaces.service import Actor
from tests import factories
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events
from tests.health.explanations.scored_days import (
    EARLIER,
    create_scored_account,
    effect_kinds,
    get_explanation,
    lose_end_customers,
    repeat_benchmark,
    score_account,
    sentences_of_kind,
)


@pytest.fixture
def world(session: Session) -> Session:
    return create_scored_account(session)


def test_a_fall_of_usage_is_told_in_a_sentence_for_each_measure(
    client: TestClient, world: Session
) -> None:
    lose_end_customers(world)
    repeat_benchmark(world)
    score_account(world, AS_OF)

    found = get_explanation(client)

    assert effect_kinds(found) == {"behaviour"}
    [reach] = [row for row in found["change"]["rows"] if row["measure"] == "reach"]
    assert (reach["before"], reach["after"]) == (10, 1)
    assert reach["sentence"].startswith("Reach fell from 10 to 1 end customer: \N{MINUS SIGN}")
    assert found["change"]["sentence"].startswith("From 2026-02-26 to 2026-03-18 the score fell")
    assert (found["before"]["as_of"], found["after"]["as_of"]) == ("2026-02-26", "2026-03-18")


def test_another_plan_price_and_seats_are_rows_of_price(client: TestClient, world: Session) -> None:
    repeat_benchmark(world)
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
    score_account(world, AS_OF)

    found = get_explanation(client)

    assert "price" in effect_kinds(found)
    assert "peers" not in effect_kinds(found)
    said = sentences_of_kind(found, "price")
    assert any(s.startswith("The price rose from 1,000 to 1,3") for s in said), said
    assert all("so the same" in sentence for sentence in said)


def test_a_new_month_has_rows_of_peers(client: TestClient, world: Session) -> None:
    lose_end_customers(world)
    crowd(world, range(30, 60))
    score_account(world, AS_OF)

    found = get_explanation(client)

    assert "peers" in effect_kinds(found)
    assert any(
        "The peers are those of 2026-03 now" in each for each in sentences_of_kind(found, "peers")
    )


def test_product_features_found_anew_are_of_the_peers(client: TestClient, world: Session) -> None:
    """Nobody has said what the product features are; in March they are others than in February."""
    name_events(world, "Novelty")
    crowd(world, range(30, 60), event_names=["Novelty"])
    score_account(world, AS_OF)

    found = get_explanation(client)

    assert "config" not in effect_kinds(found)
    assert "peers" in effect_kinds(found)


def test_after_an_activation_a_row_is_of_the_configuration(
    client: TestClient, world: Session
) -> None:
    wanted = Scorecard.model_validate(
        {"default": {"measures": [_reach(weight=3), _line("depth", 1)]}}
    )
    row = scorecard_service.draft(world, Actor("acme", "test", NOW), wanted)
    scorecard_service.activate(world, Actor("acme", "test", NOW), row.version)
    score_account(world, AS_OF)

    found = get_explanation(client)

    assert (found["before"]["scorecard_version"], found["after"]["scorecard_version"]) == (1, 2)
    [said] = sentences_of_kind(found, "config")
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
    repeat_benchmark(world)
    override_service.put_override(
        world,
        Actor("acme", "test", NOW),
        "a010",
        value=95,
        reason="They signed.",
        author="kim@example.com",
        expires_at=NOW + timedelta(days=30),
    )
    world.commit()

    found = get_explanation(client)

    assert found["after"]["status"] == "overridden"
    assert found["after"]["value"] == 95
    [said] = sentences_of_kind(found, "override")
    assert said.startswith(
        'kim@example.com set the score to 95 until 2026-04-17 ("They signed"): +'
    )


def test_a_stale_day_is_explained_by_what_was_known_when_the_source_fell_silent(
    client: TestClient, world: Session
) -> None:
    lose_end_customers(world)
    score_account(world, AS_OF - timedelta(days=2))
    world.execute(delete(DailyUsage).where(DailyUsage.account_id == "a010"))
    world.add(StaleAccount(workspace_id="acme", account_id="a010", key_id="k1"))
    score_account(world, AS_OF)

    found = get_explanation(client)
    before = get_explanation(client, to=str(AS_OF - timedelta(days=2)))

    assert found["after"]["status"] == "stale"
    assert found["after"]["value"] == before["after"]["value"]
    assert found["change"]["rows"] == before["change"]["rows"]
