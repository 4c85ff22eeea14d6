"""The sentences of explanations in both languages."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.languages import Language
from app.health.definition.entitlement import Offer
from app.health.explanations.explain import explain_change
from app.health.explanations.sentences import change_sentence, effect_sentence, level_sentence
from app.health.scoring.post_processing import Override
from tests.health.builders import AS_OF
from tests.health.explanations.samples import EN, USUAL_DAY, ZH, effect, scored_day, sentences
from tests.health.histories import random_history


@pytest.mark.parametrize(
    ("name", "raw", "points", "english", "chinese"),
    [
        (
            *("reach", (412, 190), -9.1),
            "Reach fell from 412 to 190 end customers: −9.1 points.",
            "触达从 412 下降到 190 位终端客户：−9.1 分。",
        ),
        (
            *("reach", (0, 1), 3),
            "Reach rose from 0 to 1 end customer: +3.0 points.",
            "触达从 0 上升到 1 位终端客户：+3.0 分。",
        ),
        (
            *("reach", (1_200_000, 0), -40),
            "Reach fell from 1,200,000 to 0 end customers: −40.0 points.",
            "触达从 1,200,000 下降到 0 位终端客户：−40.0 分。",
        ),
        (
            *("momentum", (55.35, 43.69), -0.04),
            "Momentum fell from 55.4 to 43.7: −0.04 points.",
            "趋势从 55.4 下降到 43.7：−0.04 分。",
        ),
        (
            *("csat", (4.52, 4.54), 0.2),
            '"csat" rose from 4.52 to 4.54: +0.2 points.',
            "“csat”从 4.52 上升到 4.54：+0.2 分。",
        ),
        (
            *("csat", (float("nan"), 4), 5),
            '"csat" is known now (4): +5.0 points.',
            "“csat”现在有了数据（4）：+5.0 分。",
        ),
        (
            *("csat", (4, float("nan")), -5),
            '"csat" is no longer known (it was 4): −5.0 points.',
            "“csat”不再有数据（此前为 4）：−5.0 分。",
        ),
        (
            *("tickets", (2, 1), 2),
            '"tickets" fell from 2 to 1 event: +2.0 points.',
            "“tickets”从 2 下降到 1 次事件：+2.0 分。",
        ),
        (
            *("days_to_renewal", (60, -3), -12),
            "Time to renewal fell from 60 to −3 days: −12.0 points.",
            "距续约的时间从 60 下降到 −3 天：−12.0 分。",
        ),
    ],
)
def test_moved_usage(
    name: str, raw: tuple[float, float], points: float, english: str, chinese: str
) -> None:
    assert sentences(effect("behaviour", points, name, *raw)) == (english, chinese)


def test_product_features_of_different_weights_are_counted_by_weight() -> None:
    weighted = replace(USUAL_DAY.definition, offer=Offer({"export": 2.5}, {}))
    before = replace(USUAL_DAY, definition=weighted)

    english, chinese = sentences(effect("behaviour", -4, "breadth", 5, 2.5), before)

    assert chinese == "使用广度从 5 下降到 2.5 点功能权重：−4.0 分。"
    assert english == "Breadth fell from 5 to a total feature weight of 2.5: −4.0 points."


def test_a_level_by_weight_says_what_weighs() -> None:
    weighted = replace(USUAL_DAY.definition, offer=Offer({"export": 2.5}, {}))
    described = {
        "name": "breadth",
        "source": "breadth",
        "effective_weight": 0.2857,
        "score": 41.2,
        "raw": 3.0,
        "median": 13.0,
        "points": 11.77,
    }

    english, chinese = (level_sentence(described, weighted, each) for each in (EN, ZH))

    assert english.startswith("Breadth: features in use weigh 3 (peers: 13); it gives 11.8 of")
    assert chinese.startswith("使用广度：在用产品功能的权重合计 3（同类中位数 13），得 11.8 分")


def test_unchanged_reach_among_more_end_customers() -> None:
    sentence, _ = sentences(
        effect("behaviour", -2, "reach", 50, 50),
        scored_day(end_customers=100),
        scored_day(end_customers=200),
    )

    assert sentence == ("Reach stayed at 50 end customers, out of 200 instead of 100: −2.0 points.")


@pytest.mark.parametrize(
    ("values", "english"),
    [
        ({"added": ["csat"]}, 'Known now: "csat"; so the other measures weigh less'),
        ({"removed": ["reach", "csat"]}, 'No longer known: reach, "csat"; so the other measures'),
        (
            {"added": ["csat"], "removed": ["reach"]},
            'Known now: "csat" and no longer known: reach; so',
        ),
        ({}, "The known data of the account changed; so the measures weigh differently"),
    ],
)
def test_measures_that_became_known_or_unknown(values: dict[str, Any], english: str) -> None:
    assert sentences(effect("coverage", -1, **values))[0].startswith(english)


@pytest.mark.parametrize(
    ("values", "english"),
    [
        ({"added": ["It ends soon."]}, 'Now applies: "It ends soon": −5.0 points.'),
        ({"removed": ["A", "B。"]}, 'No longer applies: "A", "B": −5.0 points.'),
        (
            {"added": ["A"], "removed": ["B"]},
            'Now applies: "A" and no longer applies: "B": −5.0 points.',
        ),
        ({"unchanged": ["A"]}, 'Still applies: "A": −5.0 points.'),
        ({}, "Points beyond 0 or 100 do not count: −5.0 points."),
    ],
)
def test_adjustments_and_bounds(values: dict[str, Any], english: str) -> None:
    assert sentences(effect("behaviour", -5, **values))[0] == english


def test_changed_configuration() -> None:
    config = effect("config", -1)
    version = replace(USUAL_DAY, definition=replace(USUAL_DAY.definition, version=2))
    offer = replace(
        USUAL_DAY, definition=replace(USUAL_DAY.definition, offer=Offer({"x": 1.0}, {}))
    )
    card = replace(USUAL_DAY, card_name="large")

    assert sentences(config, after=version) == (
        "Scorecard version 2 took the place of version 1: −1.0 points.",
        "评分卡版本 2 取代版本 1：−1.0 分。",
    )
    assert sentences(config, after=offer)[0].startswith(
        "Product features, plans or settings changed:"
    )
    assert sentences(config, after=card)[0].startswith(
        'The account is scored by the card "large" instead of "de'
    )


def test_overrides() -> None:
    given = Override(80, "They signed.", "kim@example.com", datetime(2026, 6, 30, tzinfo=UTC))
    overridden = replace(USUAL_DAY, override=given)
    by_hand = effect("override", 20)

    assert sentences(by_hand, after=overridden) == (
        'kim@example.com set the score to 80 until 2026-06-30 ("They signed"): +20.0 points.',
        "kim@example.com 将分数设为 80，有效期至 2026-06-30（理由：“They signed”）：+20.0 分。",
    )
    assert sentences(by_hand, before=overridden)[0] == (
        "The override of 80 by kim@example.com ended: +20.0 points."
    )
    assert sentences(by_hand, overridden, overridden)[0].startswith(
        "kim@example.com holds the score at 80"
    )


@pytest.mark.parametrize(
    ("name", "values", "english"),
    [
        ("reach", {}, "Reach: 190 end customers (peers: 240); it gives 11.8 of"),
        ("reach", {"median": None}, "Reach: 190 end customers; it gives 11.8 of 28.6 points."),
        ("reach", {"raw": 1.0}, "Reach: 1 end customer (peers: 240)"),
        ("reach", {"score": None, "raw": None}, "Reach is not known and gives no points."),
        ("csat", {"raw": None, "score": 40.0}, '"csat" is not known and counts as 40; it gives'),
    ],
)
def test_the_level_of_a_measure(name: str, values: dict[str, Any], english: str) -> None:
    source = {"reach": "reach", "csat": "traits.csat"}[name]
    usual = {"score": 41.2, "raw": 190.0, "median": 240.0, "points": 11.77}
    described = {"name": name, "source": source, "effective_weight": 0.2857, **usual, **values}

    sentence = level_sentence(described, USUAL_DAY.definition, EN)

    assert sentence.startswith(english)
    assert sentence.endswith(".")
    assert level_sentence(described, USUAL_DAY.definition, ZH).endswith("。")


def test_the_change_of_the_score() -> None:
    days = (AS_OF - timedelta(days=28), AS_OF)

    assert change_sentence(days, (61.5, 52.4), EN) == (
        "From 2026-02-18 to 2026-03-18 the score fell from 61.5 to 52.4: −9.1 points."
    )
    assert change_sentence(days, (61.5, 61.5), EN).endswith("the score stayed at 61.5.")
    assert change_sentence(days, (61.5, 61.5), ZH).endswith("分数保持在 61.5。")


def test_an_effect_that_is_shown_as_zero_tenths_is_below_a_tenth() -> None:
    small = effect("behaviour", -0.04, "momentum", 55.35, 43.69)
    shown = [
        effect_sentence(small, USUAL_DAY, USUAL_DAY, language, shown_points=0.0)
        for language in (EN, ZH)
    ]

    assert shown == [
        "Momentum fell from 55.4 to 43.7: less than 0.1 points.",
        "趋势从 55.4 下降到 43.7：不到 0.1 分。",
    ]


@pytest.mark.parametrize("language", Language)
def test_every_sentence_of_any_history_is_complete(language: Language) -> None:
    for seed in range(300):
        before, after = random_history(seed)
        for moved in explain_change(before, after):
            sentence = effect_sentence(moved, before, after, language)

            assert not re.search(r"[{}]|\bnan\b|None|  |e-\d", sentence), sentence
            assert sentence.endswith(" points." if language is EN else " 分。")


def test_plans_are_named() -> None:
    """A plan that the catalogue does not have is named by its key."""
    name, before = "Team & more", scored_day(plan="basic", seats=5)
    after = replace(scored_day(plan="team", seats=5), plan_names={"team": name})
    english, chinese = sentences(effect("price", -2, "breadth", 3, 2), before, after)

    assert f"because the plan changed from basic to {name}" in english
    assert name in chinese
    assert " team" not in english
