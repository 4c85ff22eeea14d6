"""How fast another scorecard is tried on all accounts, and the past is told anew under it."""

import time
from collections.abc import Callable
from datetime import timedelta

from app import pipeline
from app.accounts.due import Priority
from app.accounts.queries import mark_all_due
from app.bench.fill import Past, fill
from app.bench.results import Result
from app.bench.server import Rig, database, now, tenant
from app.core.db import transaction
from app.demo.load import load
from app.health import restate, scorecard_service, simulate_service
from app.health.measures import CardMeasure, MetricSource, Percentile, default_measures
from app.health.scorecard import Card, Scorecard
from app.jobs.running import Runner

MANY = Past(accounts=10_000, users=5, uses=10, reached=30)
DAYS = 540
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
                transform=Percentile(),
            ),
        ]
    )
)


def run() -> list[Result]:
    with database() as rig:
        return [*_simulated(rig), _restated(rig)]


def _simulated(rig: Rig) -> list[Result]:
    owner = tenant(rig, "simulate")
    fill(rig, owner, MANY, today=now().date())
    with transaction(rig.sessions) as session:
        mark_all_due(session, owner.id, priority=Priority.SWEEP)
    while pipeline.refresh_due(rig.sessions, now=now()):
        pass
    found = []
    for what, card in (("other weights", HEAVIER_REACH), ("something new", DAYS_OF_USE)):
        with transaction(rig.sessions) as session:
            version = scorecard_service.draft(
                session, owner.id, card, actor="bench", now=now()
            ).version
        seconds = _timed(lambda: _simulate(rig, owner.id, version))  # noqa: B023 - called at once
        found.append(_result("simulate", f"{MANY.accounts:,} accounts, {what}", seconds))
    return found


def _simulate(rig: Rig, workspace_id: str, version: int) -> None:
    with transaction(rig.sessions) as session:
        simulate_service.simulate(session, workspace_id, version, now=now())


def _restated(rig: Rig) -> Result:
    """The simulated company, each of its days."""
    world = load(rig.sessions, name="restate", seed=1, now=now(), progress=lambda *_: None)
    rig.maintain()
    until = now().date() - timedelta(days=1)
    since = until - timedelta(days=DAYS - 1)
    with transaction(rig.sessions) as session:
        restate.order(
            session, world.workspace_id, 1, since=since, until=until, actor="bench", now=now()
        )
    runner = Runner(rig.sessions, {restate.KIND: restate.restate_page})

    def work() -> None:
        while runner.step(now()):
            pass

    return _result("restate", f"{len(world.world.accounts)} accounts, {DAYS} days", _timed(work))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _result(name: str, what: str, seconds: float) -> Result:
    most = MOST_SECONDS[name]
    return Result(f"{name}, {what}", f"{seconds:.1f} s", "", None, f"≤ {most} s", seconds <= most)
