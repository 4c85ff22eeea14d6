"""What a health answer says of each measure, made for a whole group of accounts at a time. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.health.benchmark import MEASURES, Benchmark, MeasureBenchmark
from app.health.scorecard import SCORED, Inputs, Scorecard, Scores

DIGITS = 4
COUNTED = ("raw", "before", "share", "per_dollar", "adjusted")


def describe(
    card: Scorecard, benchmark: Benchmark, inputs: Inputs, scores: Scores
) -> list[list[dict[str, Any]]]:
    """Describe each measure of each account, present or missing, with the weight it came to have.

    One list for each account, in the order of the inputs; its measures in the order of SCORED.
    """
    weights = [card.weights.get(name, 0.0) for name in SCORED]
    values, effective = rounded(scores.measure_scores), rounded(effective_weights(card, scores))
    tables = (inputs.now, inputs.previous, inputs.shares, scores.per_dollar, scores.adjusted)
    counted = list(zip(*(rounded(table) for table in tables), strict=True))
    fitted = [_fitted(benchmark.measures.get(name)) for name in MEASURES]
    described = []
    for row, (scored, shares) in enumerate(zip(values, effective, strict=True)):
        measures = [
            {"name": name, "score": value, "weight": weight, "effective_weight": share}
            for name, value, weight, share in zip(SCORED, scored, weights, shares, strict=True)
        ]
        for column, comparison in enumerate(fitted):
            taken = (table[column] for table in counted[row])
            measures[column] |= dict(zip(COUNTED, taken, strict=True)) | comparison
        described.append(measures)
    return described


def effective_weights(card: Scorecard, scores: Scores) -> NDArray[np.float64]:
    """The share of the health score that each measure decides: (n, 4), rows sum to 1 or 0."""
    weights = np.array([card.weights.get(name, 0.0) for name in SCORED])
    present = np.where(np.isnan(scores.measure_scores), 0.0, weights)
    total = present.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(
        present, total, out=np.zeros_like(present), where=total > 0
    )
    return shares


def rounded(table: NDArray[np.float64]) -> list[Any]:
    """Turn an array into nested lists, rounded, with None for nan."""
    numbers = table.round(DIGITS).astype(object)
    numbers[np.isnan(table)] = None
    found: list[Any] = numbers.tolist()
    return found


def _fitted(measure: MeasureBenchmark | None) -> dict[str, float | None]:
    if measure is None:
        return {"elasticity": None, "median": None}
    return {
        "elasticity": round(measure.elasticity, DIGITS),
        "median": round(measure.median, DIGITS),
    }
