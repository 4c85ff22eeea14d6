"""Explanations of two real days between which one thing changed."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.core.languages import Language
from app.health.definition.scorecard import Scorecard
from app.health.explanations.explain import ScoredDay, evaluate_account
from app.health.explanations.service import change_rows
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
    shown_tenths,
)
from tests.health.histories import random_history


@pytest.fixture
def world(session: Session) -> Session:
    return create_scored_account(session)


def test_a_fall_of_usage_has_a_sentence_for_each_measure(
    client: TestClient, world: Session
) -> None:
    lose_end_customers(world)
    repeat_benchmark(world)
    score_account(world, AS_OF)

    explanation = get_explanation(client)

    assert effect_kinds(explanation) == {"behaviour"}
    [reach] = [row for row in explanation["change"]["rows"] if row["measure"] == "reach"]
    assert (reach["before"], reach["after"]) == (10, 1)
    assert reach["sentence"].startswith("Reach fell from 10 to 1 end customer: \N{MINUS SIGN}")
    assert explanation["change"]["sentence"].startswith(
        "From 2026-02-26 to 2026-03-18 the score fell"
    )
    assert (explanation["before"]["as_of"], explanation["after"]["as_of"]) == (
        "2026-02-26",
        "2026-03-18",
    )


def test_another_plan_price_and_seats_are_effects_of_price(
    client: TestClient, world: Session
) -> None:
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

    explanation = get_explanation(client)

    assert "price" in effect_kinds(explanation)
    assert "peers" not in effect_kinds(explanation)
    sentences = sentences_of_kind(explanation, "price")
    assert any(s.startswith("The mean price rose from 1,000 to 1,3") for s in sentences), sentences
    assert all("so the same" in sentence for sentence in sentences)


def test_a_new_month_has_effects_of_peers(client: TestClient, world: Session) -> None:
    lose_end_customers(world)
    crowd(world, range(30, 60))
    score_account(world, AS_OF)

    explanation = get_explanation(client)

    assert "peers" in effect_kinds(explanation)
    assert any(
        "The peers are those of 2026-03 now" in each
        for each in sentences_of_kind(explanation, "peers")
    )


def test_new_product_features_found_in_the_usage_are_an_effect_of_peers(
    client: TestClient, world: Session
) -> None:
    """No product features are configured, and those found in March differ from February."""
    name_events(world, "Novelty")
    crowd(world, range(30, 60), event_names=["Novelty"])
    score_account(world, AS_OF)

    explanation = get_explanation(client)

    assert "config" not in effect_kinds(explanation)
    assert "peers" in effect_kinds(explanation)


def test_an_activated_scorecard_is_an_effect_of_configuration(
    client: TestClient, world: Session
) -> None:
    wanted = Scorecard.model_validate(
        {"default": {"measures": [_reach(weight=3), _line("depth", 1)]}}
    )
    row = scorecard_service.draft(world, Actor("acme", "test", NOW), wanted)
    scorecard_service.activate(world, Actor("acme", "test", NOW), row.version)
    score_account(world, AS_OF)

    explanation = get_explanation(client)

    assert (
        explanation["before"]["scorecard_version"],
        explanation["after"]["scorecard_version"],
    ) == (1, 2)
    [sentence] = sentences_of_kind(explanation, "config")
    assert sentence.startswith("Scorecard version 2 took the place of version 1: ")


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


def test_an_override_is_an_effect_of_its_own(client: TestClient, world: Session) -> None:
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

    explanation = get_explanation(client)

    assert explanation["after"]["status"] == "overridden"
    assert explanation["after"]["value"] == 95
    [sentence] = sentences_of_kind(explanation, "override")
    assert sentence.startswith(
        'kim@example.com set the score to 95 until 2026-04-17 ("They signed"): +'
    )


def test_a_stale_day_is_explained_by_the_data_before_its_source_fell_silent(
    client: TestClient, world: Session
) -> None:
    lose_end_customers(world)
    score_account(world, AS_OF - timedelta(days=2))
    world.execute(delete(DailyUsage).where(DailyUsage.account_id == "a010"))
    world.add(StaleAccount(workspace_id="acme", account_id="a010", key_id="k1"))
    score_account(world, AS_OF)

    explanation = get_explanation(client)
    before = get_explanation(client, to=str(AS_OF - timedelta(days=2)))

    assert explanation["after"]["status"] == "stale"
    assert explanation["after"]["value"] == before["after"]["value"]
    assert explanation["change"]["rows"] == before["change"]["rows"]


def test_rows_add_up_as_shown_for_any_history() -> None:
    """The unrounded effects add up exactly; the rounded ones must too (issue 13, A15)."""
    for seed in range(200):
        before, after = random_history(seed)
        scores = shown_score(before), shown_score(after)

        rows = change_rows(before, after, scores, Language.EN)

        assert round(sum(row.points for row in rows), 4) == round(scores[1] - scores[0], 4), seed
        tenths = [round(10 * round(score, 1)) for score in scores]
        assert sum(shown_tenths(row.sentence) for row in rows) == tenths[1] - tenths[0], seed


def shown_score(day: ScoredDay) -> float:
    value = day.override.value if day.override else evaluate_account(day).value
    return round(value, 4)
