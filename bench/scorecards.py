"""How fast another scorecard is simulated on all accounts, and the past is restated."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.core.db import transaction
from app.demo import load as demo
from app.features.queries import load_account_features
from app.health.definition.measures import (
    CardMeasure,
    MetricSource,
    PercentileTransform,
    default_measures,
)
from app.health.definition.scorecard import Card, Scorecard
from app.health.restatements import restate
from app.health.scoring.queries import list_account_ids
from app.health.scoring.scoring_context import load_context
from app.health.versions import service, simulation_service
from app.jobs.runner import JobRunner
from bench.results import Result
from bench.rig.fill import Volume, fill, score_accounts
from bench.rig.rig import Rig, bench_actor, create_tenant, now

SAMPLE_EVERY = 9
"""The reference counts the usage of every ninth restated day."""
MAX_SIMULATE_SECONDS, MAX_RESTATE_SECONDS = 10, 60

HEAVIER_REACH = Scorecard(
    default=Card(measures=[m.model_copy(update={"weight": 2}) for m in default_measures()[2:]])
)
DAYS_OF_USE = Scorecard(
    default=Card(
        measures=[
            *default_measures(),
            CardMeasure(
                name="days of use",
                source=MetricSource(metric="active_days"),
                transform=PercentileTransform(),
            ),
        ]
    )
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """``volume``: for the simulation. ``world_*``: the simulated company that is restated."""

    volume: Volume
    world_accounts: int
    world_days: int
    restated_days: int


FULL = Sizes(
    Volume(10_000, users=5, uses=10, reached=30),
    world_accounts=300,
    world_days=548,
    restated_days=540,
)
SMALLEST = Sizes(
    Volume(20, users=2, uses=3, reached=4), world_accounts=20, world_days=60, restated_days=10
)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    return [*_measure_simulations(rig, sizes.volume), _measure_restatement(rig, sizes)]


def _measure_simulations(rig: Rig, volume: Volume) -> list[Result]:
    tenant = create_tenant(rig, "simulate")
    fill(rig, tenant, volume)
    score_accounts(rig, tenant)
    results = []
    for name, card in (("other weights", HEAVIER_REACH), ("a new measure", DAYS_OF_USE)):
        with transaction(rig.sessions) as session:
            version = service.draft(session, bench_actor(tenant.id), card).version
        seconds = _time(lambda: _simulate(rig, tenant.id, version))  # noqa: B023 - called at once
        results.append(
            Result(
                f"simulate, {volume.accounts:,} accounts, {name}",
                seconds,
                f"{seconds:.1f} s",
                "",
                f"≤ {MAX_SIMULATE_SECONDS} s",
                seconds <= MAX_SIMULATE_SECONDS,
            )
        )
    return results


def _simulate(rig: Rig, workspace_id: str, version: int) -> None:
    with transaction(rig.sessions) as session:
        simulation_service.simulate(session, workspace_id, version, now=now())


def _measure_restatement(rig: Rig, sizes: Sizes) -> Result:
    """Restate the days of the simulated company."""
    loaded = demo.load(
        rig.sessions,
        name="restate",
        seed=1,
        now=now(),
        progress=lambda *_: None,
        accounts=sizes.world_accounts,
        days=sizes.world_days,
        trains=False,
    )
    rig.maintain()
    until = now().date() - timedelta(days=1)
    since = until - timedelta(days=sizes.restated_days - 1)
    with transaction(rig.sessions) as session:
        actor = bench_actor(loaded.workspace_id)
        restate.request_restatement(session, actor, 1, since=since, until=until)
    seconds = _time(lambda: _run_restatement(rig))
    days = [since + timedelta(days=n) for n in range(0, sizes.restated_days, SAMPLE_EVERY)]
    reference = SAMPLE_EVERY * _time(lambda: _count_usage(rig, loaded.workspace_id, days))
    return Result(
        f"restate, {len(loaded.world.accounts)} accounts, {sizes.restated_days} days",
        seconds,
        f"{seconds:.1f} s",
        f"counting the usage of the days {reference:.1f} s",
        f"≤ {MAX_RESTATE_SECONDS} s",
        seconds <= MAX_RESTATE_SECONDS,
        seconds / reference,
    )


def _run_restatement(rig: Rig) -> None:
    runner = JobRunner(rig.sessions, {restate.KIND: restate.restate_page})
    while runner.step(now()):
        pass


def _count_usage(rig: Rig, workspace_id: str, days: Sequence[date]) -> None:
    """Load the features of each day in turn, which any restatement has to do."""
    with transaction(rig.sessions) as session:
        context = load_context(session, workspace_id, as_of=days[-1], now=now())
        ids = list_account_ids(session, workspace_id)
        for day in days:
            spec = context.definition.spec
            load_account_features(session, workspace_id, ids, as_of=day, spec=spec)


def _time(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
