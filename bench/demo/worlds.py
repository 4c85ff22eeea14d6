"""Simulated worlds with planted causes, and what the product shows for their accounts day by day.

An account whose decline begins is observed on each of the following days, as of that day. An
account without a cause is observed from a random day on; a new one also from its tenth day on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import numpy as np
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.demo import load as demo
from app.demo.simulate import World
from app.demo.world import Cause, SimulatedAccount
from bench.rig.rig import Rig

NEW_DAYS = 10
MAX_UNAFFECTED, MIN_AFFECTED = 0.10, 0.80
"""Requirements: shares of accounts without the cause, and with it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """``seeds``: of the worlds. No threshold was chosen on them: change them after choosing one.

    ``observed_days``: of each account. ``warm_up_days``: an account without a cause is observed
    only after them.
    """

    seeds: Sequence[int]
    accounts: int
    days: int
    observed_days: int
    warm_up_days: int


FULL = Sizes(seeds=(3301, 3302), accounts=300, days=548, observed_days=14, warm_up_days=120)
SMALLEST = Sizes(seeds=(3301,), accounts=20, days=60, observed_days=1, warm_up_days=20)


@dataclass(frozen=True, slots=True)
class ObservedAccount:
    """An account of one world, observed on the days ``since`` to ``until`` of the world."""

    seed: int
    account_id: str
    cause: Cause
    since: int
    until: int


Shown = TypeVar("Shown")
"""What the product shows for an account on one day: its signals, or its suggestions."""

Observations = Mapping[ObservedAccount, Sequence[Shown]]
"""What was shown on each observed day."""

Observe = Callable[[Session, str, Sequence[str], date, datetime], Mapping[str, Shown]]
"""Return what is shown for accounts of a workspace as of a day, by account; the last: now."""


def choose_accounts(world: World, seed: int, sizes: Sizes) -> list[ObservedAccount]:
    """List the accounts to observe: all with a cause, and those without in random weeks."""
    rng = np.random.default_rng((seed, 9))
    days = (world.last_day - world.first_day).days
    return [
        ObservedAccount(
            seed,
            simulated.account.account_id,
            simulated.profile.cause,
            since,
            min(since + sizes.observed_days, simulated.trajectory.end - 1),
        )
        for simulated in world.simulated_accounts
        for since in _first_observed_days(simulated, days, rng, sizes)
    ]


def _first_observed_days(
    simulated: SimulatedAccount, days: int, rng: np.random.Generator, sizes: Sizes
) -> Iterator[int]:
    """Yield the days from which an account is observed, if the world lasts long enough."""
    profile = simulated.profile
    if profile.cause is not Cause.NONE:
        if profile.onset + sizes.observed_days <= days:
            yield profile.onset
        return
    tenth_day = profile.start + NEW_DAYS
    low = max(sizes.warm_up_days, tenth_day)
    high = min(days, simulated.trajectory.end) - sizes.observed_days
    if low < high:
        yield int(rng.integers(low, high))
    if sizes.warm_up_days <= tenth_day < high:
        yield tenth_day


def observe_worlds(
    rig: Rig, name: str, sizes: Sizes, observe: Observe[Shown]
) -> Observations[Shown]:
    """Observe the accounts of all worlds, day by day, all accounts of a day at once."""
    observations: defaultdict[ObservedAccount, list[Shown]] = defaultdict(list)
    for seed in sizes.seeds:
        world, workspace_id = _load_world(rig, f"{name} {seed}", seed, sizes)
        now = datetime.combine(world.last_day + timedelta(days=1), time(6), UTC)
        chosen = choose_accounts(world, seed, sizes)
        pairs = [(day, n) for n, each in enumerate(chosen) for day in _observed_days(each)]
        for day, of_day in groupby(sorted(pairs), key=itemgetter(0)):
            accounts = [chosen[n] for _, n in of_day]
            ids = sorted({each.account_id for each in accounts})
            as_of = world.first_day + timedelta(days=day)
            with transaction(rig.sessions) as session:
                shown = observe(session, workspace_id, ids, as_of, now)
            for each in accounts:
                observations[each].append(shown[each.account_id])
    return observations


def _observed_days(account: ObservedAccount) -> range:
    return range(account.since, account.until + 1)


def _load_world(rig: Rig, name: str, seed: int, sizes: Sizes) -> tuple[World, str]:
    """Load a world into a new workspace; return it with the id of the workspace."""
    loaded = demo.load(
        rig.sessions,
        name=name,
        seed=seed,
        now=datetime.combine(date(2026, 11, 25), time(6), UTC),
        progress=lambda *_: None,
        weeks=0,
        accounts=sizes.accounts,
        days=sizes.days,
        trains=False,
    )
    rig.maintain()
    return loaded.world, loaded.workspace_id


def select_by_cause(observations: Observations[Shown], cause: Cause) -> list[Sequence[Shown]]:
    """Return what was shown for the accounts with a cause."""
    return [days for account, days in observations.items() if account.cause is cause]


def share_of_accounts(
    accounts: Sequence[Sequence[Shown]], condition: Callable[[Shown], bool]
) -> float:
    """Return the share of accounts that meet a condition on any of their days."""
    return sum(any(map(condition, days)) for days in accounts) / max(len(accounts), 1)
