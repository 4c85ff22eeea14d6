"""The scorecard maths: usage, price and a benchmark in, health scores (0-100) out.

A health score is the weighted mean of what is present of a card's measures, each 0-100. Unless a
scorecard says otherwise these are

breadth, depth, reach   the percentile among peers of usage for what the account pays
momentum                the last window against the one before, on the account's own baseline
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.health.definition.benchmark import (
    MEASURES,
    MIN_ACCOUNTS,
    Benchmark,
    Floats,
    Measure,
    Normalizer,
    per_price,
    percentile,
)
from app.health.definition.measures import (
    CardMeasure,
    LinearTransform,
    PercentileTransform,
    ThresholdsTransform,
)
from app.health.definition.scorecard import Card

LINEAR_LIMIT = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class MetricColumn:
    """One number of n accounts: now, a window earlier, and as a share of a whole; nan: unknown."""

    now: Floats
    before: Floats
    share: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MeasureInputs:
    """What is known of n accounts on one day; one row for each account in every array.

    now, previous: (n, 3) raw usage (>= 0) over the window and over the one before it, nan: none.
    shares: (n, 3), now as a share of what was entitled, bought or there to reach, nan: unknown.
    price_cents: (n,) a month, nan: unpriced. others: what else is measured, by key.
    """

    now: Floats
    previous: Floats
    shares: Floats
    price_cents: Floats
    others: Mapping[str, MetricColumn] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of n accounts, in the order of the inputs, with what explains them.

    score: (n,) 0-100, nan when coverage is too small. coverage: (n,) 0-1.
    unpriced: (n,) True where the account was ranked with no regard to price.
    The rest is (n, m), a column for each of the card's m measures:
    measure_scores 0-100, nan: missing. effective_weights: rows sum to 1, or 0 where all is missing.
    raw, before, share: what was measured. per_dollar: raw for each $100, nan without a price.
    adjusted: the value that was ranked, nan where none was.
    """

    score: Floats
    coverage: Floats
    unpriced: NDArray[np.bool_]
    measure_scores: Floats
    effective_weights: Floats
    raw: Floats
    before: Floats
    share: Floats
    per_dollar: Floats
    adjusted: Floats


def compute_scores(card: Card, benchmark: Benchmark, inputs: MeasureInputs) -> Scores:
    """Score each account on its own: neither the order nor the company of the others matters.

    The price exponent is the benchmark's, for its ranks hold for that exponent alone.
    """
    columns = metric_columns(benchmark, inputs)
    priced = (inputs.price_cents > 0) & (benchmark.priced_accounts >= MIN_ACCOUNTS)
    price = np.where(priced, inputs.price_cents, np.nan)
    used = [columns[measure.source.key] for measure in card.measures]
    ranked = [
        score_measure(benchmark, measure, column, price)
        for measure, column in zip(card.measures, used, strict=True)
    ]
    raw = _beside([column.now for column in used], len(price))
    measure_scores = _beside([scored for _, scored in ranked], len(price))
    weights = effective_weights(card, measure_scores)
    mean, coverage = combine_measure_scores(card, measure_scores, weights)
    return Scores(
        score=mean,
        coverage=coverage,
        unpriced=~priced,
        measure_scores=measure_scores,
        effective_weights=weights,
        raw=raw,
        before=_beside([column.before for column in used], len(price)),
        share=_beside([column.share for column in used], len(price)),
        per_dollar=_per_dollar(card, raw, price),
        adjusted=_beside([adjusted for adjusted, _ in ranked], len(price)),
    )


def metric_columns(benchmark: Benchmark, inputs: MeasureInputs) -> dict[str, MetricColumn]:
    """Lay out every number that a card can ask for; usage that is absent is zero, not missing."""
    has = np.array([measure in benchmark.measures for measure in MEASURES])
    now = np.where(has & np.isnan(inputs.now), 0.0, inputs.now)
    trend = momentum(now[:, has], inputs.previous[:, has])
    nothing = np.full(len(trend), np.nan)
    usage = {
        name.value: MetricColumn(now[:, i], inputs.previous[:, i], inputs.shares[:, i])
        for i, name in enumerate(MEASURES)
    }
    return {**usage, **inputs.others, Measure.MOMENTUM: MetricColumn(trend, nothing, nothing)}


def score_measure(
    benchmark: Benchmark, measure: CardMeasure, column: MetricColumn, price_cents: Floats
) -> tuple[Floats, Floats]:
    """Return the price-adjusted value (nan: not ranked) and the score of each account: (n,) each.

    0-100, nan: missing; a line that is not bounded may lead beyond.
    """
    adjusted = np.full(column.now.shape, np.nan)
    match measure.transform:
        case PercentileTransform():
            adjusted, scored = _percentile(benchmark, measure, column, price_cents)
        case ThresholdsTransform() as transform:
            scored = apply_thresholds(transform, column.now)
        case LinearTransform() as transform:
            scored = apply_linear(transform, column.now)
    if measure.missing != "leave_out":
        scored = np.where(np.isnan(scored), measure.missing, scored)
    return adjusted, scored


def _percentile(
    benchmark: Benchmark, measure: CardMeasure, column: MetricColumn, price_cents: Floats
) -> tuple[Floats, Floats]:
    fitted = benchmark.measures.get(measure.source.key)
    missing = np.full(column.now.shape, np.nan)
    if fitted is None:
        return missing, missing
    adjusted, scored = column.now, percentile(fitted.plain, column.now)
    if benchmark.normalizer is Normalizer.SHARE:
        scored = np.clip(100 * column.share, 0, 100)
    elif measure.is_price_adjusted and fitted.priced.values:
        unpriced = np.isnan(price_cents)
        for_price = per_price(column.now, price_cents, fitted.elasticity)
        adjusted = np.where(unpriced, column.now, for_price)
        scored = np.where(unpriced, scored, percentile(fitted.priced, adjusted))
    if measure.direction == "lower_is_better":
        scored = 100 - scored
    return adjusted, scored


def apply_thresholds(transform: ThresholdsTransform, values: Floats) -> Floats:
    """The score of the highest step that each value reaches: (n,) -> (n,), nan stays nan."""
    edges = [step.edge for step in transform.steps]
    scores = np.array([transform.below, *(step.score for step in transform.steps)])
    reached = scores[np.searchsorted(edges, values, side="right")]
    known: Floats = np.where(np.isnan(values), np.nan, reached)
    return known


def apply_linear(transform: LinearTransform, values: Floats) -> Floats:
    """Read off the line through (at_0, 0) and (at_100, 100): (n,) -> (n,), nan stays nan.

    A line that is not bounded ends at a million either way, so that sums stay exact.
    """
    with np.errstate(over="ignore"):
        line = 100 * (values - transform.at_0) / (transform.at_100 - transform.at_0)
    low, high = (0, 100) if transform.kind == "linear_bounded" else (-LINEAR_LIMIT, LINEAR_LIMIT)
    return np.clip(line, low, high)


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


def effective_weights(card: Card, measure_scores: Floats) -> Floats:
    """The share of the health score that each measure decides: (n, m) -> (n, m).

    A missing measure's weight goes to the others of its group, a missing group's to the others.
    """
    weights = np.where(np.isnan(measure_scores), 0.0, [each.weight for each in card.measures])
    for name, weight in card.groups.items():
        members = [i for i, each in enumerate(card.measures) if each.group == name]
        weights[:, members] = weight * _in_proportion(weights[:, members])
    return _in_proportion(weights)


def _in_proportion(weights: Floats) -> Floats:
    """Laid out by rows, a row is summed in the same order whatever stands beside it."""
    total = np.ascontiguousarray(weights).sum(axis=1, keepdims=True)
    shares: Floats = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return shares


def combine_measure_scores(
    card: Card, measure_scores: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """Health score and coverage from (n, m) measure scores: the weighted mean of those present.

    Coverage is rounded to 12 decimals, so that weights like 0.1 reach the threshold they add up to.
    """
    nominal = effective_weights(card, np.zeros((1, len(card.measures))))
    present = ~np.isnan(measure_scores)
    coverage = np.where(present, nominal, 0.0).sum(axis=1).round(12)
    mean = np.where(present, weights * measure_scores, 0.0).sum(axis=1)
    known = (weights.sum(axis=1) > 0) & (coverage >= card.min_coverage)
    return np.where(known, np.clip(mean, 0, 100), np.nan), coverage


def _per_dollar(card: Card, raw: Floats, price_cents: Floats) -> Floats:
    """Per $100, for measures that are ranked for their price."""
    shown = [measure.is_price_adjusted for measure in card.measures]
    return np.where(shown, per_price(raw, price_cents[:, np.newaxis], 1.0), np.nan)


def _beside(columns: Sequence[Floats], rows: int) -> Floats:
    return np.column_stack(columns) if columns else np.empty((rows, 0))
