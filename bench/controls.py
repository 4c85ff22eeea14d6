"""Controls of the churn models: worlds in which nothing can be learnt, and data that is hard.

Nobody may be said to be at risk where everybody leaves at random, and no training may end with an
error. The trainings and the models in service follow each other as in the life of a workspace.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from threadpoolctl import threadpool_limits

from app.churn.model import promotion
from app.churn.model.levels import ModelStage
from app.churn.model.panel import Panel
from app.churn.model.recalibration import recalibrate
from app.churn.model.training import train
from app.churn.training.active_model import ActiveModel
from app.churn.training.service import (
    SEED,
    Candidate,
    TrainingData,
    check_active_model,
    recalibrate_active_model,
    train_candidate,
)
from app.core.arrays import Floats
from bench.control_worlds import HORIZON_MONTHS, World, simulate, spoil
from bench.model_life import activate
from bench.results import Result
from bench.rig.rig import Rig

HAZARD = 0.015
TRUE_RISK = 1 - (1 - HAZARD) ** HORIZON_MONTHS
MAX_RISK, MAX_ERROR = 0.10, 0.20
TRAINED_EVERY, CURRENT_ROWS = 3, 25


@dataclass(frozen=True, slots=True)
class Sizes:
    """``seeds``, ``accounts``, ``months``: of the worlds in which accounts leave at random.

    ``permuted``: trainings on permuted outcomes. ``spoilt``: trainings on data that is hard.
    """

    seeds: int
    accounts: int
    months: int
    permuted: int
    spoilt: int


FULL = Sizes(seeds=5, accounts=400, months=30, permuted=20, spoilt=300)
SMALLEST = Sizes(seeds=1, accounts=80, months=12, permuted=1, spoilt=9)


def run(rig: Rig, sizes: Sizes) -> list[Result]:  # noqa: ARG001 - needs no database
    with threadpool_limits(1):
        return [
            *_measure_random_churn(sizes),
            _measure_permuted(sizes),
            *_measure_spoilt(sizes),
        ]


@dataclass(slots=True)
class Life:
    """What came of the trainings of a workspace. ``risks``: those shown, by month.

    ``newest``: the model that was trained last, whether it took over or not. ``newest_risks``: what
    it would say in service: where no model takes over, this is all that can be measured.
    """

    active: ActiveModel | None = None
    newest: ActiveModel | None = None
    risks: list[Floats] = field(default_factory=list)
    newest_risks: list[Floats] = field(default_factory=list)
    trusted: int = 0

    def train(self, data: TrainingData) -> None:
        """Train as a night does: the candidate takes over, or the active model is degraded."""
        degraded = check_active_model(data)
        candidate = train_candidate(data)
        if isinstance(candidate, Candidate):
            self.newest = activate(candidate)
            if candidate.takes_over:
                self.trusted += candidate.stage is ModelStage.TRUSTED
                self.active = self.newest
                return
        if degraded:
            self.active = None
        elif self.active is not None:
            self.active = replace(self.active, recalibration=recalibrate_active_model(data))

    def predict(self, x: Floats) -> None:
        for model, risks in ((self.active, self.risks), (self.newest, self.newest_risks)):
            if model is not None:
                risks.append(recalibrate(model.model, model.recalibration).predict(x))


def live(world: World) -> Life:
    """Train every quarter, and predict for all accounts at every month end."""
    life = Life()
    months = world.x.shape[1]
    for month in range(2 * TRAINED_EVERY, months):
        current_x = world.x[world.paying(month), month]
        if month % TRAINED_EVERY == 0:
            life.train(TrainingData(world.panel(month), current_x, life.active))
        life.predict(current_x)
    return life


def _measure_random_churn(sizes: Sizes) -> list[Result]:
    lives = [
        live(simulate(seed, accounts=sizes.accounts, months=sizes.months, hazard=HAZARD))
        for seed in range(sizes.seeds)
    ]
    trusted = sum(life.trusted for life in lives)
    name = f"churn at random, {sizes.seeds} worlds"
    served = [each for life in lives for each in life.risks]
    newest = [each for life in lives for each in life.newest_risks]
    return [
        Result(f"{name}: trusted models", trusted, str(trusted), "", "0", trusted == 0, exact=True),
        *_risk_results(f"{name}, models in service", served, MAX_RISK),
        *_risk_results(f"{name}, newest model as if in service", newest, None),
    ]


def _risk_results(name: str, months: list[Floats], limit: float | None) -> list[Result]:
    """Compare the risks of all months with the true one. ``limit``: the highest allowed."""
    if not months:  # nothing was measured, so nothing is met
        return [Result(f"{name}: risks", 0, "none in any month")]
    risks, shown = np.concatenate(months), f"true {TRUE_RISK:.1%}; {len(months)} months"
    highest, mean = float(risks.max()), float(risks.mean())
    error = mean / TRUE_RISK - 1
    bar = "" if limit is None else f"≤ {limit:.0%}"
    return [
        Result(
            f"{name}: highest risk",
            highest,
            f"{highest:.1%}",
            shown,
            bar,
            None if limit is None else highest <= limit,
        ),
        Result(
            f"{name}: mean risk",
            mean,
            f"{mean:.2%}, off by {error:+.0%}",
            shown,
            f"off by ≤ {MAX_ERROR:.0%}",
            abs(error) <= MAX_ERROR,
        ),
    ]


def _measure_permuted(sizes: Sizes) -> Result:
    """Train on the outcomes of other rows, where the true ones depend on use."""
    world = simulate(1, accounts=200, months=15, hazard=HAZARD, strength=1.0)
    panel, random = world.panel(14), np.random.default_rng(1)
    promoted = 0
    for _ in range(sizes.permuted):
        permuted = replace(panel, y=random.permutation(panel.y))
        trained = train(permuted, seed=SEED)
        checks = promotion.run_checks(trained, None, seed=SEED)
        stage = promotion.decide_stage(trained, checks, permuted.churned_accounts)
        promoted += promotion.may_take_over(stage, checks)
    name = f"permuted outcomes, {sizes.permuted} times: promoted"
    return Result(name, promoted, str(promoted), "", "0", promoted == 0, exact=True)


def _measure_spoilt(sizes: Sizes) -> list[Result]:
    errors: Counter[str] = Counter()
    unfit: Counter[str] = Counter()
    life = Life()
    for panel in _spoilt_panels(sizes.spoilt):
        data = TrainingData(panel, panel.x[-CURRENT_ROWS:], life.active)
        try:
            check_active_model(data)
            candidate = train_candidate(data)
        except Exception as error:  # noqa: BLE001 - each is counted
            errors[f"{type(error).__name__}: {error}"] += 1
            continue
        if isinstance(candidate, Candidate):
            unfit.update(candidate.card["failed_candidates"].values())
            life.active = ActiveModel(
                1, candidate.model, candidate.data_through, candidate.data_through, {}
            )
    failed, names = errors.total(), "; ".join(errors)
    return [
        Result(
            f"{sizes.spoilt} trainings on hard data: errors",
            failed,
            f"{failed} {names}".strip(),
            "",
            "0",
            failed == 0,
            exact=True,
        ),
        Result(
            "kinds of model that could not be fitted",
            unfit.total(),
            f"{unfit.total()} {'; '.join(unfit)}".strip(),
        ),
    ]


def _spoilt_panels(count: int) -> Iterator[Panel]:
    for seed in range(count):
        accounts, months = 30 + 20 * (seed % 4), 6 + seed % 7
        world = simulate(seed, accounts=accounts, months=months, hazard=0.12, strength=1.0)
        yield spoil(world.panel(months - 1), seed)
