"""Pools, benchmarks and inputs for the maths of scoring."""

from datetime import date
from typing import Any

import numpy as np

from app.features.values import AccountFeatures
from app.health.benchmark import (
    MEASURES,
    Benchmark,
    Floats,
    Integers,
    Knots,
    Measure,
    MeasureBenchmark,
    Normalizer,
    fit,
)
from app.health.scorecard import Inputs, Scorecard

NAN = np.nan
CARD = Scorecard()
AS_OF = date(2026, 3, 18)
LONG_AGO = date(2025, 1, 1)


def pool(accounts: int, *, growth: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Usage x (n, 3) that grows as price^growth with lognormal noise, and price_cents (n,)."""
    random = np.random.default_rng(seed)
    price_cents = random.lognormal(np.log(20_000), 1.0, accounts)
    typical = 10 * (price_cents / 10_000) ** growth
    return typical[:, np.newaxis] * random.lognormal(0, 0.5, (accounts, 3)), price_cents


def peers(x: Floats, price_cents: Floats, *, price_exponent: float | None = None) -> Benchmark:
    return fit(
        x,
        price_cents,
        np.arange(len(x)),
        segment="all",
        normalizer=Normalizer.SEGMENT,
        price_exponent=price_exponent,
        product_features=(),
    )


FIXED = peers(*pool(200, growth=0.9))


def simple(
    *measures: Measure, normalizer: Normalizer = Normalizer.SEGMENT, priced_accounts: int = 50
) -> Benchmark:
    """Elasticity 1; 10 per $100 or 100 in all is the median, 20 and 200 the top, at 90."""
    priced, plain = Knots((10.0, 20.0), (50.0, 90.0)), Knots((100.0, 200.0), (50.0, 90.0))
    known = MeasureBenchmark(1.0, priced, plain, 100.0, 10.0)
    return Benchmark(
        normalizer, "all", 60, priced_accounts, dict.fromkeys(measures or MEASURES, known), ()
    )


def inputs(
    now: Any,  # noqa: ANN401
    *,
    previous: Any = None,  # noqa: ANN401
    shares: Any = NAN,  # noqa: ANN401
    price_cents: Any = 100_000.0,  # noqa: ANN401
) -> Inputs:
    """Rows of now; anything else may be one number for all. Previous is now unless given."""
    now = np.atleast_2d(np.array(now, dtype=np.float64))
    previous = now if previous is None else previous
    return Inputs(
        now=now,
        previous=np.array(np.broadcast_to(previous, now.shape), dtype=np.float64),
        shares=np.array(np.broadcast_to(shares, now.shape), dtype=np.float64),
        price_cents=np.array(np.broadcast_to(price_cents, len(now)), dtype=np.float64),
    )


PRICES = np.array([4_900.0, 19_900.0, 49_900.0, 99_900.0])


def paying(
    accounts: int, *, growth: float, noise: float = 0.4, seed: int = 1
) -> tuple[Floats, Floats, Integers]:
    """Usage that grows as price^growth: x (n, 3), price_cents and account (n,), one row each."""
    random = np.random.default_rng(seed)
    price_cents = random.choice(PRICES, accounts)
    typical = 10 * (price_cents / 10_000) ** growth
    x = typical[:, np.newaxis] * random.lognormal(0, noise, (accounts, 3))
    return x, price_cents, np.arange(accounts)


def known(account_id: str = "a1", **said: Any) -> AccountFeatures:  # noqa: ANN401
    """An account that has used and paid $1,000 a month for long, and what is said of it."""
    nothing = dict.fromkeys(AccountFeatures.__slots__)
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
        **{**nothing, **dict.fromkeys(counts, 0), **usual, "account_id": account_id, **said}
    )
