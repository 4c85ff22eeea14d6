import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.number_format import format_signed
from app.health.definition.benchmark import Normalizer
from app.health.explanations.explain import Effect
from tests.health.builders import AS_OF, simple_benchmark
from tests.health.explanations.samples import effect, scored_day, sentences


@pytest.mark.parametrize(
    ("terms", "moved", "english"),
    [
        (
            ({"price_cents": 100_00}, {"price_cents": 150_50}),
            effect("price", -3, "reach", 5, 5),
            "The mean price rose from 100 to 150.50 USD a month, so the same reach counts for less",
        ),
        (
            ({"price_cents": None}, {"price_cents": 150_00}),
            effect("price", -3, "reach", 5, 5),
            "A mean price is known now, 150 USD a month, so the same reach counts for less",
        ),
        (
            ({}, {"price_cents": None, "no_rate": True}),
            effect("price", 3, "reach", 5, 5),
            "There is no exchange rate for its price, so the same reach counts for more",
        ),
        (
            ({"price_cents": 100_00}, {"price_cents": None}),
            effect("price", 3, "reach", 5, 5),
            (
                "The account no longer pays; its mean price was 100 USD a month, so the same reach"
                " counts for more"
            ),
        ),
        (
            ({"price_cents": 100_00, "seats": 10}, {"price_cents": 120_00, "seats": 12}),
            effect("price", -1, "depth", 5, 5),
            "The mean price rose from 100 to 120 USD a month, so the same depth counts for less",
        ),
        (
            ({"plan": "pro"}, {"plan": None}),
            effect("price", -1, "breadth", 7, 5),
            "Breadth fell from 7 to 5 product features, because the plan changed from pro to none",
        ),
        (
            ({"plan": "a"}, {"plan": "b", "price_cents": 1}),
            effect("price", -1, "breadth", 7, 5),
            (
                "Breadth fell from 7 to 5 product features, because the plan changed from a to b,"
                " and the mean price fell from 1,000 to 0.01 USD a month"
            ),
        ),
        (
            ({}, {"feature_exceptions": {"x": False}}),
            effect("price", -1, "breadth", 7, 5),
            (
                "Breadth fell from 7 to 5 product features, because the entitlement of the account"
                " changed"
            ),
        ),
        (
            ({"seats": 10}, {"seats": 1}),
            effect("price", -1, "seats", 10, 1),
            "Contract size fell from 10 to 1 seat",
        ),
        (
            ({"mrr_cents": 1}, {"mrr_cents": 2}),
            effect("price", 1, "mrr", 100, 150.25),
            "MRR rose from 100 to 150.2 USD a month",
        ),
        (
            ({}, {"renewal_on": AS_OF}),
            effect("price", 1, "days_to_renewal", 30, 60),
            (
                "Time to renewal rose from 30 to 60 days, because the renewal day moved from"
                " none to 2026-03-18"
            ),
        ),
    ],
)
def test_sentences_name_the_changed_terms_of_the_contract(
    terms: tuple[dict[str, Any], dict[str, Any]], moved: Effect, english: str
) -> None:
    sentence, chinese = sentences(moved, *(scored_day(**each) for each in terms))

    assert sentence == f"{english}: {format_signed(moved.points)} points."
    assert not re.search(r"[{}]|\b(price|plan|seat|because)\b", chinese)


def test_seats_are_a_cause_if_a_share_of_them_is_scored() -> None:
    days = (scored_day(seats=10, plan="a"), scored_day(seats=12, plan="b", price_cents=1))
    shares = {"": simple_benchmark(normalizer=Normalizer.SHARE)}

    sentence, _ = sentences(
        effect("price", -1, "depth", 5, 5), *(replace(day, benchmarks=shares) for day in days)
    )

    assert sentence.startswith(
        "The number of seats rose from 10 to 12, so the same depth counts for less"
    )


@pytest.mark.parametrize(
    ("normalizers", "english"),
    [
        ((Normalizer.SHARE, Normalizer.SHARE), "The benchmark of 2026-04 was fitted again"),
        ((Normalizer.SHARE, Normalizer.WORKSPACE), "There are enough accounts to compare with now"),
        (
            (Normalizer.WORKSPACE, Normalizer.SHARE),
            "There are too few accounts to compare with now",
        ),
        ((Normalizer.WORKSPACE, Normalizer.SEGMENT), "The peers are those of 2026-04 now"),
    ],
)
def test_no_sentence_names_peers_where_there_are_none(
    normalizers: tuple[Normalizer, Normalizer], english: str
) -> None:
    before, after = (
        replace(scored_day(), benchmarks={"": simple_benchmark(normalizer=each)})
        for each in normalizers
    )
    after = replace(after, as_of=AS_OF + timedelta(days=20))

    sentence, _ = sentences(effect("peers", -1, "breadth", 5, 5), before, after)

    assert sentence.startswith(f"{english}, so the same breadth counts for less")


@pytest.mark.parametrize(
    ("segments", "later", "raw", "english"),
    [
        ((None, None), 20, (5, 5), "The peers are those of 2026-04 now, so the same breadth"),
        ((None, None), 0, (5, 5), "The benchmark of 2026-03 was fitted again, so the same breadth"),
        (("smb", "large"), 20, (5, 5), "The segment changed from smb to large, so the same"),
        (
            *((None, None), 20, (5, 4)),
            (
                "Breadth fell from 5 to 4 product features, because the product features were"
                " determined again with the benchmark of 2026-04"
            ),
        ),
        (
            *((None, "large"), 20, (5, 4)),
            (
                "Breadth fell from 5 to 4 product features, because the product features were"
                " determined again with the benchmark of 2026-04, and the segment changed from none"
                " to large"
            ),
        ),
    ],
)
def test_sentences_name_the_change_of_peers(
    segments: tuple[str | None, str | None], later: int, raw: tuple[float, float], english: str
) -> None:
    before, after = (scored_day(segment=segment) for segment in segments)
    after = replace(after, as_of=AS_OF + timedelta(days=later))

    sentence, _ = sentences(effect("peers", -1, "breadth", *raw), before, after)

    assert sentence.startswith(english)
