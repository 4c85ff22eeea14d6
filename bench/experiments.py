"""How often an experiment that is read every day shows a wrong result, in simulated worlds."""

import time
from dataclasses import dataclass

import numpy as np

from app.interventions.experiments.sequential import ArmSample, interval_contains
from bench.results import Result
from bench.rig.rig import Rig

UNITS_PER_DAY, ALPHA = 6, 0.05


@dataclass(frozen=True, slots=True)
class Sizes:
    """``worlds``: of each kind, each read on each of ``days``."""

    worlds: int
    days: int


FULL = Sizes(worlds=1000, days=180)
SMALLEST = Sizes(worlds=5, days=20)


@dataclass(frozen=True, slots=True)
class WorldKind:
    """The share of units that stay in each arm, and the share of units that are treated."""

    treated: float
    control: float
    treated_share: float

    @property
    def effect(self) -> float:
        return self.treated - self.control


WORLD_KINDS = (
    WorldKind(0.9, 0.9, 0.5),
    WorldKind(0.97, 0.97, 0.85),
    WorldKind(0.5, 0.5, 0.5),
    WorldKind(0.9, 0.8, 0.85),
)


def run(rig: Rig, sizes: Sizes) -> list[Result]:  # noqa: ARG001 - needs no database
    return [_measure(kind, seed, sizes) for seed, kind in enumerate(WORLD_KINDS)]


def _measure(kind: WorldKind, seed: int, sizes: Sizes) -> Result:
    started = time.perf_counter()
    rng = np.random.default_rng((seed, 17))
    share = sum(_is_ever_wrong(kind, rng, sizes.days) for _ in range(sizes.worlds)) / sizes.worlds
    mistake = "shows a difference" if kind.effect == 0 else "excludes the true difference"
    return Result(
        f"{mistake} on any of {sizes.days} days, {kind.treated:.0%} and {kind.control:.0%} stay,"
        f" {kind.treated_share:.0%} treated",
        share,
        f"{share:.1%} of {sizes.worlds:,} worlds",
        f"{time.perf_counter() - started:.0f} s",
        f"≤ {ALPHA:.0%}",
        share <= ALPHA,
    )


def _is_ever_wrong(kind: WorldKind, rng: np.random.Generator, days: int) -> bool:
    """Return whether the interval of any day misses the true difference."""
    units = UNITS_PER_DAY * days
    is_treated = rng.random(units) < kind.treated_share
    stays = rng.random(units) < np.where(is_treated, kind.treated, kind.control)
    day_ends = slice(UNITS_PER_DAY - 1, None, UNITS_PER_DAY)
    columns = (is_treated, is_treated & stays, ~is_treated, ~is_treated & stays)
    samples = zip(*(np.cumsum(each)[day_ends].tolist() for each in columns), strict=True)
    return any(
        not interval_contains(
            ArmSample(treated, treated_stays),
            ArmSample(control, control_stays),
            kind.effect,
            alpha=ALPHA,
        )
        for treated, treated_stays, control, control_stays in samples
        if treated and control
    )
