"""Builders of pools, benchmarks, measure inputs, accounts and scoring contexts."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from datetime import date
from typing import Any

import numpy as np

from app.core.arrays import Floats, Integers
from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.health.definition.benchmark import (
    MEASURES,
    Benchmark,
    Knots,
    Measure,
    MeasureBenchmark,
    Normalizer,
    fit_benchmark,
)
from app.health.definition.entitlement import Offer
from app.health.definition.measures import (
    CardMeasure,
    MetricSource,
    PercentileTransform,
    Source,
    Transform,
)
from app.health.definition.metrics import AccountFacts
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Card, Scorecard
from app.health.scoring.assess import ScoringContext
from app.health.scoring.evaluate import account_facts
from app.health.scoring.maths import MeasureInputs, MetricColumn

NAN = np.nan
SCORECARD, CARD = Scorecard(), Card()
USAGE = frozenset(MEASURES)
AS_OF = date(2026, 3, 18)
LONG_AGO = date(2025, 1, 1)


def random_pool(accounts: int, *, growth: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Return usage x (n, 3), growing as price^growth with lognormal noise, and price_cents (n,)."""
    random = np.random.default_rng(seed)
    price_cents = random.lognormal(np.log(20_000), 1.0, accounts)
    typical = 10 * (price_cents / 10_000) ** growth
    return typical[:, np.newaxis] * random.lognormal(0, 0.5, (accounts, 3)), price_cents


def fit_peers(x: Floats, price_cents: Floats, *, price_exponent: float | None = None) -> Benchmark:
    return fit_benchmark(
        x,
        price_cents,
        np.arange(len(x)),
        segment="all",
        normalizer=Normalizer.SEGMENT,
        price_exponent=price_exponent,
        product_features=(),
    )


FIXED = fit_peers(*random_pool(200, growth=0.9))


def simple_benchmark(
    *measures: Measure, normalizer: Normalizer = Normalizer.SEGMENT, priced_accounts: int = 50
) -> Benchmark:
    """Build a benchmark: elasticity 1; median 10 per $100, 100 plain; percentile 90: 20 and 200."""
    priced, plain = Knots((10.0, 20.0), (50.0, 90.0)), Knots((100.0, 200.0), (50.0, 90.0))
    known = MeasureBenchmark(1.0, priced, plain, 100.0, 10.0)
    return Benchmark(
        normalizer, "all", 60, priced_accounts, dict.fromkeys(measures or MEASURES, known), ()
    )


def make_inputs(
    now: Any,  # noqa: ANN401
    *,
    previous: Any = None,  # noqa: ANN401
    shares: Any = NAN,  # noqa: ANN401
    price_cents: Any = 100_000.0,  # noqa: ANN401
    others: Mapping[str, Sequence[float] | Floats] | None = None,
) -> MeasureInputs:
    """Build inputs from rows of ``now``; other values may be one number for all rows.

    ``previous`` defaults to ``now``.
    """
    now = np.atleast_2d(np.array(now, dtype=np.float64))
    previous = now if previous is None else previous
    return MeasureInputs(
        now=now,
        previous=np.array(np.broadcast_to(previous, now.shape), dtype=np.float64),
        shares=np.array(np.broadcast_to(shares, now.shape), dtype=np.float64),
        price_cents=np.array(np.broadcast_to(price_cents, len(now)), dtype=np.float64),
        others={key: make_column(values) for key, values in (others or {}).items()},
    )


def make_column(values: Sequence[float] | Floats) -> MetricColumn:
    unknown = np.full(len(values), NAN)
    return MetricColumn(np.array(values, dtype=np.float64), unknown, unknown)


def rows_of(given: MeasureInputs, chosen: Any) -> MeasureInputs:  # noqa: ANN401
    return MeasureInputs(
        given.now[chosen],
        given.previous[chosen],
        given.shares[chosen],
        given.price_cents[chosen],
        {
            key: MetricColumn(each.now[chosen], each.before[chosen], each.share[chosen])
            for key, each in given.others.items()
        },
    )


def make_measure(name: str, transform: Transform | None = None, **config: Any) -> CardMeasure:  # noqa: ANN401
    """Build a measure: by default a percentile of the metric with its name."""
    source: Source = config.pop("source", None) or MetricSource(metric=name)
    return CardMeasure(
        name=name, source=source, transform=transform or PercentileTransform(), **config
    )


def card_with_weights(**weights: float) -> Card:
    """Build a card of the default measures with these names and weights."""
    measures = {each.name: each for each in CARD.measures}
    return Card(measures=[measures[k].model_copy(update={"weight": w}) for k, w in weights.items()])


PRICES = np.array([4_900.0, 19_900.0, 49_900.0, 99_900.0])


def paying_accounts(
    accounts: int, *, growth: float, noise: float = 0.4, seed: int = 1
) -> tuple[Floats, Floats, Integers]:
    """Return usage that grows as price^growth: x (n, 3), price_cents (n,) and account (n,)."""
    random = np.random.default_rng(seed)
    price_cents = random.choice(PRICES, accounts)
    typical = 10 * (price_cents / 10_000) ** growth
    x = typical[:, np.newaxis] * random.lognormal(0, noise, (accounts, 3))
    return x, price_cents, np.arange(accounts)


def make_account(account_id: str = "a1", **features: Any) -> AccountFeatures:  # noqa: ANN401
    """Build an account that has used the product and paid $1,000 a month since 2025."""
    required = [each.name for each in fields(AccountFeatures) if _is_required(each)]
    counts = ("active_users", "active_users_before", "reached", "reached_before")
    usual = {
        "adopted": (),
        "adopted_before": (),
        "feature_exceptions": {},
        "first_used_on": LONG_AGO,
        "first_paid_on": LONG_AGO,
        "last_used_on": AS_OF,
        "pays": True,
        "no_rate": False,
        "excluded": False,
        "price_cents": 100_000.0,
        "mrr_cents": 100_000,
        "currency": "USD",
    }
    return AccountFeatures(
        **{
            **dict.fromkeys(required),
            **dict.fromkeys(counts, 0),
            **usual,
            "account_id": account_id,
            **features,
        }
    )


def _is_required(each: Any) -> bool:  # noqa: ANN401 - a field of a dataclass
    return each.default is MISSING and each.default_factory is MISSING


EMPTY_OFFER = Offer({}, {})


def make_facts(offer: Offer = EMPTY_OFFER, **features: Any) -> AccountFacts:  # noqa: ANN401
    [facts] = account_facts(offer, [make_account(**features)], AS_OF)
    return facts


def make_context(
    scorecard: Scorecard = SCORECARD,
    benchmark: Benchmark | None = None,
    offer: Offer = EMPTY_OFFER,
) -> ScoringContext:
    """Build a scoring context; the default benchmark has no measures."""
    of_all = replace(benchmark or Benchmark(Normalizer.SHARE, "", 0, 0, {}, ()), segment="")
    spec = FeatureSpec(FeatureMap([]), ReachSource(), "USD", scorecard.window_days)
    definition = Definition(1, scorecard, offer, spec, configured=True)
    return ScoringContext(definition, {"": of_all}, "2026-03-b1", date(2026, 3, 1))
