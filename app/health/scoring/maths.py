"""Scorecard maths: usage, prices and a benchmark in, health scores (0-100) out. Pure.

A health score is the weighted mean of the known measures of a card, each 0-100. The default
measures are

breadth, depth, reach   percentile among peers of usage relative to the price
momentum                the last window compared with the account's own window before
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.arrays import Booleans, Floats, np
from app.health.definition.benchmark import (
    MEASURES,
    MIN_ACCOUNTS,
    Benchmark,
    Measure,
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
    """One number of n accounts: now, one window before, and as a share of a whole; nan: unknown."""

    now: Floats
    before: Floats
    share: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MeasureInputs:
    """The inputs of n accounts on one day; every array has one row per account.

    now, previous: (n, 3) raw usage (>= 0) in the window and in the window before, nan: none.
    shares: (n, 3), now as a share of the entitled, bought or reachable total, nan: unknown.
    price_cents: (n,) a month, nan: unpriced. others: all other sources by key.
    """

    now: Floats
    previous: Floats
    shares: Floats
    price_cents: Floats
    others: Mapping[str, MetricColumn] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of n accounts in the order of the inputs, with the numbers that explain them.

    score: (n,) 0-100, nan if coverage is too small. coverage: (n,) 0-1.
    unpriced: (n,) True where the account was ranked without its price.
    The arrays below are (n, m) with one column per measure of the card:
    measure_scores: 0-100, nan: missing. effective_weights: rows sum to 1, or 0 if all is missing.
    raw, before, share: the measured numbers. per_dollar: raw per $100, nan without a price.
    adjusted: the value that was ranked, nan if none was.
    """

    score: Floats
    coverage: Floats
    unpriced: Booleans
    measure_scores: Floats
    effective_weights: Floats
    raw: Floats
    before: Floats
    share: Floats
    per_dollar: Floats
    adjusted: Floats


def compute_scores(card: Card, benchmark: Benchmark, inputs: MeasureInputs) -> Scores:
    """Score n accounts independently: neither their order nor the other accounts matter.

    The price exponent is the benchmark's, because its ranks are only valid for that exponent.
    """
    columns = metric_columns(benchmark, inputs)
    priced = (inputs.price_cents > 0) & (benchmark.priced_accounts >= MIN_ACCOUNTS)
    price = np.where(priced, inputs.price_cents, np.nan)
    measured = [columns[measure.source.key] for measure in card.measures]
    scored = [
        score_measure(benchmark, measure, column, price)
        for measure, column in zip(card.measures, measured, strict=True)
    ]
    raw = np.column_stack([column.now for column in measured])
    measure_scores = np.column_stack([scores for _, scores in scored])
    weights = effective_weights(card, measure_scores)
    mean, coverage = combine_measure_scores(card, measure_scores, weights)
    return Scores(
        score=mean,
        coverage=coverage,
        unpriced=~priced,
        measure_scores=measure_scores,
        effective_weights=weights,
        raw=raw,
        before=np.column_stack([column.before for column in measured]),
        share=np.column_stack([column.share for column in measured]),
        per_dollar=_per_dollar(card, raw, price),
        adjusted=np.column_stack([adjusted for adjusted, _ in scored]),
    )


def metric_columns(benchmark: Benchmark, inputs: MeasureInputs) -> dict[str, MetricColumn]:
    """Return the columns of all sources by key. No usage counts as zero, not as missing."""
    has = np.array([measure in benchmark.measures for measure in MEASURES])
    now = np.where(has & np.isnan(inputs.now), 0.0, inputs.now)
    trend = momentum(now[:, has], inputs.previous[:, has])
    unknown = np.full(len(trend), np.nan)
    usage = {
        name.value: MetricColumn(now[:, i], inputs.previous[:, i], inputs.shares[:, i])
        for i, name in enumerate(MEASURES)
    }
    return {**usage, **inputs.others, Measure.MOMENTUM: MetricColumn(trend, unknown, unknown)}


def score_measure(
    benchmark: Benchmark, measure: CardMeasure, column: MetricColumn, price_cents: Floats
) -> tuple[Floats, Floats]:
    """Return ranked values (nan: not ranked) and scores (nan: missing) of one measure: (n,) each.

    Scores are 0-100; an unbounded linear transform may go beyond.
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
    if not benchmark.has_peers:
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
    """Return the score of the highest step that each value reaches: (n,) -> (n,); nan stays nan."""
    edges = [step.edge for step in transform.steps]
    scores = np.array([transform.below, *(step.score for step in transform.steps)])
    reached = scores[np.searchsorted(edges, values, side="right")]
    scored: Floats = np.where(np.isnan(values), np.nan, reached)
    return scored


def apply_linear(transform: LinearTransform, values: Floats) -> Floats:
    """Evaluate the line through (at_0, 0) and (at_100, 100): (n,) -> (n,); nan stays nan.

    An unbounded line is clipped to plus or minus one million, so that sums stay exact.
    """
    with np.errstate(over="ignore"):
        line = 100 * (values - transform.at_0) / (transform.at_100 - transform.at_0)
    low, high = (0, 100) if transform.kind == "linear_bounded" else (-LINEAR_LIMIT, LINEAR_LIMIT)
    return np.clip(line, low, high)


def momentum(now: Floats, previous: Floats) -> Floats:
    """Average 50 + 50 log2(now / previous), clipped to 0-100, over k measures: (n, k) -> (n,).

    A rise from zero is 100 and a fall to zero is 0. A measure that is zero in both windows is left
    out; if all are left out momentum is 0. Without measures (k = 0) it is nan.
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
    """Return the share of the health score that each measure decides: (n, m) -> (n, m).

    The weight of a missing measure goes to the others of its group, that of a missing group to the
    other groups.
    """
    weights = np.where(np.isnan(measure_scores), 0.0, [each.weight for each in card.measures])
    for name, weight in card.groups.items():
        members = [i for i, each in enumerate(card.measures) if each.group == name]
        weights[:, members] = weight * _normalize_rows(weights[:, members])
    return _normalize_rows(weights)


def _normalize_rows(weights: Floats) -> Floats:
    """Divide each row by its sum, or return zeros if the sum is 0.

    Row-contiguous memory fixes the order of summation, so that results do not depend on the number
    of columns beside a row.
    """
    total = np.ascontiguousarray(weights).sum(axis=1, keepdims=True)
    shares: Floats = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return shares


def combine_measure_scores(
    card: Card, measure_scores: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """Return health scores and coverages, (n,) each, from measure scores and weights, (n, m) each.

    The score is the weighted mean of the known measures. Coverage is rounded to 12 decimals, so
    that weights like 0.1 reach the threshold that they add up to.
    """
    nominal = effective_weights(card, np.zeros((1, len(card.measures))))
    present = ~np.isnan(measure_scores)
    coverage = np.where(present, nominal, 0.0).sum(axis=1).round(12)
    mean = np.where(present, weights * measure_scores, 0.0).sum(axis=1)
    known = (weights.sum(axis=1) > 0) & (coverage >= card.min_coverage)
    return np.where(known, np.clip(mean, 0, 100), np.nan), coverage


def _per_dollar(card: Card, raw: Floats, price_cents: Floats) -> Floats:
    """Return raw values per $100 for measures that are ranked relative to the price, else nan."""
    is_adjusted = [measure.is_price_adjusted for measure in card.measures]
    return np.where(is_adjusted, per_price(raw, price_cents[:, np.newaxis], 1.0), np.nan)
