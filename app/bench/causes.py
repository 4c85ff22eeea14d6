"""Whether planted causes are found by the right signal, in simulated worlds of unseen seeds.

An account whose decline begins is looked at on each of the next 14 days, as of that day. So is each
account without a cause, from a day that is drawn for it; a new one also from its tenth day on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

import numpy as np

from app.bench.results import Result
from app.bench.server import Rig, database
from app.core.db import transaction
from app.demo import load as demo
from app.demo.simulate import World
from app.demo.world import Cause
from app.health.signalling import signals_on
from app.signals.signal import Severity, Signal

SEEDS = (3301, 3302)
"""No threshold was chosen by looking at them. Take others after choosing one."""
DAYS, NEW_DAYS, WARM_UP = 14, 10, 120
MOST_UNAFFECTED, LEAST_FOUND = 0.10, 0.80

RIGHT: Mapping[Cause, str] = {
    Cause.CHAMPION_LEFT: "champion_inactive",
    Cause.FEATURE_NEVER_ADOPTED: "paid_feature_unused",
    Cause.STUCK_IN_ONBOARDING: "onboarding_stuck",
    Cause.REACH_FELL: "reach_falling",
    Cause.PRICE_ROSE: "price_rise",
    Cause.SUPPORT_SLOW: "support_slow",
}


@dataclass(frozen=True, slots=True)
class Watch:
    """An account that is looked at for two weeks."""

    account_id: str
    cause: Cause
    since: int

    def days(self, world: World) -> Iterator[int]:
        end = next(x.course.end for x in world.lives if x.account.account_id == self.account_id)
        return iter(range(self.since, min(self.since + DAYS + 1, end)))


def watches(world: World, seed: int) -> list[Watch]:
    rng, days = np.random.default_rng((seed, 9)), (world.last_day - world.first_day).days
    found = []
    for life in world.lives:
        account_id, profile = life.account.account_id, life.profile
        if profile.cause is not Cause.NONE:
            if profile.onset + DAYS <= days:  # else the world ends before
                found.append(Watch(account_id, profile.cause, profile.onset))
            continue
        low, high = max(WARM_UP, profile.start + NEW_DAYS), min(days, life.course.end) - DAYS
        if low < high:
            found.append(Watch(account_id, Cause.NONE, int(rng.integers(low, high))))
        if WARM_UP <= profile.start + NEW_DAYS < high:
            found.append(Watch(account_id, Cause.NONE, profile.start + NEW_DAYS))
    return found


Seen = Mapping[Watch, Sequence[Sequence[Signal]]]
"""The signals of each day of a watch."""


def look(rig: Rig, world: World, workspace_id: str, watched: Iterable[Watch]) -> Seen:
    """Ask for signals day by day, of all who are watched on it at once."""
    now = datetime.combine(world.last_day + timedelta(days=1), time(6), UTC)
    asked = sorted(((day, watch) for watch in watched for day in watch.days(world)), key=_by_day)
    seen: defaultdict[Watch, list[Sequence[Signal]]] = defaultdict(list)
    for day, some in groupby(asked, key=lambda each: each[0]):
        watching = [watch for _, watch in some]
        ids = sorted({watch.account_id for watch in watching})
        as_of = world.first_day + timedelta(days=day)
        with transaction(rig.sessions) as session:
            found = signals_on(session, workspace_id, ids, as_of=as_of, now=now)
        for watch in watching:
            seen[watch].append(found[watch.account_id])
    return seen


def _by_day(asked: tuple[int, Watch]) -> tuple[int, str]:
    return asked[0], asked[1].account_id


def leads(signals: Sequence[Signal]) -> str | None:
    """Name the first signal that calls for something to be done."""
    first = signals[0] if signals else None
    return first.name if first and first.severity.rank >= Severity.MEDIUM.rank else None


def run() -> list[Result]:
    seen: dict[tuple[int, Watch], Sequence[Sequence[Signal]]] = {}
    with database() as rig:
        for seed in SEEDS:
            world, workspace_id = loaded(rig, seed)
            found = look(rig, world, workspace_id, watches(world, seed))
            seen |= {(seed, watch): days for watch, days in found.items()}
    return [result for cause in RIGHT for result in _results(cause, seen)]


def loaded(rig: Rig, seed: int) -> tuple[World, str]:
    now = datetime.combine(date(2026, 11, 25), time(6), UTC)
    made = demo.load(
        rig.sessions, name=f"World {seed}", seed=seed, now=now, progress=_silent, weeks=0
    )
    rig.maintain()
    return made.world, made.workspace_id


def _silent(*_: object) -> None:
    pass


def _results(
    cause: Cause, seen: Mapping[tuple[int, Watch], Sequence[Sequence[Signal]]]
) -> Iterator[Result]:
    name = RIGHT[cause]
    affected = [days for (_, watch), days in seen.items() if watch.cause is cause]
    others = [days for (_, watch), days in seen.items() if watch.cause is Cause.NONE]
    holds = _share(affected, lambda day: any(each.name == name for each in day))
    found = _share(affected, lambda day: leads(day) == name)
    wrong = _share(others, lambda day: leads(day) == name)
    yield Result(
        f"{cause}: {name} leads within {DAYS} days",
        f"{found:.0%} of {len(affected)}",
        f"holds for {holds:.0%}",
        None,
        f"≥ {LEAST_FOUND:.0%}",
        found >= LEAST_FOUND,
    )
    yield Result(
        f"{name} leads without a cause",
        f"{wrong:.0%} of {len(others)}",
        "",
        None,
        f"≤ {MOST_UNAFFECTED:.0%}",
        wrong <= MOST_UNAFFECTED,
    )


def _share(
    watched: Sequence[Sequence[Sequence[Signal]]], holds: Callable[[Sequence[Signal]], bool]
) -> float:
    return sum(any(map(holds, days)) for days in watched) / max(len(watched), 1)
