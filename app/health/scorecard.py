"""The scorecard maths: usage, price and a benchmark in, health scores (0-100) and bands out.

A health score is the weighted mean of what is present of four measures, each 0-100:

breadth, depth, reach   the percentile among peers of usage for what the account pays
momentum                the last window against the one before, on the account's own baseline
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.health.benchmark import (
    MAX_ELASTICITY,
    MEASURES,
    MIN_ACCOUNTS,
    Benchmark,
    Floats,
    Measure,
    Normalizer,
    per_price,
    percentile,
)

SCORED: tuple[Measure, ...] = (*MEASURES, Measure.MOMENTUM)
"""Columns of every (n, 4) array are in this order."""

WEEK_DAYS, MAX_WINDOW_DAYS = 7, 28


class Band(StrEnum):
    AT_RISK = "at_risk"
    WATCH = "watch"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


def default_weights() -> dict[Measure, float]:
    return {
        Measure.BREADTH: 1.0,
        Measure.DEPTH: 1.0,
        Measure.REACH: 1.0,
        Measure.MOMENTUM: 0.5,
    }


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How a workspace weighs and judges. A measure that `weights` leaves out weighs nothing.

    `price_exponent` is for fitting the benchmark: None takes the price elasticity measured there,
    1 asks for the plain ratio of usage to price, 0 for no regard to price.
    """

    version: int = 1
    window_days: int = 28
    weights: Mapping[Measure, float] = field(default_factory=default_weights)
    price_exponent: float | None = None
    watch_from: float = 25
    healthy_from: float = 50
    min_coverage: float = 0.5

    def __post_init__(self) -> None:
        """Raise ValueError, in one sentence, for the first setting that makes no sense."""
        for holds, sentence in requirements(self):
            if not holds:
                raise ValueError(sentence)

    def to_json(self) -> dict[str, Any]:
        weights = {Measure(name).value: weight for name, weight in self.weights.items()}
        return {**{name: getattr(self, name) for name in SETTINGS}, "weights": weights}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; a setting that is absent takes its default."""
        unknown = sorted(set(stored) - set(SETTINGS))
        if unknown:
            raise ValueError(f"A scorecard has no setting named {unknown[0]}.")
        weights = dict(stored.get("weights", default_weights()))
        named = {name: weights.pop(name) for name in SCORED if name in weights}
        return cls(**{**stored, "weights": {**named, **weights}})


SETTINGS = tuple(setting.name for setting in fields(Scorecard))


def requirements(card: Scorecard) -> tuple[tuple[bool, str], ...]:
    weights, window, exponent = card.weights, card.window_days, card.price_exponent
    return (
        (card.version >= 1, "A scorecard's versions count from 1."),
        (
            window in range(WEEK_DAYS, MAX_WINDOW_DAYS + 1, WEEK_DAYS),
            "The window must be 7, 14, 21 or 28 days, so that weekdays weigh the same.",
        ),
        (
            set(weights) <= set(SCORED),
            f"Weights can be set for {', '.join(SCORED)} only.",
        ),
        (
            all(0 <= weight < math.inf for weight in weights.values()),
            "Weights must be numbers that are zero or more.",
        ),
        (0 < sum(weights.values()) < math.inf, "At least one weight must be positive."),
        (
            exponent is None or 0 <= exponent <= MAX_ELASTICITY,
            "The price exponent must be between 0 and 2, or absent to measure it.",
        ),
        (
            0 < card.watch_from < card.healthy_from < 100,  # noqa: PLR2004
            "Bands must satisfy 0 < watch_from < healthy_from < 100.",
        ),
        (0 <= card.min_coverage <= 1, "The smallest coverage must be between 0 and 1."),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What is known of n accounts on one day; one row for each account in every array.

    now, previous: (n, 3) raw values (>= 0) over the window and over the one before it, nan: none.
    shares: (n, 3), now as a share of what was entitled, bought or there to reach, nan: unknown.
    price_cents: (n,) a month, nan: unpriced.
    """

    now: Floats
    previous: Floats
    shares: Floats
    price_cents: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of n accounts, in the order of the inputs, with what explains them.

    score: (n,) 0-100, nan when coverage is too small. coverage: (n,) 0-1.
    measure_scores: (n, 4) 0-100 in the order of SCORED, nan: missing.
    per_dollar: (n, 3) raw value for each $100, nan where ranked without a price.
    adjusted: (n, 3) the value that was ranked, nan: missing from the benchmark.
    unpriced: (n,) True where the account was ranked with no regard to price.
    """

    score: Floats
    coverage: Floats
    measure_scores: Floats
    per_dollar: Floats
    adjusted: Floats
    unpriced: NDArray[np.bool_]


def score(card: Scorecard, benchmark: Benchmark, inputs: Inputs) -> Scores:
    """Score each account on its own: neither the order nor the company of the others matters.

    The price exponent is the benchmark's, for its ranks hold for that exponent alone.
    """
    has = np.array([measure in benchmark.measures for measure in MEASURES])
    now = np.where(has & np.isnan(inputs.now), 0.0, inputs.now)
    priced = (inputs.price_cents > 0) & (benchmark.priced_accounts >= MIN_ACCOUNTS)
    price = np.where(priced, inputs.price_cents, np.nan)
    columns = [
        rank(benchmark, measure, now[:, i], inputs.shares[:, i], price)
        for i, measure in enumerate(MEASURES)
    ]
    trend = momentum(now[:, has], inputs.previous[:, has])
    measure_scores = np.column_stack([*(ranked for _, ranked in columns), trend])
    mean, coverage = combine(card, measure_scores)
    return Scores(
        score=mean,
        coverage=coverage,
        measure_scores=measure_scores,
        per_dollar=per_price(now, price[:, np.newaxis], 1.0),
        adjusted=np.column_stack([adjusted for adjusted, _ in columns]),
        unpriced=~priced,
    )


def rank(
    benchmark: Benchmark, measure: Measure, x: Floats, share: Floats, price_cents: Floats
) -> tuple[Floats, Floats]:
    """The price-adjusted value and the score (0-100) of each account in one measure: (n,) each."""
    fitted = benchmark.measures.get(measure)
    if fitted is None:
        missing = np.full(x.shape, np.nan)
        return missing, missing
    if benchmark.normalizer is Normalizer.SHARE:
        return x, np.clip(100 * share, 0, 100)
    if not fitted.priced.values:
        return x, percentile(fitted.plain, x)
    unpriced = np.isnan(price_cents)
    adjusted = np.where(unpriced, x, per_price(x, price_cents, fitted.elasticity))
    plain, priced = percentile(fitted.plain, adjusted), percentile(fitted.priced, adjusted)
    return adjusted, np.where(unpriced, plain, priced)


def momentum(now: Floats, previous: Floats) -> Floats:
    """50 + 50 log2(now / previous) within 0-100, averaged over k measures: (n, k) -> (n,).

    From zero to something is 100, to zero is 0; zero in both is left out, and 0 if all are.
    Without any measure (k = 0) momentum is missing: nan.
    """
    if not now.shape[1]:
        return np.full(len(now), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        each = 50 + 50 * np.log2(now / np.where(np.isnan(previous), 0.0, previous))
    moved = ~np.isnan(each)
    total: Floats = np.where(moved, np.clip(each, 0, 100), 0.0).sum(axis=1)
    mean: Floats = total / np.maximum(moved.sum(axis=1), 1)
    return mean


def combine(card: Scorecard, measure_scores: Floats) -> tuple[Floats, Floats]:
    """Health score and coverage from (n, 4) measure scores: the weighted mean of those present.

    Coverage is rounded to 12 decimals, so that weights like 0.1 reach the threshold they add up to.
    """
    weights = np.array([card.weights.get(measure, 0.0) for measure in SCORED])
    present = ~np.isnan(measure_scores)
    weight = np.where(present, weights, 0.0).sum(axis=1)
    points = np.where(present, weights * measure_scores, 0.0).sum(axis=1)
    coverage = (weight / weights.sum()).round(12)
    known = (weight > 0) & (coverage >= card.min_coverage)
    mean = np.full(len(weight), np.nan)
    np.divide(points, weight, out=mean, where=known)
    return np.clip(mean, 0, 100), coverage


def band(card: Scorecard, score: float | None) -> Band:
    """Half-open: a score on the edge belongs to the band above. None and nan are unknown."""
    if score is None or math.isnan(score):
        return Band.UNKNOWN
    if score < card.watch_from:
        return Band.AT_RISK
    return Band.WATCH if score < card.healthy_from else Band.HEALTHY


def bands(card: Scorecard, scores: Floats) -> list[Band]:
    return [band(card, value) for value in scores.tolist()]
