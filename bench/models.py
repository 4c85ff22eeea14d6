"""How good the churn models are, each figure beside a reference on the same split of the data."""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from app.churn.model import promotion
from app.churn.model.candidates import ModelKind, fit
from app.churn.model.model import Model
from app.churn.model.panel import Fold, Panel, rolling_folds
from app.churn.model.training import train
from bench.churn_data import CrmData, load_crm, load_nova, read_table_panel
from bench.model_comparison import (
    METRICS,
    SEED,
    ModelComparison,
    compare_with_bounds,
    mean_log_loss,
)
from bench.model_life import measure_life, measure_served_horizon
from bench.model_references import measure_references
from bench.results import Result
from bench.rig.rig import Rig
from bench.sample_data import write_sample_data


@dataclass(frozen=True, slots=True)
class Sizes:
    """``blocks``, ``splits``, ``folds``: of nova, Telco and MLC.

    ``draws``: repetitions, each with ``drawn_accounts`` or with noise. ``trained_rows``,
    ``scored_rows``: of the measurement of time and memory.
    """

    blocks: int
    splits: int
    folds: int
    draws: int
    drawn_accounts: int
    trained_rows: int
    scored_rows: int


FULL = Sizes(
    blocks=5,
    splits=3,
    folds=5,
    draws=20,
    drawn_accounts=50,
    trained_rows=27_000,
    scored_rows=100_000,
)
SMALLEST = Sizes(
    blocks=1,
    splits=1,
    folds=2,
    draws=1,
    drawn_accounts=50,
    trained_rows=500,
    scored_rows=1_000,
)


def run(rig: Rig, sizes: Sizes, folder: Path) -> list[Result]:
    """Measure with the data sets of a folder (``crm``, ``nova``, ``tables``)."""
    with threadpool_limits(1):
        crm = load_crm(rig, folder / "crm")
        nova = load_nova(rig, folder / "nova")
        return [
            *_measure_crm(crm),
            *measure_served_horizon(crm.served, crm.cut),
            *measure_life(crm.served),
            *_measure_nova(nova, sizes),
            *_measure_tables(folder / "tables", sizes),
            _measure_few_accounts("crm", crm.panel, sizes),
            _measure_few_accounts("nova", nova, sizes),
            *_measure_noise(crm.panel, sizes),
            *_measure_speed(nova, sizes),
        ]


def run_with_sample_data(rig: Rig, sizes: Sizes) -> list[Result]:
    """Measure with small made-up data sets, to show that the benchmark works."""
    with TemporaryDirectory(prefix="health-bench-data-") as name:
        folder = Path(name)
        write_sample_data(folder)
        return run(rig, sizes, folder)


def _measure_crm(crm: CrmData) -> list[Result]:
    panel = crm.panel
    early, late = panel.day <= crm.cut, panel.day > crm.cut
    fold = Fold(np.flatnonzero(early), np.flatnonzero(late))
    comparison = ModelComparison.over_folds(panel, [fold])
    agreement = float((crm.recorded_churn == panel.y).mean())
    return [
        compare_with_bounds("crm: outcomes equal to the file's", agreement, 1, exact=True),
        Result(
            "crm: counts of the simulator's SQL",
            crm.unequal_counts,
            f"{crm.counts:,} counts, {crm.unequal_counts} differ",
            "",
            "equal",
            crm.unequal_counts == 0,
            exact=True,
        ),
        comparison.metric_result(f"crm, later, {comparison.kind_names}", "AUC", 0.8),
        comparison.metric_result("crm, later", "lift of the top 10 %", 4.5),
        comparison.loss_difference_result("crm, later"),
        *comparison.calibration_results("crm, later"),
        *measure_references("crm, later", panel, fold, comparison),
    ]


def _measure_nova(panel: Panel, sizes: Sizes) -> list[Result]:
    comparison = ModelComparison.over_folds(panel, rolling_folds(panel, sizes.blocks, 0.5))
    name = f"nova, {sizes.blocks} blocks"
    return [
        comparison.metric_result(f"{name}, {comparison.kind_names}", "AUC", 0.845),
        comparison.metric_result(name, "log loss", high=0.482),
        *comparison.calibration_results(name),
    ]


def _measure_tables(folder: Path, sizes: Sizes) -> list[Result]:
    telco = read_table_panel(folder / "wa_churn.csv", "churn", set())
    mlc = read_table_panel(folder / "mlc_churn.csv", "churn", {"state"})
    shuffled = StratifiedShuffleSplit(sizes.splits, test_size=0.25, random_state=SEED)
    folds = StratifiedKFold(sizes.folds, shuffle=True, random_state=SEED)
    of_telco = [
        ModelComparison.over_folds(telco, [Fold(*rows)])
        for rows in shuffled.split(telco.x, telco.y)
    ]
    of_mlc = ModelComparison.over_folds(mlc, [Fold(*rows) for rows in folds.split(mlc.x, mlc.y)])
    auc = float(np.mean([METRICS["AUC"](each.y, each.p) for each in of_telco]))
    ridge = float(np.mean([METRICS["AUC"](each.y, each.ridge) for each in of_telco]))
    kinds = "/".join(sorted({each.kind_names for each in of_telco}))
    name = f"Telco, {sizes.splits} splits, {kinds}: AUC"
    return [
        compare_with_bounds(name, auc, 0.853, compared=f"ridge {ridge:.3f}"),
        of_mlc.metric_result(
            f"MLC, {sizes.folds} folds, {of_mlc.kind_names}", "log loss", high=0.165
        ),
    ]


def _measure_few_accounts(name: str, panel: Panel, sizes: Sizes) -> Result:
    """Train on few accounts, as a young workspace does, and predict their later rows."""
    random = np.random.default_rng(SEED)
    ids = np.unique(panel.account)
    model_losses, base_losses, without_model = [], [], 0
    for _ in range(sizes.draws):
        drawn = random.choice(ids, min(sizes.drawn_accounts, len(ids)), replace=False)
        few = panel.rows(np.isin(panel.account, drawn))
        cut = np.quantile(few.day, 0.6)
        early, late = few.rows(few.day + few.horizon_days <= cut), few.rows(few.day > cut)
        trained = train(early, seed=SEED)
        if trained.model is None:
            without_model += 1
            continue
        base_rate = np.clip(early.y.mean(), 1e-3, 1 - 1e-3)
        base_losses.append(mean_log_loss(late.y, np.full(len(late), base_rate)))
        model_losses.append(mean_log_loss(late.y, trained.model.predict(late.x)))
    loss, base = float(np.mean(model_losses)), float(np.mean(base_losses))
    return Result(
        f"{name}, {sizes.drawn_accounts} accounts, {len(model_losses)} draws"
        f" ({without_model} without a model): log loss",
        loss,
        f"{loss:.3f}",
        f"base rate {base:.3f}",
        "lower",
        loss < base,
        loss / base,
    )


def _measure_noise(panel: Panel, sizes: Sizes) -> list[Result]:
    """Train on permuted outcomes and on random features: no model may be promoted."""
    random = np.random.default_rng(SEED)
    rows = panel.rows(panel.account < np.quantile(np.unique(panel.account), 0.4))
    permuted = (replace(rows, y=random.permutation(rows.y)) for _ in range(sizes.draws))
    noise = (replace(rows, x=random.normal(size=rows.x.shape)) for _ in range(sizes.draws))
    return [
        _count_promotions("permuted outcomes", permuted, sizes.draws),
        _count_promotions("pure noise", noise, sizes.draws),
    ]


def _count_promotions(name: str, panels: Iterator[Panel], draws: int) -> Result:
    promoted = 0
    for panel in panels:
        trained = train(panel, seed=SEED)
        checks = promotion.run_checks(trained, None, seed=SEED)
        stage = promotion.decide_stage(trained, checks, panel.churned_accounts)
        promoted += promotion.may_take_over(stage, checks)
    return Result(
        f"{name}, {draws} times", promoted, f"promoted {promoted}", "", "0", promoted == 0
    )


def _measure_speed(panel: Panel, sizes: Sizes) -> list[Result]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        seconds, before, after = process.submit(_train_many, panel, sizes.trained_rows).result()
    x = np.resize(panel.x, (sizes.scored_rows, panel.x.shape[1]))
    model = Model(panel.names, 90, fit(ModelKind.MEAN, panel, core=(), seed=SEED))
    model.predict(x[:10])
    started = time.process_time()
    model.predict(x)
    scored = time.process_time() - started
    name, compared = f"train and choose on {sizes.trained_rows:,} rows", f"{before:.0f} MB before"
    return [
        compare_with_bounds(f"{name}: processor", seconds, high=6, unit=" s"),
        compare_with_bounds(f"{name}: memory", after, high=400, compared=compared, unit=" MB"),
        compare_with_bounds(
            f"score {sizes.scored_rows:,} accounts: processor", scored, high=2, unit=" s"
        ),
    ]


def _train_many(panel: Panel, count: int) -> tuple[float, float, float]:
    """Train on copies of the rows with noise, in a process of its own.

    Returns its processor seconds, and its peak memory in MB before and after.
    """
    copies = -(-count // len(panel))
    order = np.argsort(np.tile(panel.day, copies), kind="stable")[:count]
    many = panel.rows(np.tile(np.arange(len(panel)), copies)[order])
    copy = np.repeat(np.arange(copies), len(panel))[order]
    random = np.random.default_rng(SEED)
    many = replace(
        many,
        x=many.x * random.normal(1, 0.01, many.x.shape),
        account=many.account + copy * (panel.account.max() + 1),
    )
    before = _peak_megabytes()
    with threadpool_limits(1):
        started = time.process_time()
        train(many, seed=SEED)
        seconds = time.process_time() - started
    return seconds, before, _peak_megabytes()


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
