"""Whether planted causes are found by the right signal, in simulated worlds of unseen seeds.

An account whose decline begins is looked at on each of the next 14 days, as of that day. So is each
account without a cause, from a day that is drawn for it; a new one also from its tenth day on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TypeVar

import numpy as np
from sqlalchemy.orm import Session

from app.bench.results import Result
from app.bench.server import Rig, database
from app.core.db import transaction
from app.demo import load as demo
from app.demo.simulate import World
from app.demo.world import Cause
from app.health.scoring.signal_sync import load_signals
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


Day = TypeVar("Day")
"""What is said of an account on one day: its signals, or what is suggested."""

Seen = Mapping[tuple[int, Watch], Sequence[Day]]
"""What was said on each day of a watch, by the seed of the world and the watch."""

Asked = Callable[[Session, str, Sequence[str], date, datetime], Mapping[str, Day]]
"""Ask what is said of accounts of a workspace as of a day, at an instant."""


def watch(ask: Asked[Day]) -> Seen[Day]:
    """Look at the worlds of all seeds day by day, at all who are watched on it at once."""
    seen: defaultdict[tuple[int, Watch], list[Day]] = defaultdict(list)
    with database() as rig:
        for seed in SEEDS:
            world, workspace_id = _loaded(rig, seed)
            now = datetime.combine(world.last_day + timedelta(days=1), time(6), UTC)
            asked = [(day, each) for each in watches(world, seed) for day in each.days(world)]
            for day, some in groupby(sorted(asked, key=_by_day), key=lambda each: each[0]):
                watching = [each for _, each in some]
                ids = sorted({each.account_id for each in watching})
                as_of = world.first_day + timedelta(days=day)
                with transaction(rig.sessions) as session:
                    found = ask(session, workspace_id, ids, as_of, now)
                for each in watching:
                    seen[seed, each].append(found[each.account_id])
    return seen


def _by_day(asked: tuple[int, Watch]) -> tuple[int, str]:
    return asked[0], asked[1].account_id


def leads(signals: Sequence[Signal]) -> str | None:
    """Name the first signal that calls for something to be done."""
    first = signals[0] if signals else None
    return first.name if first and first.severity.rank >= Severity.MEDIUM.rank else None


def run() -> list[Result]:
    seen = watch(_signals)
    return [result for cause in RIGHT for result in _results(cause, seen)]


def _signals(
    session: Session, workspace_id: str, ids: Sequence[str], as_of: date, now: datetime
) -> Mapping[str, Sequence[Signal]]:
    return load_signals(session, workspace_id, ids, as_of=as_of, now=now)


def _loaded(rig: Rig, seed: int) -> tuple[World, str]:
    now = datetime.combine(date(2026, 11, 25), time(6), UTC)
    made = demo.load(
        rig.sessions, name=f"World {seed}", seed=seed, now=now, progress=lambda *_: None, weeks=0
    )
    rig.maintain()
    return made.world, made.workspace_id


def _results(cause: Cause, seen: Seen[Sequence[Signal]]) -> Iterator[Result]:
    name = RIGHT[cause]
    affected, others = watched(seen, cause), watched(seen, Cause.NONE)
    holds = share(affected, lambda day: any(each.name == name for each in day))
    found = share(affected, lambda day: leads(day) == name)
    wrong = share(others, lambda day: leads(day) == name)
    yield Result(
        f"{cause}: {name} leads within {DAYS} days",
        f"{found:.0%} of {len(affected)}",
        f"holds for {holds:.0%}",
        f"≥ {LEAST_FOUND:.0%}",
        found >= LEAST_FOUND,
    )
    yield Result(
        f"{name} leads without a cause",
        f"{wrong:.0%} of {len(others)}",
        "",
        f"≤ {MOST_UNAFFECTED:.0%}",
        wrong <= MOST_UNAFFECTED,
    )


def watched(seen: Seen[Day], cause: Cause) -> list[Sequence[Day]]:
    """Take the days of accounts that have a cause."""
    return [days for (_, each), days in seen.items() if each.cause is cause]


def share(watched: Sequence[Sequence[Day]], holds: Callable[[Day], bool]) -> float:
    """Say of which share of accounts something holds on any of their days."""
    return sum(any(map(holds, days)) for days in watched) / max(len(watched), 1)
