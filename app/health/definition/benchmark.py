"""Benchmark maths: how much usage the accounts of a segment get for their price. Pure.

A benchmark pools month-ends of comparable accounts. For each measure it holds the price elasticity
of usage and the percentiles of usage after the price is divided out. It is fitted once and stored;
ranking an account needs nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

import orjson

from app.core.arrays import Floats, Hashes, Integers, np

MIN_ACCOUNTS = 20
MIN_PRICES = 3
MAX_KNOTS = 2_001
MIN_KNOT = 1e-250  # the slope between still smaller knots is no longer a float
MAX_POINTS = 1_000
MIN_ELASTICITY, MAX_ELASTICITY = 0.25, 2.0
CENTS_PER_UNIT = 10_000  # prices are compared in units of $100


class Measure(StrEnum):
    BREADTH = "breadth"
    DEPTH = "depth"
    REACH = "reach"
    MOMENTUM = "momentum"


MEASURES: tuple[Measure, ...] = (Measure.BREADTH, Measure.DEPTH, Measure.REACH)
"""The measures computed from usage. The columns of every (n, 3) array are in this order."""


class Normalizer(StrEnum):
    """What a value is compared with: peers in the segment or workspace, or (share) its maximum."""

    SEGMENT = "segment"
    WORKSPACE = "workspace"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Knots:
    """Distinct positive values in ascending order, with the mid-rank percentile (0-100) of each."""

    values: tuple[float, ...] = ()
    percentiles: tuple[float, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, list[float]]) -> Self:
        return cls(tuple(stored["values"]), tuple(stored["percentiles"]))


@dataclass(frozen=True, slots=True)
class MeasureBenchmark:
    """One measure, fitted to the pool: the peer accounts at the month-ends.

    ``priced`` ranks values adjusted for price, ``plain`` ranks raw values. The medians, of the raw
    value and of the value per $100 of price, are only used in explanations.
    """

    elasticity: float
    priced: Knots
    plain: Knots
    median: float
    median_per_dollar: float | None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        knots = {name: Knots.from_json(stored[name]) for name in ("priced", "plain")}
        return cls(**{**stored, **knots})


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The benchmark of one segment, or of the whole workspace (``segment`` is empty).

    ``accounts`` and ``priced_accounts`` count distinct accounts of the pool, not month-ends.
    """

    normalizer: Normalizer
    segment: str
    accounts: int
    priced_accounts: int
    measures: Mapping[str, MeasureBenchmark]
    product_features: tuple[str, ...]

    @property
    def has_peers(self) -> bool:
        """Whether there are enough accounts to rank among: 20."""
        return self.normalizer is not Normalizer.SHARE

    def to_json(self) -> dict[str, Any]:
        """Return the benchmark as JSON, to be stored; orjson converts nested dataclasses."""
        stored: dict[str, Any] = orjson.loads(orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS))
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        measures = {k: MeasureBenchmark.from_json(m) for k, m in stored["measures"].items()}
        parsed = {
            "normalizer": Normalizer(stored["normalizer"]),
            "measures": measures,
            "product_features": tuple(stored["product_features"]),
        }
        return cls(**{**stored, **parsed})


def fit_benchmark(
    x: Floats,
    price_cents: Floats,
    account: Integers,
    *,
    segment: str,
    normalizer: Normalizer,
    price_exponent: float | None,
    product_features: tuple[str, ...],
    others: Mapping[str, Floats] | None = None,
) -> Benchmark:
    """Fit a benchmark to its pool: one row per account and month-end, in any order.

    x: (n, 3); nan where the measure is unknown. Such rows are left out of that measure's ranks.
    price_cents: (n,); nan where unpriced. account: (n,), the account number of each row.
    others: further ranked measures by source key, (n,) each.
    With fewer than 20 accounts there are no ranks: the normalizer is SHARE.
    """
    accounts = count_distinct(account)
    normalizer = normalizer if accounts >= MIN_ACCOUNTS else Normalizer.SHARE
    columns: dict[str, Floats] = dict(zip(MEASURES, x.T, strict=True))
    measures = {
        key: fit_measure(column, price_cents, account, price_exponent)
        for key, column in (columns | dict(others or {})).items()
        if (column > 0).any()
    }
    if normalizer is Normalizer.SHARE:
        measures = {k: replace(m, priced=Knots(), plain=Knots()) for k, m in measures.items()}
    return Benchmark(
        normalizer=normalizer,
        segment=segment,
        accounts=accounts,
        priced_accounts=count_distinct(account[price_cents > 0]),
        measures=measures,
        product_features=product_features,
    )


def fit_measure(
    x: Floats, price_cents: Floats, account: Integers, price_exponent: float | None
) -> MeasureBenchmark:
    """Fit one measure; x, price_cents and account are (n,).

    With fewer than 20 priced accounts the elasticity is 0 and only ``plain`` ranks are fitted.
    """
    known = ~np.isnan(x)
    plain, median = build_knots(x), float(np.median(x[known]))
    priced = known & (price_cents > 0)
    if count_distinct(account[priced]) < MIN_ACCOUNTS:
        return MeasureBenchmark(0.0, Knots(), plain, median, None)
    if price_exponent is None:
        price_exponent = elasticity(x, price_cents, account)
    adjusted = per_price(x[priced], price_cents[priced], price_exponent)
    per_dollar = per_price(x[priced], price_cents[priced], 1.0)
    return MeasureBenchmark(
        price_exponent, build_knots(adjusted), plain, median, float(np.median(per_dollar))
    )


def count_distinct(account: Integers) -> int:
    return int(np.unique(account).size)


def per_price(x: Floats, price_cents: Floats, exponent: float) -> Floats:
    """Return x / price^exponent with the price in units of $100; exponent 1 gives x per $100."""
    adjusted: Floats = x / (price_cents / CENTS_PER_UNIT) ** exponent
    return adjusted


def build_knots(pool: Floats) -> Knots:
    """Return the mid-rank percentiles 100 * (below + equal / 2) / n of an (n,) pool without nan.

    Zeros count for the ranks but get no knot, because zero always scores 0; a value below MIN_KNOT
    counts as zero. At most 2,001 knots are returned, evenly spaced by rank among the distinct
    values, including the first and the last.
    """
    values, counts = np.unique(pool[~np.isnan(pool)], return_counts=True)
    percentiles = 100 * (np.cumsum(counts) - counts / 2) / counts.sum()
    positive = np.flatnonzero(values >= MIN_KNOT)
    evenly = np.linspace(0, positive.size - 1, min(positive.size, MAX_KNOTS))
    chosen = positive[evenly.round().astype(np.int64)]
    return Knots(tuple(values[chosen].tolist()), tuple(percentiles[chosen].tolist()))


def percentile(knots: Knots, x: Floats) -> Floats:
    """Return the percentile (0-100) of each x: (n,) -> (n,). It never falls as x grows.

    Linear from (0, 0) through the knots and constant beyond the last one. nan stays nan; without
    knots every result is nan.
    """
    if not knots.values:
        return np.full(x.shape, np.nan)
    return np.interp(x, (0.0, *knots.values), (0.0, *knots.percentiles))


def elasticity(x: Floats, price_cents: Floats, account: Integers) -> float:
    """Return the percentage growth of x per 1 % growth of the price, clipped to [0.25, 2].

    It is the Theil-Sen slope of log x on log price over rows where both are positive, one point per
    account. It is 1.0 with fewer than 20 such accounts or fewer than 3 distinct prices.
    """
    log_price, log_x = log_points(x, price_cents, account)
    if log_price.size < MIN_ACCOUNTS or np.unique(log_price).size < MIN_PRICES:
        return 1.0
    return float(np.clip(theil_sen_slope(log_price, log_x), MIN_ELASTICITY, MAX_ELASTICITY))


def log_points(x: Floats, price_cents: Floats, account: Integers) -> tuple[Floats, Floats]:
    """Return mean log price and mean log x per account, for at most 1,000 accounts.

    The order of the rows does not matter. Log prices are rounded to nine decimals, so that equal
    prices stay equal whatever the number of rows that they are averaged over.
    """
    used = np.flatnonzero((x > 0) & (price_cents > 0))
    used = used[np.lexsort((x[used], price_cents[used], account[used]))]
    numbers, point, rows = np.unique(account[used], return_inverse=True, return_counts=True)
    log_price = np.bincount(point, np.log(price_cents[used])) / rows
    log_x = np.bincount(point, np.log(x[used])) / rows
    chosen = np.argsort(scramble(numbers), kind="stable")[:MAX_POINTS]
    return log_price[chosen].round(9), log_x[chosen]


def scramble(account: Integers) -> Hashes:
    """Hash account numbers with SplitMix64's finalizer (Steele, Lea, Flood 2014)."""
    mixed = account.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def theil_sen_slope(x: Floats, y: Floats) -> float:
    """Return the median slope over all pairs with different x (Theil 1950, Sen 1968).

    Needs memory for n^2 / 2 floats.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    higher = np.searchsorted(x, x, side="right")
    slopes = [(y[j:] - y[i]) / (x[j:] - x[i]) for i, j in enumerate(higher)]
    return float(np.median(np.concatenate(slopes), overwrite_input=True))
