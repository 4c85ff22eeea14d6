"""Explanations read as if a person had written them, in both languages."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.features.values import FeatureMap, Lens, ReachSource
from app.health.definition import Definition
from app.health.entitlement import Offer
from app.health.explain import Kind, Row, Side, explain
from app.health.figures import money, number, pair, signed
from app.health.measures import CardMeasure, EventsSource, Linear, TraitSource
from app.health.metrics import METRICS
from app.health.overlays import Override
from app.health.scorecard import Card, Scorecard
from app.health.wording import change_sentence, level_sentence, sentence
from app.health.words import WORDS, Language, preferred
from tests.health.histories import history
from tests.health.scoring import AS_OF, known, measure, simple

EN, ZH = Language.EN, Language.ZH
CSAT = CardMeasure(
    name="csat", source=TraitSource(trait="csat"), transform=Linear(at_0=1, at_100=5)
)
TICKETS = CardMeasure(
    name="tickets",
    source=EventsSource(events=["Ticket Opened"]),
    transform=Linear(at_0=9, at_100=0),
)
LENS = Lens(FeatureMap([]), ReachSource(), "USD", 28)
NAMES = ("breadth", "depth", "reach", "momentum", "seats", "mrr", "days_to_renewal")
LINE = Linear(at_0=0, at_100=100)


def side(**features: Any) -> Side:  # noqa: ANN401
    others = [measure(name, LINE) for name in NAMES if name not in {"breadth", "depth", "reach"}]
    ranked = [measure(name) for name in ("breadth", "depth", "reach")]
    card = Card(measures=[*ranked, *others, CSAT, TICKETS])
    offer = Offer({"export": 1.0}, {})
    said = Definition(1, Scorecard(default=card), offer, LENS, configured=True)
    return Side(AS_OF, known(**features), said, {"": simple()}, "default")


USUAL = side()


def row(kind: str, points: float, name: str | None = None, *raw: float, **said: Any) -> Row:  # noqa: ANN401
    before, after = raw or (None, None)
    return Row(Kind(kind), points, name, before, after, **said)


def both(told: Row, before: Side = USUAL, after: Side = USUAL) -> tuple[str, str]:
    return sentence(told, before, after, EN), sentence(told, before, after, ZH)


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
            'CSAT: "csat" rose from 4.52 to 4.54: +0.2 points.'.removeprefix("CSAT: "),
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
def test_usage_that_moved(
    name: str, raw: tuple[float, float], points: float, english: str, chinese: str
) -> None:
    assert both(row("behaviour", points, name, *raw)) == (english, chinese)


def test_product_features_of_different_weight_are_not_counted_as_pieces() -> None:
    weighted = replace(USUAL.definition, offer=Offer({"export": 2.5}, {}))
    before = replace(USUAL, definition=weighted)

    said, _ = both(row("behaviour", -4, "breadth", 5, 2.5), before)

    assert said == "Breadth fell from 5 to 2.5 product features by weight: −4.0 points."


def test_reach_that_stayed_among_more_end_customers() -> None:
    said, _ = both(
        row("behaviour", -2, "reach", 50, 50), side(end_customers=100), side(end_customers=200)
    )

    assert said == (
        "Reach stayed at 50 end customers, of 200 there are to reach instead of 100: −2.0 points."
    )


@pytest.mark.parametrize(
    ("before", "after", "name", "raw", "points", "english"),
    [
        (
            *({"price_cents": 100_00}, {"price_cents": 150_50}, "reach", (5, 5), -3),
            "The price rose from 100 to 150.50 USD a month, so the same reach counts for less",
        ),
        (
            *({"price_cents": None}, {"price_cents": 150_00}, "reach", (5, 5), -3),
            "A price is known now, 150 USD a month, so the same reach counts for less",
        ),
        (
            *({}, {"price_cents": None, "no_rate": True}, "reach", (5, 5), 3),
            "There is no exchange rate for its price, so the same reach counts for more",
        ),
        (
            *({"price_cents": 100_00}, {"price_cents": None}, "reach", (5, 5), 3),
            "The account no longer pays; it paid 100 USD a month, so the same reach"
            " counts for more",
        ),
        (
            *({"seats": 10, "plan": "a"}, {"seats": 12, "plan": "b"}, "depth", (5, 5), -1),
            "The seats rose from 10 to 12, so the same depth counts for less",
        ),
        (
            *({"plan": "pro"}, {"plan": None}, "breadth", (7, 5), -1),
            "Breadth fell from 7 to 5 product features, because the plan changed from pro to none",
        ),
        (
            *({"plan": "a"}, {"plan": "b", "price_cents": 1}, "breadth", (7, 5), -1),
            "Breadth fell from 7 to 5 product features, because the plan changed from a to b,"
            " and the price fell from 1,000 to 0.01 USD a month",
        ),
        (
            *({}, {"feature_exceptions": {"x": False}}, "breadth", (7, 5), -1),
            "Breadth fell from 7 to 5 product features, because what the account may use changed",
        ),
        (
            *({"seats": 10}, {"seats": 1}, "seats", (10, 1), -1),
            "Contract size fell from 10 to 1 seat",
        ),
        (
            *({"mrr_cents": 1}, {"mrr_cents": 2}, "mrr", (100, 150.25), 1),
            "MRR rose from 100 to 150.2",
        ),
        (
            *({}, {"renewal_on": AS_OF}, "days_to_renewal", (30, 60), 1),
            "Time to renewal rose from 30 to 60 days, because the renewal moved from none to"
            " 2026-03-18",
        ),
    ],
)
def test_what_the_contract_did(
    before: dict[str, Any],
    after: dict[str, Any],
    name: str,
    raw: tuple[float, float],
    points: float,
    english: str,
) -> None:
    said, chinese = both(row("price", points, name, *raw), side(**before), side(**after))

    assert said == f"{english}: {signed(points)} points."
    assert not re.search(r"[{}]|\b(price|plan|seat|because)\b", chinese)


@pytest.mark.parametrize(
    ("segments", "later", "raw", "english"),
    [
        ((None, None), 20, (5, 5), "The peers are those of 2026-04 now, so the same breadth"),
        ((None, None), 0, (5, 5), "The benchmark of 2026-03 was fitted again, so the same breadth"),
        (("smb", "large"), 20, (5, 5), "The segment changed from smb to large, so the same"),
        (
            *((None, None), 20, (5, 4)),
            "Breadth fell from 5 to 4 product features, because the product features were taken"
            " anew with the benchmark of 2026-04",
        ),
        (
            *((None, "large"), 20, (5, 4)),
            "Breadth fell from 5 to 4 product features, because the product features were taken"
            " anew with the benchmark of 2026-04, and the segment changed from none to large",
        ),
    ],
)
def test_what_the_peers_did(
    segments: tuple[str | None, str | None], later: int, raw: tuple[float, float], english: str
) -> None:
    before, after = (side(segment=segment) for segment in segments)
    after = replace(after, as_of=AS_OF + timedelta(days=later))

    said, _ = both(row("peers", -1, "breadth", *raw), before, after)

    assert said.startswith(english)


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ({"came": ["csat"]}, 'Known now: "csat"; so the other measures weigh less'),
        ({"went": ["reach", "csat"]}, 'No longer known: reach, "csat"; so the other measures'),
        ({"came": ["csat"], "went": ["reach"]}, 'Known now: "csat" and no longer known: reach; so'),
        ({}, "What is known of the account changed; so the measures weigh differently"),
    ],
)
def test_what_became_known_or_unknown(said: dict[str, Any], english: str) -> None:
    assert both(row("coverage", -1, **said))[0].startswith(english)


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ({"came": ["It ends soon."]}, 'Now applies: "It ends soon": −5.0 points.'),
        ({"went": ["A", "B。"]}, 'No longer applies: "A", "B": −5.0 points.'),
        (
            {"came": ["A"], "went": ["B"]},
            'Now applies: "A" and no longer applies: "B": −5.0 points.',
        ),
        ({"stayed": ["A"]}, 'Still applies: "A": −5.0 points.'),
        ({}, "What lies beyond 0 or 100 does not count: −5.0 points."),
    ],
)
def test_adjustments_and_bounds(said: dict[str, Any], english: str) -> None:
    assert both(row("behaviour", -5, **said))[0] == english


def test_what_somebody_configured() -> None:
    told = row("config", -1)
    version = replace(USUAL, definition=replace(USUAL.definition, version=2))
    offer = replace(USUAL, definition=replace(USUAL.definition, offer=Offer({"x": 1.0}, {})))
    card = replace(USUAL, card_name="large")

    assert both(told, after=version) == (
        "Scorecard version 2 took the place of version 1: −1.0 points.",
        "评分卡版本 2 取代版本 1：−1.0 分。",
    )
    assert both(told, after=offer)[0].startswith("Product features, plans or settings changed:")
    assert both(told, after=card)[0].startswith('The account is judged as "large" instead of "de')


def test_what_a_person_said() -> None:
    said = Override(80, "They signed.", "kim@example.com", datetime(2026, 6, 30, tzinfo=UTC))
    overruled = replace(USUAL, override=said)
    told = row("override", 20)

    assert both(told, after=overruled) == (
        'kim@example.com set the score to 80 until 2026-06-30 ("They signed"): +20.0 points.',
        "kim@example.com 将分数设为 80，有效期至 2026-06-30（They signed）：+20.0 分。",
    )
    assert both(told, before=overruled)[0] == (
        "The score of 80 that kim@example.com had set no longer holds: +20.0 points."
    )
    assert both(told, overruled, overruled)[0].startswith("kim@example.com holds the score at 80")


@pytest.mark.parametrize(
    ("name", "said", "english"),
    [
        (
            "reach",
            {},
            "Reach: 190 end customers (the median of its peers is 240); it gives 11.8 of",
        ),
        ("reach", {"median": None}, "Reach: 190 end customers; it gives 11.8 of 28.6 points."),
        ("reach", {"raw": 1.0}, "Reach: 1 end customer (the median"),
        ("reach", {"score": None, "raw": None}, "Reach is not known and counts for nothing."),
        ("csat", {"raw": None, "score": 40.0}, '"csat" is not known and counts as 40; it gives'),
    ],
)
def test_how_a_measure_stands(name: str, said: dict[str, Any], english: str) -> None:
    source = {"reach": "reach", "csat": "traits.csat"}[name]
    usual = {"score": 41.2, "raw": 190.0, "median": 240.0, "points": 11.77}
    described = {"name": name, "source": source, "effective_weight": 0.2857, **usual, **said}

    found = level_sentence(described, USUAL.definition, EN)

    assert found.startswith(english)
    assert found.endswith(".")
    assert level_sentence(described, USUAL.definition, ZH).endswith("。")


def test_the_whole_way() -> None:
    days = (AS_OF - timedelta(days=28), AS_OF)

    assert change_sentence(days, (61.5, 52.4), -9.1, EN) == (
        "From 2026-02-18 to 2026-03-18 the score fell from 61.5 to 52.4: −9.1 points."
    )
    assert change_sentence(days, (61.5, 61.5), 0, EN).endswith("the score stayed at 61.5.")
    assert change_sentence(days, (61.5, 61.5), 0, ZH).endswith("分数保持在 61.5。")


@pytest.mark.parametrize("language", Language)
def test_every_sentence_of_any_history_is_whole(language: Language) -> None:
    for seed in range(300):
        before, after = history(seed)
        for told in explain(before, after):
            said = sentence(told, before, after, language)

            assert not re.search(r"[{}]|\bnan\b|None|  |e-\d", said), said
            assert said.endswith(" points." if language is EN else " 分。")


@pytest.mark.parametrize("language", Language)
def test_every_metric_has_a_name_in_every_language(language: Language) -> None:
    assert set(WORDS[language].metrics) == {*METRICS, "momentum"}


@pytest.mark.parametrize(
    ("points", "text"),
    [(-9.12, "−9.1"), (3, "+3.0"), (0.049, "+0.05"), (-0.0004, "−0.0004"), (-1234.5, "−1,234.5")],
)
def test_points_have_a_sign_and_a_digit(points: float, text: str) -> None:
    assert signed(points) == text


def test_numbers_are_shown_as_people_write_them() -> None:
    assert [number(x) for x in (None, 5.0, 1234567.0, 2.25, -3.0)] == [
        *("–", "5", "1,234,567", "2.2", "−3")
    ]
    assert pair(1.0004, 1.0001) == ("1.0004", "1.0001")
    assert [money(cents) for cents in (None, 10_000, 10_050.4)] == ["–", "100", "100.50"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", EN),
        ("zh", ZH),
        ("zh-Hans-CN;q=0.9, en;q=0.8", ZH),
        ("en;q=0.5, zh", ZH),
        ("de, fr;q=0.9", EN),
        ("zh;q=0", EN),
        ("enm, zh;q=0.1", ZH),
        ("zh;q=often, ;;, *", EN),
    ],
)
def test_the_language_liked_best_is_taken(header: str, language: Language) -> None:
    assert preferred(header) is language
