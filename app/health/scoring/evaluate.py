"""Evaluate accounts with one card and one benchmark: features in, adjusted scores out. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from app.core.filters.matching import matches
from app.features.values import AccountFeatures
from app.health.definition.benchmark import MEASURES, Benchmark, Floats, Measure
from app.health.definition.entitlement import Offer, breadth
from app.health.definition.measures import (
    EventsSource,
    MetricSource,
    SignalSource,
    Source,
    TraitSource,
)
from app.health.definition.metrics import METRICS, AccountFacts, trait_number
from app.health.definition.scorecard import Card
from app.health.scoring.maths import MeasureInputs, MetricColumn, Scores, compute_scores


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedScores:
    """Scores of n accounts before and after adjustments.

    ``final``: (n,), the scores after adjustments. ``reasons``: those of the adjustments applied.
    """

    facts: Sequence[AccountFacts]
    scores: Scores
    final: Floats
    reasons: Sequence[Sequence[str]]


def evaluate(
    card: Card,
    benchmark: Benchmark,
    sources: Mapping[str, Source],
    facts: Sequence[AccountFacts],
) -> AdjustedScores:
    """Score accounts and apply the card's adjustments.

    ``sources``: those of the whole scorecard, so that pools and scores have the same layout.
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
    usage = [_column(facts, METRIC_SOURCES[name]) for name in MEASURES]
    return MeasureInputs(
        now=_table([column.now for column in usage], len(facts)),
        previous=_table([column.before for column in usage], len(facts)),
        shares=_table([column.share for column in usage], len(facts)),
        price_cents=_array([each.account.price_cents or None for each in facts]),
        others={
            key: _column(facts, source)
            for key, source in sources.items()
            if key
            not in USAGE_METRICS  # usage is in the arrays above, and momentum is derived from it
        },
    )


USAGE_METRICS = frozenset(measure.value for measure in Measure)
METRIC_SOURCES: Mapping[str, MetricSource] = {name: MetricSource(metric=name) for name in METRICS}


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


def _table(columns: Sequence[Floats], rows: int) -> Floats:
    return np.column_stack(columns).reshape(rows, len(columns))


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
