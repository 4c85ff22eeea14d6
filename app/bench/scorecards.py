"""How fast another scorecard is tried on all accounts, and the past is told anew under it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from app.bench.fill import Past, fill, score
from app.bench.results import Result
from app.bench.server import Rig, by_bench, database, now, tenant
from app.core.db import transaction
from app.demo.load import load
from app.features.queries import load_account_features
from app.health.definition.measures import (
    CardMeasure,
    MetricSource,
    PercentileTransform,
    default_measures,
)
from app.health.definition.scorecard import Card, Scorecard
from app.health.restatements import restate
from app.health.scoring import scoring_context
from app.health.scoring.queries import list_account_ids
from app.health.versions import service, simulation_service
from app.jobs.runner import JobRunner
from app.workspaces.queries import get_workspace

MANY = Past(accounts=10_000, users=5, uses=10, reached=30)
DAYS, SAMPLED = 540, 9
MOST_SECONDS = {"simulate": 10, "restate": 60}

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


def run() -> list[Result]:
    with database() as rig:
        return [*_simulated(rig), _restated(rig)]


def _simulated(rig: Rig) -> list[Result]:
    owner = tenant(rig, "simulate")
    fill(rig, owner, MANY)
    score(rig, owner)
    found = []
    for what, card in (("other weights", HEAVIER_REACH), ("something new", DAYS_OF_USE)):
        with transaction(rig.sessions) as session:
            version = service.draft(session, by_bench(owner.id), card).version
        seconds = _timed(lambda: _simulate(rig, owner.id, version))  # noqa: B023 - called at once
        found.append(_result("simulate", f"{MANY.accounts:,} accounts, {what}", seconds))
    return found


def _simulate(rig: Rig, workspace_id: str, version: int) -> None:
    with transaction(rig.sessions) as session:
        simulation_service.simulate(session, workspace_id, version, now=now())


def _restated(rig: Rig) -> Result:
    """The simulated company, each of its days."""
    world = load(rig.sessions, name="restate", seed=1, now=now(), progress=lambda *_: None)
    rig.maintain()
    until = now().date() - timedelta(days=1)
    since = until - timedelta(days=DAYS - 1)
    with transaction(rig.sessions) as session:
        restate.request_restatement(
            session, by_bench(world.workspace_id), 1, since=since, until=until
        )
    runner = JobRunner(rig.sessions, {restate.KIND: restate.restate_page})

    def work() -> None:
        while runner.step(now()):
            pass

    seconds = _timed(work)
    days = [since + timedelta(days=n) for n in range(0, DAYS, SAMPLED)]
    counting = SAMPLED * _timed(lambda: _count(rig, world.workspace_id, days))
    found = _result("restate", f"{len(world.world.accounts)} accounts, {DAYS} days", seconds)
    compared = f"counting usage of the days {counting:.1f} s"
    return replace(found, compared=compared, ratio=seconds / counting)


def _count(rig: Rig, workspace_id: str, days: Sequence[date]) -> None:
    """Do what no restatement can do without, one day after the other."""
    with transaction(rig.sessions) as session:
        workspace = get_workspace(session, workspace_id)
        _, lens = scoring_context.load_context(session, workspace, as_of=days[-1], now=now())
        ids = list_account_ids(session, workspace_id)
        for day in days:
            load_account_features(session, workspace_id, ids, as_of=day, lens=lens)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _result(name: str, what: str, seconds: float) -> Result:
    most = MOST_SECONDS[name]
    return Result(f"{name}, {what}", f"{seconds:.1f} s", "", f"≤ {most} s", seconds <= most)
