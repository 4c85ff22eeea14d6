"""Experiments in simulated worlds that somebody looks at every day."""

import time
from dataclasses import dataclass

import numpy as np

from app.bench.results import Result
from app.interventions.experiments.sequential import ArmSample, interval_contains

WORLDS, DAYS, UNITS_A_DAY, ALPHA = 1000, 180, 6, 0.05


@dataclass(frozen=True, slots=True)
class World:
    """What share stays in each arm, and how large the treated arm is."""

    treated: float
    control: float
    share: float


WORLD_KINDS = (
    World(0.9, 0.9, 0.5),
    World(0.97, 0.97, 0.85),
    World(0.5, 0.5, 0.5),
    World(0.9, 0.8, 0.85),
)


def run() -> list[Result]:
    return [_result(kind, seed) for seed, kind in enumerate(WORLD_KINDS)]


def _result(kind: World, seed: int) -> Result:
    started = time.perf_counter()
    rng = np.random.default_rng((seed, 17))
    wrong = sum(_is_ever_wrong(kind, rng) for _ in range(WORLDS)) / WORLDS
    truth = kind.treated - kind.control
    what = "says different" if truth == 0 else "loses the truth"
    return Result(
        f"{what} on any of {DAYS} days, {kind.treated:.0%} and {kind.control:.0%} stay,"
        f" {kind.share:.0%} treated",
        f"{wrong:.1%} of {WORLDS:,} worlds",
        f"{time.perf_counter() - started:.0f} s",
        f"≤ {ALPHA:.0%}",
        wrong <= ALPHA,
    )


def _is_ever_wrong(kind: World, rng: np.random.Generator) -> bool:
    """Whether the interval of any day misses the true difference."""
    is_treated = rng.random(UNITS_A_DAY * DAYS) < kind.share
    stays = rng.random(UNITS_A_DAY * DAYS) < np.where(is_treated, kind.treated, kind.control)
    ends = slice(UNITS_A_DAY - 1, None, UNITS_A_DAY)
    columns = (is_treated, is_treated & stays, ~is_treated, ~is_treated & stays)
    days = zip(*(np.cumsum(each)[ends].tolist() for each in columns), strict=True)
    truth = kind.treated - kind.control
    return any(
        not interval_contains(ArmSample(n, s), ArmSample(m, t), truth, alpha=ALPHA)
        for n, s, m, t in days
        if n and m
    )
