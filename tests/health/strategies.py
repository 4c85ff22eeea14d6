"""Hypothesis strategies for cards, scorecards, measure inputs and accounts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from app.features.values import AccountFeatures
from app.health.definition.benchmark import Benchmark, Normalizer, fit_benchmark
from app.health.definition.measures import (
    CardMeasure,
    EventsSource,
    LinearTransform,
    MetricSource,
    PercentileTransform,
    Source,
    ThresholdStep,
    ThresholdsTransform,
    TraitSource,
    Transform,
)
from app.health.definition.metrics import METRICS
from app.health.definition.scorecard import Adjustment, Card, CardRule, Scorecard
from tests.health.builders import AS_OF, NAN, USAGE, make_account, make_inputs, random_pool

VALUES = {"gold": 3.0, "silver": 1.0, "true": 7.0}
SOURCES: Sequence[Source] = (
    *(MetricSource(metric=name) for name in METRICS),
    TraitSource(trait="csat"),
    TraitSource(trait="tier", values=VALUES),
    EventsSource(events=["Filed"], days=90),
)
OTHERS = tuple(source.key for source in SOURCES if source.key not in USAGE)

numbers = st.floats(-1e6, 1e6) | st.sampled_from([-1.0, 0.0, 1.0, 20.0])
amounts = st.floats(0, 1e5) | st.sampled_from([0.0, 1.0, 2.0, 10.0])
points = st.floats(0, 100) | st.sampled_from([0.0, 50.0, 100.0])
weights = st.floats(0.1, 10) | st.just(1.0)


def make_wide_benchmark() -> Benchmark:
    """Return a benchmark that ranks every source."""
    x, price_cents = random_pool(60, growth=0.9)
    random = np.random.default_rng(7)
    return fit_benchmark(
        x,
        price_cents,
        np.arange(60),
        segment="",
        normalizer=Normalizer.WORKSPACE,
        price_exponent=None,
        product_features=(),
        others={key: random.lognormal(2, 1, 60) for key in OTHERS},
    )


WIDE = make_wide_benchmark()


@st.composite
def thresholds(draw: st.DrawFn, *, rising: bool) -> ThresholdsTransform:
    edges = draw(st.lists(numbers, min_size=1, max_size=4, unique=True).map(sorted))
    scores = draw(st.lists(points, min_size=len(edges) + 1, max_size=len(edges) + 1))
    scores = sorted(scores) if rising else scores
    named = draw(st.sampled_from(["at_least", "above"]))
    steps = [
        ThresholdStep.model_validate({named: edge, "score": score})
        for edge, score in zip(edges, scores[1:], strict=True)
    ]
    return ThresholdsTransform(below=scores[0], steps=steps)


@st.composite
def lines(draw: st.DrawFn, *, rising: bool) -> LinearTransform:
    low, high = draw(st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted))
    at_0, at_100 = (low, high) if rising or draw(st.booleans()) else (high, low)
    kind = draw(st.sampled_from(["linear", "linear_bounded"]))
    return LinearTransform.model_validate({"kind": kind, "at_0": at_0, "at_100": at_100})


@st.composite
def measures(draw: st.DrawFn, name: str, group: str | None, *, rising: bool) -> CardMeasure:
    source = draw(st.sampled_from([*SOURCES, MetricSource(metric="momentum")]))
    turned = not rising and draw(st.booleans())
    transform: Transform = draw(thresholds(rising=rising) | lines(rising=rising))
    if source.key != "momentum" and draw(st.booleans()):
        for_price = None if turned else draw(st.none() | st.booleans())
        transform = PercentileTransform(price_adjusted=for_price)
    return CardMeasure(
        name=name,
        source=source,
        transform=transform,
        direction="lower_is_better" if turned else "higher_is_better",
        weight=draw(weights),
        missing=draw(st.just("leave_out") | points),
        group=group,
    )


@st.composite
def adjustments(draw: st.DrawFn) -> Adjustment:
    condition = st.sampled_from(
        [
            {"field": "days_to_renewal", "op": "lt", "value": 30},
            {"field": "measures.m0", "op": "gte", "value": 50},
            {"field": "traits.tier", "op": "in", "value": ["gold", "silver"]},
            {"field": "mrr", "op": "gt", "value": 500},
            {"not": {"field": "segment", "op": "eq", "value": "smb"}},
        ]
    )
    effect, score = draw(st.sampled_from(["add", "at_most", "set_to"])), draw(points)
    config = {"when": draw(condition), "reason": f"{effect} {score}", effect: score}
    if effect == "add" and draw(st.booleans()):
        config["add"] = -score
    return Adjustment.model_validate(config)


@st.composite
def cards(draw: st.DrawFn, *, rising: bool = False, adjusted: bool = False) -> Card:
    """``rising``: a higher number never lowers a score."""
    count = draw(st.integers(1, 12))
    groups = draw(st.just({}) | st.fixed_dictionaries({"use": weights, "people": weights}))
    groups = groups if count > 1 else {}
    names = [("use", "people")[i % 2] if groups else None for i in range(count)]
    return Card(
        measures=[draw(measures(f"m{i}", name, rising=rising)) for i, name in enumerate(names)],
        groups=groups,
        adjustments=draw(st.lists(adjustments(), max_size=4)) if adjusted else [],
        min_coverage=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )


@st.composite
def scorecards(draw: st.DrawFn) -> Scorecard:
    conditions: list[Any] = [
        {"segment": "smb"},
        {"field": "employees", "op": "gt", "value": 100},
        {"field": "traits.tier", "op": "is_null", "value": False},
    ]
    conditions_used = draw(st.lists(st.sampled_from(conditions), max_size=2, unique_by=str))
    return Scorecard(
        name=draw(st.none() | st.just("Ours")),
        window_days=draw(st.sampled_from([7, 14, 21, 28])),
        price_exponent=draw(st.none() | st.floats(0, 2)),
        rules=[
            CardRule(name=f"r{i}", when=when, card=draw(cards(adjusted=True)))
            for i, when in enumerate(conditions_used)
        ],
        default=draw(cards(adjusted=True)),
    )


@st.composite
def random_inputs(draw: st.DrawFn, *, priced: bool = False) -> Any:  # noqa: ANN401
    """Inputs of one to eight accounts in which any number may be missing."""
    n = draw(st.integers(1, 8))
    three = st.tuples(amounts, amounts, amounts)
    prices = st.floats(1, 1e7) | st.just(19_900.0)
    paid = prices if priced else prices | st.just(NAN)
    shares = st.floats(0, 2) | st.just(NAN)

    def n_of(strategy: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(strategy, min_size=n, max_size=n))

    return make_inputs(
        n_of(three),
        previous=n_of(three),
        shares=n_of(st.tuples(shares, shares, shares)),
        price_cents=n_of(paid),
        others={key: n_of(amounts | st.just(NAN)) for key in OTHERS},
    )


def days(first: int, last: int) -> st.SearchStrategy[date | None]:
    return st.none() | st.integers(first, last).map(lambda n: AS_OF + timedelta(days=n))


@st.composite
def accounts(draw: st.DrawFn, account_id: str) -> AccountFeatures:
    few = st.integers(0, 50)
    cents = draw(st.none() | st.integers(0, 10**7))
    return make_account(
        account_id,
        segment=draw(st.sampled_from([None, "smb", "large"])),
        active_users=draw(few),
        active_users_before=draw(few),
        reached=draw(few),
        reached_before=draw(few),
        seats=draw(st.none() | few),
        end_customers=draw(st.none() | few),
        employees=draw(st.none() | st.integers(0, 1000)),
        events=draw(few),
        price_cents=cents,
        mrr_cents=cents or 0,
        pays=bool(cents),
        renewal_on=draw(days(0, 400)),
        last_used_on=draw(days(-55, 0)),
        traits=draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "csat": numbers | st.text(max_size=5) | st.none() | st.just("2026-01-01"),
                    "tier": st.sampled_from(["gold", "iron", True, False, ["gold"], {}, None]),
                },
            )
        ),
        counts=draw(st.fixed_dictionaries({}, optional={"Filed in 90 days": few})),
    )
