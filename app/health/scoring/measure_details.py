"""The measures of a health score as the API returns them, built for a group of accounts. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.health.definition.benchmark import Benchmark
from app.health.definition.measures import CardMeasure, PercentileTransform
from app.health.definition.scorecard import Card
from app.health.scoring.maths import Scores

DIGITS = 4


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
        "points": points,
        "points_missed": 100 * weights - points,
        "raw": scores.raw,
        "before": scores.before,
        "share": scores.share,
        "per_dollar": scores.per_dollar,
        "adjusted": scores.adjusted,
    }
    measures = [
        [constant | dict(zip(columns, row, strict=True)) for row in _rows(columns.values(), number)]
        for number, constant in enumerate(fixed)
    ]
    return [list(account_measures) for account_measures in zip(*measures, strict=True)]


def _rows(tables: Iterable[NDArray[np.float64]], column: int) -> Iterator[tuple[Any, ...]]:
    return zip(*(rounded_values(table[:, column]) for table in tables), strict=True)


def context_key(details: Mapping[str, Any]) -> str:
    """Identify the settings and peers of a score; equal keys mean comparable scores."""
    return f"{details.get('definition')} {details.get('benchmark_id')}"


def rounded_values(table: NDArray[np.float64]) -> list[Any]:
    """Convert an array to nested lists of rounded numbers, with None for nan."""
    numbers = table.round(DIGITS).astype(object)
    numbers[np.isnan(table)] = None
    values: list[Any] = numbers.tolist()
    return values


def _fixed(measure: CardMeasure, benchmark: Benchmark) -> dict[str, Any]:
    """Return the details of a measure that are the same for all accounts."""
    is_ranked = isinstance(measure.transform, PercentileTransform)
    fitted = benchmark.measures.get(measure.source.key) if is_ranked else None
    compared = {
        "elasticity": fitted.elasticity if fitted and measure.is_price_adjusted else None,
        "median": fitted.median if fitted else None,
        "median_per_dollar": fitted.median_per_dollar if fitted else None,
    }
    return {
        "name": measure.name,
        "source": measure.source.key,
        "group": measure.group,
        "weight": measure.weight,
        **{key: None if x is None else round(x, DIGITS) for key, x in compared.items()},
    }
