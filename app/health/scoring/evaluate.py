"""Evaluate accounts with one card and one benchmark: features in, scores and measures out. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core.arrays import Floats, np
from app.core.filters.matching import matches
from app.core.number_format import round_rows_to_totals
from app.features.values import AccountFeatures
from app.health.definition.benchmark import MEASURES, Benchmark, Measure
from app.health.definition.entitlement import Offer, breadth
from app.health.definition.measures import (
    CardMeasure,
    EventsSource,
    MetricSource,
    PercentileTransform,
    SignalSource,
    Source,
    TraitSource,
)
from app.health.definition.metrics import METRICS, AccountFacts, trait_number
from app.health.definition.scorecard import Card
from app.health.scoring.maths import MeasureInputs, MetricColumn, Scores, compute_scores

DIGITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedScores:
    """Scores of n accounts before and after adjustments.

    ``final``: (n,), the scores after adjustments. ``reasons``: of adjustments, by account.
    """

    facts: Sequence[AccountFacts]
    scores: Scores
    final: Floats
    reasons: Sequence[Sequence[str]]


def evaluate(
    card: Card, benchmark: Benchmark, sources: Mapping[str, Source], facts: Sequence[AccountFacts]
) -> AdjustedScores:
    """Score accounts and apply the card's adjustments.

    ``sources``: of the whole scorecard, so that benchmark pools and scores have the same columns.
    """
    scores = compute_scores(card, benchmark, measure_inputs(facts, sources))
    adjusted = [
        apply_adjustments(card, *row)
        for row in zip(facts, scores.measure_scores.tolist(), scores.score.tolist(), strict=True)
    ]
    final = np.array([value for value, _ in adjusted], dtype=np.float64)
    return AdjustedScores(facts, scores, final, [reasons for _, reasons in adjusted])


def account_facts(
    offer: Offer, accounts: Sequence[AccountFeatures], as_of: date
) -> list[AccountFacts]:
    return [AccountFacts(account, breadth(offer, account), as_of) for account in accounts]


def measure_inputs(facts: Sequence[AccountFacts], sources: Mapping[str, Source]) -> MeasureInputs:
    """Convert facts to arrays with one row per account."""
    usage = [_column(facts, source) for source in USAGE_SOURCES]
    return MeasureInputs(
        now=np.column_stack([column.now for column in usage]),
        previous=np.column_stack([column.before for column in usage]),
        shares=np.column_stack([column.share for column in usage]),
        price_cents=_array([each.account.price_cents or None for each in facts]),
        # Usage is in the arrays above, and momentum is derived from it.
        others={key: _column(facts, x) for key, x in sources.items() if key not in USAGE_METRICS},
    )


USAGE_METRICS = frozenset(measure.value for measure in Measure)
USAGE_SOURCES = [MetricSource(metric=name) for name in MEASURES]


def source_value(source: Source, facts: AccountFacts) -> float | None:
    """Return the number of a source for an account; None if it is unknown."""
    match source:
        case MetricSource():
            return METRICS[source.key].value(facts)
        case TraitSource():
            value = facts.account.traits.get(source.trait)
            return trait_number(value, facts.as_of, source.values)
        case EventsSource():
            return float(facts.account.counts.get(source.key, 0))
        case SignalSource():
            severity = facts.account.signals.get(source.signal, 0)
            return float(severity if source.value == "severity" else severity > 0)


def _column(facts: Sequence[AccountFacts], source: Source) -> MetricColumn:
    now = _array([source_value(source, each) for each in facts])
    unknown = np.full(len(facts), np.nan)
    metric = METRICS.get(source.key) if isinstance(source, MetricSource) else None
    if metric is None:
        return MetricColumn(now, unknown, unknown)
    before = _array([metric.before(each) for each in facts]) if metric.before else unknown
    if metric.whole is None:
        return MetricColumn(now, before, unknown)
    whole = _array([metric.whole(each) or None for each in facts])
    return MetricColumn(now, before, now / whole)


def _array(values: Sequence[float | None]) -> Floats:
    return np.array(values, dtype=np.float64)


def apply_adjustments(
    card: Card, facts: AccountFacts, measured: Sequence[float], score: float
) -> tuple[float, Sequence[str]]:
    """Apply the adjustments whose condition is met, in order; return the score and the reasons.

    ``measured``: the measure scores in the order of the card. A nan score stays nan.
    """
    if not card.conditions or math.isnan(score):
        return score, ()
    names = (f"measures.{measure.name}" for measure in card.measures)
    measures = dict(zip(names, measured, strict=True))

    def value_of(field: str) -> Any:  # noqa: ANN401 - a number, a text or a trait
        value = measures[field] if field in measures else attribute_value(facts, field)
        return None if isinstance(value, float) and math.isnan(value) else value

    reasons = []
    for condition, adjustment in card.conditions:
        if matches(condition, value_of):
            score = adjustment.apply(score)
            reasons.append(adjustment.reason)
            if adjustment.set_to is not None:
                break
    return min(max(score, 0.0), 100.0), reasons


def attribute_value(facts: AccountFacts, field: str) -> Any:  # noqa: ANN401 - a number, a text or a trait
    """Return the value of a filter field: a metric, a trait or an attribute of the account."""
    if field in METRICS:
        return METRICS[field].value(facts)
    if field.startswith("traits."):
        return facts.account.traits.get(field.removeprefix("traits."))
    return getattr(facts.account, field)


def describe_measures(
    card: Card, benchmark: Benchmark, scores: Scores
) -> list[list[dict[str, Any]]]:
    """Describe each measure of each account, known or missing, with its effective weight.

    Return one list per account, in the order of the inputs; measures are in the order of the card.
    """
    fixed = [_fixed(measure, benchmark) for measure in card.measures]
    weights = scores.effective_weights
    points = np.where(np.isnan(scores.measure_scores), 0.0, weights * scores.measure_scores)
    columns = {
        "score": scores.measure_scores,
        "effective_weight": weights,
        "points": round_rows_to_sum(points),
        "points_missed": round_rows_to_sum(100 * weights - points),
    }
    numbers = ("raw", "before", "share", "per_dollar", "adjusted")
    columns |= {name: getattr(scores, name) for name in numbers}
    measures = [
        [constant | dict(zip(columns, row, strict=True)) for row in _rows(columns.values(), number)]
        for number, constant in enumerate(fixed)
    ]
    return [list(account_measures) for account_measures in zip(*measures, strict=True)]


def round_rows_to_sum(table: Floats) -> Floats:
    """Round each row so that it adds up to its own rounded sum."""
    scaled = table * 10**DIGITS
    rounded: Floats = round_rows_to_totals(scaled, np.rint(scaled.sum(axis=1))) / 10**DIGITS
    return rounded


def _rows(tables: Iterable[Floats], column: int) -> Iterator[tuple[Any, ...]]:
    return zip(*(rounded_values(table[:, column]) for table in tables), strict=True)


def rounded_values(table: Floats) -> list[Any]:
    """Convert an array to nested lists of rounded numbers, with None for nan."""
    numbers = table.round(DIGITS).astype(object)
    numbers[np.isnan(table)] = None
    values: list[Any] = numbers.tolist()
    return values


def _fixed(measure: CardMeasure, benchmark: Benchmark) -> dict[str, Any]:
    """Return the details of a measure that are the same for all accounts.

    With fewer than 20 accounts there are no peers, and so no medians.
    """
    is_ranked = isinstance(measure.transform, PercentileTransform)
    fitted = benchmark.measures.get(measure.source.key) if is_ranked else None
    compared = {
        "elasticity": fitted.elasticity if fitted and measure.is_price_adjusted else None,
        "median": fitted.median if fitted and benchmark.has_peers else None,
        "median_per_dollar": fitted.median_per_dollar if fitted and benchmark.has_peers else None,
    }
    return {
        "name": measure.name,
        "source": measure.source.key,
        "group": measure.group,
        "weight": measure.weight,
        **{key: None if x is None else round(x, DIGITS) for key, x in compared.items()},
    }
