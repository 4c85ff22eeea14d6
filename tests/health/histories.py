"""Two random days of an account, generated from a seed.

A seed is much faster than drawing each part with hypothesis, so more histories are tested.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.health.definition.benchmark import Benchmark, Knots, MeasureBenchmark, Normalizer
from app.health.definition.entitlement import Offer
from app.health.definition.measures import (
    CardMeasure,
    EventsSource,
    LinearTransform,
    MetricSource,
    PercentileTransform,
    ThresholdStep,
    ThresholdsTransform,
    TraitSource,
)
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import DEFAULT_CARD, Adjustment, Card, CardRule, Scorecard
from app.health.explanations.explain import ScoredDay
from app.health.scoring.post_processing import Override
from tests.health.builders import AS_OF, make_account

LARGE = {"field": "segment", "op": "eq", "value": "large"}
TICKETS = EventsSource(events=["Ticket Opened"], days=90)
RANKED = ("breadth", "depth", "reach", "events")
FEATURE_KEYS = ("export", "share", "sign", "send")


def metric(name: str) -> MetricSource:
    return MetricSource(metric=name)


MEASURES: tuple[dict[str, Any], ...] = (
    {"name": "breadth", "source": metric("breadth"), "transform": PercentileTransform()},
    {"name": "depth", "source": metric("depth"), "transform": PercentileTransform()},
    {"name": "reach", "source": metric("reach"), "transform": PercentileTransform()},
    {
        "name": "momentum",
        "source": metric("momentum"),
        "transform": LinearTransform(at_0=0, at_100=100),
    },
    {
        "name": "calm",
        "source": metric("events"),
        "transform": PercentileTransform(),
        "direction": "lower_is_better",
    },
    {
        "name": "loyalty",
        "source": metric("tenure_days"),
        "transform": ThresholdsTransform(
            steps=[ThresholdStep(at_least=100, score=40), ThresholdStep(above=365, score=90)]
        ),
    },
    {
        "name": "csat",
        "source": TraitSource(trait="csat"),
        "transform": LinearTransform(at_0=1, at_100=5),
    },
    {
        "name": "nps",
        "source": TraitSource(trait="nps"),
        "transform": LinearTransform(kind="linear", at_0=0, at_100=7),
    },
    {"name": "tickets", "source": TICKETS, "transform": LinearTransform(at_0=9, at_100=0)},
    {
        "name": "licence",
        "source": metric("days_to_renewal"),
        "transform": LinearTransform(kind="linear", at_0=0, at_100=90),
    },
    {"name": "seats", "source": metric("seats"), "transform": LinearTransform(at_0=0, at_100=50)},
    {
        "name": "size",
        "source": metric("employees"),
        "transform": LinearTransform(at_0=0, at_100=500),
    },
)
ADJUSTMENTS = (
    Adjustment(
        when={"field": "days_to_renewal", "op": "lt", "value": 30}, at_most=20, reason="It ends."
    ),
    Adjustment(when={"field": "traits.reference", "op": "eq", "value": True}, add=7, reason="Ref"),
    Adjustment(when={"field": "plan", "op": "eq", "value": "basic"}, add=-60, reason="Basic"),
    Adjustment(when={"field": "measures.csat", "op": "lt", "value": 50}, set_to=10, reason="Sad"),
)

COUNTS = (0, 1, 2, 7, 30, 412)


def random_history(seed: int) -> tuple[ScoredDay, ScoredDay]:
    """Return two days; each part of the second day may be the same as on the first."""
    random = Random(seed)  # noqa: S311 - not used for secrets
    makers: Sequence[Callable[[Random], Any]] = (
        random_account,
        random_definition,
        random_benchmarks,
        random_override,
    )
    before = [make(random) for make in makers]
    after = [
        was if random.random() < 0.4 else make(random)
        for was, make in zip(before, makers, strict=True)
    ]
    later = AS_OF + timedelta(days=random.choice([0, 20]))
    return make_day(*before), replace(make_day(*after), as_of=later)


def make_day(
    features: AccountFeatures,
    definition: Definition,
    fitted: Mapping[str, Benchmark],
    override: Override | None = None,
) -> ScoredDay:
    """Build a day that uses the card of the account's segment."""
    rules = {rule.name for rule in definition.scorecard.rules}
    name = features.segment if features.segment in rules else None
    return ScoredDay(AS_OF, features, definition, fitted, name or DEFAULT_CARD, override)


def random_card(random: Random) -> Card:
    chosen = random.sample(MEASURES, random.randint(1, 6))
    is_grouped = random.random() < 0.3
    measures = [
        CardMeasure(
            **config,
            weight=1.0 if i == 0 else random.choice([0, 0.5, 1, 3]),
            missing=random.choice(["leave_out", "leave_out", 0, 35]),
            group=("product", "contract")[i % 2] if is_grouped else None,
        )
        for i, config in enumerate(chosen)
    ]
    groups = {each.group: 2.0 + i for i, each in enumerate(measures) if each.group}
    has_csat = any(each.name == "csat" for each in measures)
    met = random.sample(ADJUSTMENTS if has_csat else ADJUSTMENTS[:-1], random.randint(0, 2))
    return Card(measures=measures, groups=groups, adjustments=met, min_coverage=0)


def random_definition(random: Random) -> Definition:
    rules = (
        [CardRule(name="large", when=LARGE, card=random_card(random))]
        if random.random() < 0.4
        else []
    )
    window = random.choice([28, 28, 28, 14])
    scorecard = Scorecard(window_days=window, rules=rules, default=random_card(random))
    reach = ReachSource(random.choice(["ids", "ids", "property"]))
    currency = random.choice(["USD", "USD", "EUR"])
    spec = FeatureSpec(FeatureMap([]), reach, currency, window, scorecard.traits, scorecard.counts)
    plans = {"basic": FEATURE_KEYS[:1], "pro": FEATURE_KEYS[: random.randint(2, 4)]}
    unnamed = Definition(random.randint(1, 9), scorecard, Offer({}, plans), spec, configured=False)
    keys = tuple(random.sample(FEATURE_KEYS, random.randint(0, 4)))
    if random.random() < 0.5:
        return unnamed.with_default_features(keys)
    offer = replace(unnamed.offer, weights={key: random.choice([1.0, 2.5]) for key in keys})
    product = FeatureMap([(f"{key} {random.randint(1, 2)}", key) for key in keys])
    return replace(unnamed, offer=offer, spec=replace(spec, product=product), configured=True)


def random_benchmarks(random: Random) -> dict[str, Benchmark]:
    segments = ["", "large"] if random.random() < 0.5 else [""]
    return {segment: _benchmark(random, segment) for segment in segments}


def _benchmark(random: Random, segment: str) -> Benchmark:
    own = Normalizer.SEGMENT if segment else Normalizer.WORKSPACE
    normalizer = random.choice([own, own, own, Normalizer.SHARE])
    keys = random.sample(RANKED, random.randint(2, 4))
    fitted = {key: _fitted(random) for key in keys}
    return Benchmark(normalizer, segment, 50, random.choice([0, 40]), fitted, ())


def _fitted(random: Random) -> MeasureBenchmark:
    middle = random.uniform(0.5, 50)
    knots = Knots((middle, middle * 4), (random.uniform(20, 60), 95.0))
    priced = random.choice([knots, Knots()])
    return MeasureBenchmark(random.uniform(0.25, 2), priced, knots, middle, None)


def random_account(random: Random) -> AccountFeatures:
    def adopted() -> list[str]:
        return random.sample(FEATURE_KEYS, random.randint(0, 4))

    price = random.choice([None, random.uniform(1, 1e7)])
    names = ("active_users", "active_users_before", "reached", "reached_before", "events")
    usage: dict[str, Any] = {name: random.choice(COUNTS) for name in names}
    return make_account(
        segment=random.choice([None, "small", "large"]),
        end_customers=random.choice([None, *COUNTS]),
        feature_exceptions={key: random.random() < 0.5 for key in adopted()},
        adopted=adopted(),
        adopted_before=adopted(),
        **usage,
        pays=price is not None,
        price_cents=price,
        mrr_cents=round(price or 0),
        seats=random.choice([None, random.randint(1, 60)]),
        plan=random.choice([None, "basic", "pro"]),
        renewal_on=random.choice([None, AS_OF + timedelta(days=40)]),
        employees=random.choice([None, *COUNTS]),
        first_used_on=random.choice([None, date(2025, 1, 1), date(2025, 10, 1)]),
        traits=_traits(random),
        counts=random.choice([{}, {TICKETS.key: random.choice(COUNTS)}]),
    )


def _traits(random: Random) -> dict[str, Any]:
    all_of_them = {
        "csat": random.uniform(0, 6),
        "nps": random.randint(-100, 100),
        "reference": random.random() < 0.5,
    }
    return {name: value for name, value in all_of_them.items() if random.random() < 0.6}


def random_override(random: Random) -> Override | None:
    if random.random() < 0.6:
        return None
    expires_at = datetime(2026, 6, 1, tzinfo=UTC)
    return Override(random.uniform(0, 100), "They signed.", "kim", expires_at)
