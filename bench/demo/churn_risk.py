"""Whether the demo's churn risk comes true: whole demos, whose simulation goes on for 90 days.

The bar for each figure is of all demos together; one demo has about 25 accounts that leave within
the 90 days, which is too few for any of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from app.churn.model import evaluation_metrics as metrics
from app.churn.registry.model_queries import find_active_model
from app.churn.scoring.risk_queries import load_risks
from app.core.arrays import Floats
from app.core.db import transaction
from app.demo import load as demo
from app.demo.simulate import ACCOUNTS, DAYS
from app.demo.world import LATER_DAYS, Cause, SimulatedAccount
from app.signals.detect import signal_sort_key
from app.signals.queries import load_open_signals
from bench.demo.causes import EXPECTED_SIGNALS
from bench.demo.worlds import MIN_AFFECTED
from bench.results import Result
from bench.rig.rig import Rig

EXPECTED_DRIVERS: Mapping[Cause, str] = {
    Cause.CHAMPION_LEFT: "concentration",
    Cause.FEATURE_NEVER_ADOPTED: "breadth",
    Cause.STUCK_IN_ONBOARDING: "onboarding",
    Cause.REACH_FELL: "reach",
    Cause.PRICE_ROSE: "price",
    Cause.SUPPORT_SLOW: "support",
}
EXPECTED_COLUMNS: Mapping[Cause, frozenset[str]] = {
    Cause.FEATURE_NEVER_ADOPTED: frozenset({"breadth_per_dollar"}),
    Cause.REACH_FELL: frozenset({"reach_per_dollar", "trend_reach"}),
}
"""Columns of other drivers that say the same: "End customers reached … for each 100 of MRR"."""
SHOWN, SEED = 3, 1337
FIRST_DAYS, RECENT_DAYS = 14, 90
"""A cause is recent if it began so many days ago."""
MIN_WITH_PROBABILITY, MIN_AUC = 0.95, 0.75


@dataclass(frozen=True, slots=True)
class Sizes:
    """Each of ``seeds`` with each of ``last_days`` is one demo."""

    seeds: Sequence[int]
    last_days: Sequence[date]
    accounts: int
    days: int


FULL = Sizes(
    seeds=(7, 8, 9, 10, 11),
    last_days=(date(2026, 11, 30), date(2027, 2, 14), date(2027, 5, 23)),
    accounts=ACCOUNTS,
    days=DAYS,
)
SMALLEST = Sizes(seeds=(7,), last_days=(date(2026, 11, 30),), accounts=30, days=200)


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account that pays on the last day. ``age``: days since its cause began; None without.

    ``names``: of its first drivers, their columns and its first signals. ``leaves``: whether it
    leaves within 90 days; ``is_announced``: it has given notice.
    """

    cause: Cause
    age: int | None
    probability: float | None
    names: frozenset[str]
    leaves: bool
    is_announced: bool


@dataclass(frozen=True, slots=True)
class ShownDemo:
    """``stage``: of its active model; None: it has none."""

    stage: str | None
    accounts: Sequence[ShownAccount]


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    demos = [_load(rig, seed, day, sizes) for seed in sizes.seeds for day in sizes.last_days]
    return list(_results(demos))


def _load(rig: Rig, seed: int, last_day: date, sizes: Sizes) -> ShownDemo:
    loaded = demo.load(
        rig.sessions,
        name=f"demo {seed} {last_day}",
        seed=seed,
        now=datetime.combine(last_day + timedelta(days=1), time(9), UTC),
        progress=lambda *_: None,
        weeks=0,
        accounts=sizes.accounts,
        days=sizes.days,
    )
    paying = {
        each.account.account_id: each
        for each in loaded.world.simulated_accounts
        if each.trajectory.end >= sizes.days
    }
    with transaction(rig.sessions) as session:
        model = find_active_model(session, loaded.workspace_id)
        risks = load_risks(session, loaded.workspace_id, list(paying))
        signals = load_open_signals(session, loaded.workspace_id, list(paying))
        accounts = []
        for key, simulated in paying.items():
            drivers = risks[key].details["drivers"][:SHOWN]
            opened = sorted((row.signal for row in signals.get(key, ())), key=signal_sort_key)
            names = frozenset(
                [driver[field] for driver in drivers for field in ("signal", "feature")]
                + [signal.name for signal in opened[:SHOWN]]
            )
            accounts.append(_show(simulated, sizes.days, risks[key].probability, names))
    return ShownDemo(model.stage if model else None, accounts)


def _show(
    simulated: SimulatedAccount, days: int, probability: float | None, names: frozenset[str]
) -> ShownAccount:
    profile, trajectory = simulated.profile, simulated.trajectory
    has_begun = profile.cause is not Cause.NONE and profile.onset < days
    return ShownAccount(
        cause=profile.cause,
        age=days - 1 - profile.onset if has_begun else None,
        probability=probability,
        names=names,
        leaves=trajectory.end < days + LATER_DAYS,
        is_announced=trajectory.notice < days,
    )


def _results(demos: Sequence[ShownDemo]) -> Iterator[Result]:
    stages = [each.stage for each in demos]
    counts = ", ".join(
        f"{stages.count(stage)} {stage or 'none'}" for stage in sorted(set(stages), key=str)
    )
    promoted = len(demos) - stages.count(None)
    yield Result("demos with a model", promoted, f"{promoted} of {len(demos)}", counts)
    by_model = [each for each in demos if each.stage]
    paying = [account for each in by_model for account in each.accounts]
    share = sum(account.probability is not None for account in paying) / max(len(paying), 1)
    yield Result(
        "of these: accounts that pay, with a probability",
        share,
        f"{share:.1%} of {len(paying):,}",
        "",
        f"≥ {MIN_WITH_PROBABILITY:.0%}",
        share >= MIN_WITH_PROBABILITY,
    )
    if by_model:
        yield from _outcomes(by_model)
    yield from _causes([account for each in demos for account in each.accounts])


def _outcomes(demos: Sequence[ShownDemo]) -> Iterator[Result]:
    """Compare the probabilities with who left. Intervals draw accounts; each counts once."""
    y, p = _outcome_arrays(demos)
    samples = metrics.bootstrap_rows(np.arange(len(y)), SEED)
    ratio = metrics.estimate_metric(metrics.observed_over_expected, y, p, samples)
    each = [_outcome_arrays([one]) for one in demos]
    holding = sum(_holds_one(*arrays) for arrays in each)
    low, high = ratio.low or 0.0, ratio.high or 0.0
    yield Result(
        "accounts that left in 90 days / predicted",
        ratio.value or 0.0,
        f"{ratio.value:.2f} ({low:.2f}-{high:.2f})",
        f"interval of one demo has 1: {holding} of {len(demos)}",
        "interval has 1",
        low <= 1 <= high,
    )
    for name, arrays in (
        ("AUC of the accounts that pay", each),
        ("AUC of those without notice", [_outcome_arrays([one], announced=False) for one in demos]),
    ):
        areas = [area for arrays in arrays if (area := metrics.auc(*arrays)) is not None]
        mean, lowest = float(np.mean(areas)), min(areas)
        reached = sum(area >= MIN_AUC for area in areas)
        yield Result(
            f"{name}, mean of demos",
            mean,
            f"{mean:.3f}",
            f"lowest {lowest:.3f}, ≥ {MIN_AUC}: {reached} of {len(areas)}",
            f"≥ {MIN_AUC}",
            mean >= MIN_AUC,
        )


def _holds_one(y: Floats, p: Floats) -> bool:
    samples = metrics.bootstrap_rows(np.arange(len(y)), SEED)
    ratio = metrics.estimate_metric(metrics.observed_over_expected, y, p, samples)
    return ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high


def _outcome_arrays(demos: Sequence[ShownDemo], *, announced: bool = True) -> tuple[Floats, Floats]:
    pairs = [
        (account.leaves, account.probability)
        for each in demos
        for account in each.accounts
        if account.probability is not None and (announced or not account.is_announced)
    ]
    y, p = np.array(pairs, dtype=float).reshape(-1, 2).T
    return y, p


def _causes(accounts: Sequence[ShownAccount]) -> Iterator[Result]:
    """Count the accounts that have their cause among their first drivers or signals."""
    begun = [each for each in accounts if each.age is not None and each.age >= FIRST_DAYS]
    recent = [each for each in begun if each.age is not None and each.age <= RECENT_DAYS]
    earlier = [each for each in begun if each not in recent]
    for name, group, is_bar in (
        *(
            (str(cause), [a for a in recent if a.cause is cause], True)
            for cause in EXPECTED_DRIVERS
        ),
        ("all causes", recent, True),
        ("all causes, begun earlier", earlier, False),
    ):
        shown = sum(bool(each.names & _expected(each.cause)) for each in group)
        share = shown / max(len(group), 1)
        yield Result(
            f"{name}: among the first {SHOWN} drivers or signals",
            share,
            f"{share:.0%} of {len(group)}",
            "",
            f"≥ {MIN_AFFECTED:.0%}" if is_bar else "",
            share >= MIN_AFFECTED if is_bar else None,
        )


def _expected(cause: Cause) -> set[str]:
    return {EXPECTED_SIGNALS[cause], EXPECTED_DRIVERS[cause], *EXPECTED_COLUMNS.get(cause, ())}
