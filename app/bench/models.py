"""How good churn models are, each figure beside a reference on the same split of the same data."""

import re
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from app.bench import churn_data
from app.bench.results import Result
from app.bench.server import database
from app.churn.model import evaluation_metrics, promotion, splits
from app.churn.model.candidates import ModelKind, fit
from app.churn.model.model import Model
from app.churn.model.panel import Panel
from app.churn.model.preprocessing import Floats, infinite_as_missing
from app.churn.model.splits import Fold
from app.churn.model.training import train

SEED = 1337
DRAWS, ACCOUNTS_DRAWN = 20, 50
TRAINED_ROWS, SCORED_ROWS = 27_000, 100_000
SLOPES = (0.7, 1.4)
COUNTED = re.compile(r"(events|active_days|users|breadth)_\d|recency|tenure$|mrr$|seats$")
STRONG = 0.01
"""Of the reference: what anybody would count, and the penalty that suits it best."""


def run(folder: Path) -> list[Result]:
    """Measure against the data in a folder that the service itself never needs."""
    with threadpool_limits(1):
        with database() as rig:
            crm = churn_data.crm(rig, folder / "crm")
            nova = churn_data.nova(rig, folder / "nova")
        return [
            *_crm(crm),
            *_nova(nova),
            *_tables(folder / "tables"),
            _drawn("crm", crm.panel),
            _drawn("nova", nova),
            *_noise(crm.panel),
            *_speed(nova),
        ]


def within(
    what: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    *,
    compared: str = "",
    unit: str = "",
) -> Result:
    """Hold a value against its bounds."""
    said = [f"{sign} {bound:g}{unit}" for sign, bound in (("≥", low), ("≤", high)) if bound]
    met = bool((low or -np.inf) <= value <= (high or np.inf))
    digits = 3 if abs(value) < 10 else 0  # noqa: PLR2004 - shares and seconds
    return Result(what, f"{value:.{digits}f}{unit}", compared, ", ".join(said), met)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said about unseen rows: by the service's model, by ridge on log counts."""

    y: Floats
    p: Floats
    ridge: Floats
    account: NDArray[np.int64]
    kinds: Sequence[str]

    @classmethod
    def on(cls, panel: Panel, folds: Sequence[Fold]) -> "Judged":
        each = [_judge(panel, fold) for fold in folds]
        return cls(
            np.concatenate([one.y for one in each]),
            np.concatenate([one.p for one in each]),
            np.concatenate([one.ridge for one in each]),
            np.concatenate([one.account for one in each]),
            sorted({kind for one in each for kind in one.kinds}),
        )

    def against_ridge(
        self, name: str, figure: str, low: float | None = None, high: float | None = None
    ) -> Result:
        ours, theirs = (FIGURES[figure](self.y, p) for p in (self.p, self.ridge))
        return within(f"{name}: {figure}", ours, low, high, compared=f"ridge {theirs:.3f}")

    def paired(self, name: str) -> Result:
        """Set the log loss beside that of ridge, row by row; below 0 is better."""
        difference = evaluation_metrics.log_losses(self.y, self.p) - evaluation_metrics.log_losses(
            self.y, self.ridge
        )
        drawn = evaluation_metrics.bootstrap_means(difference, self.account, SEED)
        low, high = np.percentile(drawn, [2.5, 97.5])
        found = f"{difference.mean():+.4f} ({low:+.4f} to {high:+.4f})"
        return Result(
            f"{name}: log loss less ridge's",
            found,
            "",
            "not worse",
            bool(low <= 0),
        )

    def calibration(self, name: str) -> list[Result]:
        drawn = evaluation_metrics.bootstrap_rows(self.account, SEED)
        ratio = evaluation_metrics.estimate_metric(
            evaluation_metrics.observed_over_expected, self.y, self.p, drawn
        )
        low, high = ratio.low or 0, ratio.high or 0
        found = f"{ratio.value:.2f} ({low:.2f} to {high:.2f})"
        slope = evaluation_metrics.calibration_slope(self.y, self.p) or 0
        return [
            Result(f"{name}: observed/expected", found, "", "holds 1", low <= 1 <= high),
            within(f"{name}: calibration slope", slope, *SLOPES),
        ]


def _log_loss(y: Floats, p: Floats) -> float:
    return float(evaluation_metrics.log_losses(y, p).mean())


FIGURES: Mapping[str, Callable[[Floats, Floats], float]] = {
    "AUC": lambda y, p: evaluation_metrics.auc(y, p) or 0,
    "lift of the top 10 %": lambda y, p: evaluation_metrics.lift(y, p) or 0,
    "log loss": _log_loss,
}


def _judge(panel: Panel, fold: Fold) -> Judged:
    learn, judge = panel.rows(fold.train), panel.rows(fold.test)
    trained = train(learn, seed=SEED)
    if trained.model is None or trained.kind is None:
        raise RuntimeError(trained.why)
    said = trained.model.predict(judge.x)
    return Judged(judge.y, said, _ridge(learn, judge), judge.account, [trained.kind])


def _ridge(learn: Panel, judge: Panel) -> Floats:
    """Predict from the logs of plain counts: the reference that needs no thought."""
    is_ours = "events_84" in learn.names  # of a plain table all columns count
    columns = [n for n, name in enumerate(learn.names) if not is_ours or COUNTED.match(name)]
    logs = [
        np.nan_to_num(np.log1p(np.abs(infinite_as_missing(each.x[:, columns]))))
        for each in (learn, judge)
    ]
    scaler = StandardScaler().fit(logs[0])
    found = LogisticRegression(C=STRONG, max_iter=2000).fit(scaler.transform(logs[0]), learn.y)
    return np.asarray(found.predict_proba(scaler.transform(logs[1]))[:, 1])


def _crm(crm: churn_data.Crm) -> list[Result]:
    panel = crm.panel
    early, late = panel.day <= crm.cut, panel.day > crm.cut
    judged = Judged.on(panel, [Fold(np.flatnonzero(early), np.flatnonzero(late))])
    agree = float((crm.said == panel.y).mean())
    found, differ = f"{crm.counters:,} counters, {crm.unequal} differ", crm.unequal == 0
    return [
        within("crm: outcomes as the file says", agree, 1),
        Result("crm: against the simulator's SQL", found, "", "equal", differ),
        judged.against_ridge(f"crm, later, {judged.kinds[0]}", "AUC", 0.8),
        judged.against_ridge("crm, later", "lift of the top 10 %", 4.5),
        judged.paired("crm, later"),
        *judged.calibration("crm, later"),
    ]


def _nova(panel: Panel) -> list[Result]:
    judged = Judged.on(panel, splits.rolling(panel, 5, 0.5))
    return [
        judged.against_ridge(f"nova, 5 blocks, {'/'.join(judged.kinds)}", "AUC", 0.845),
        judged.against_ridge("nova, 5 blocks", "log loss", high=0.482),
        *judged.calibration("nova, 5 blocks"),
    ]


def _tables(folder: Path) -> list[Result]:
    telco = churn_data.table_panel(folder / "wa_churn.csv", "churn", set())
    mlc = churn_data.table_panel(folder / "mlc_churn.csv", "churn", {"state"})
    split = StratifiedShuffleSplit(3, test_size=0.25, random_state=SEED)
    fold = StratifiedKFold(5, shuffle=True, random_state=SEED)
    three = [Judged.on(telco, [Fold(*each)]) for each in split.split(telco.x, telco.y)]
    five = Judged.on(mlc, [Fold(*each) for each in fold.split(mlc.x, mlc.y)])
    auc, ridge = (
        float(np.mean([FIGURES["AUC"](one.y, p) for one, p in said]))
        for said in ([(one, one.p) for one in three], [(one, one.ridge) for one in three])
    )
    kinds = "/".join(sorted({one.kinds[0] for one in three}))
    return [
        within(f"Telco, 3 splits, {kinds}: AUC", auc, 0.853, compared=f"ridge {ridge:.3f}"),
        five.against_ridge(f"MLC, 5 folds, {'/'.join(five.kinds)}", "log loss", high=0.165),
    ]


def _drawn(name: str, panel: Panel) -> Result:
    """Learn from 50 accounts, as a young workspace would, and look at their later rows."""
    random = np.random.default_rng(SEED)
    ids = np.unique(panel.account)
    ours, base, silent = [], [], 0
    for _ in range(DRAWS):
        few = panel.rows(np.isin(panel.account, random.choice(ids, ACCOUNTS_DRAWN, replace=False)))
        cut = np.quantile(few.day, 0.6)
        learn, judge = (few.rows(m) for m in (few.day + few.horizon_days <= cut, few.day > cut))
        trained = train(learn, seed=SEED)
        share = np.clip(learn.y.mean(), 1e-3, 1 - 1e-3)
        if trained.model is None:
            silent += 1
            continue
        base.append(_log_loss(judge.y, np.full(len(judge), share)))
        ours.append(_log_loss(judge.y, trained.model.predict(judge.x)))
    said, usual = float(np.mean(ours)), float(np.mean(base))
    what = f"{name}, {ACCOUNTS_DRAWN} accounts, {len(ours)} draws ({silent} rules): log loss"
    compared = f"base rate {usual:.3f}"
    return Result(what, f"{said:.3f}", compared, "lower", said < usual, ratio=said / usual)


def _noise(panel: Panel) -> list[Result]:
    """Outcomes given to other rows, and numbers without any meaning: nothing is to be found."""
    random = np.random.default_rng(SEED)
    some = panel.rows(panel.account < np.quantile(np.unique(panel.account), 0.4))
    permuted = (replace(some, y=random.permutation(some.y)) for _ in range(DRAWS))
    pure = (replace(some, x=random.normal(size=some.x.shape)) for _ in range(DRAWS))
    return [_promoted("permuted outcomes", permuted), _promoted("pure noise", pure)]


def _promoted(what: str, many: Iterator[Panel]) -> Result:
    found = 0
    for panel in many:
        trained = train(panel, seed=SEED)
        checks = promotion.run_checks(trained, None, seed=SEED)
        stage = promotion.decide_stage(trained, checks, panel.churned_accounts)
        found += promotion.may_take_over(stage, checks)
    return Result(f"{what}, {DRAWS} times", f"promoted {found}", "", "0", found == 0)


def _speed(panel: Panel) -> list[Result]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        seconds, before, after = alone.submit(_train_many, panel).result()
    x = np.resize(panel.x, (SCORED_ROWS, panel.x.shape[1]))
    model = Model(panel.names, 90, fit(ModelKind.MEAN, panel, core=(), seed=SEED))
    model.predict(x[:10])
    started = time.process_time()
    model.predict(x)
    scored = time.process_time() - started
    rows = f"train and choose on {TRAINED_ROWS:,} rows"
    return [
        within(f"{rows}: processor", seconds, high=10, unit=" s"),
        within(f"{rows}: memory", after, high=400, compared=f"{before:.0f} MB before", unit=" MB"),
        within(f"score {SCORED_ROWS:,} accounts: processor", scored, high=2, unit=" s"),
    ]


def _train_many(panel: Panel) -> tuple[float, float, float]:
    """Train in a process of its own; its processor seconds and peak memory before and after."""
    copies = -(-TRAINED_ROWS // len(panel))
    order = np.argsort(np.tile(panel.day, copies), kind="stable")[:TRAINED_ROWS]
    many = panel.rows(np.tile(np.arange(len(panel)), copies)[order])
    copy = np.repeat(np.arange(copies), len(panel))[order]
    random = np.random.default_rng(SEED)
    many = replace(
        many,
        x=many.x * random.normal(1, 0.01, many.x.shape),
        account=many.account + copy * (panel.account.max() + 1),
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with threadpool_limits(1):
        started = time.process_time()
        train(many, seed=SEED)
        seconds = time.process_time() - started
    return seconds, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
