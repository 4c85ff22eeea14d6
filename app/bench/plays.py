"""Whether planted causes lead to the right playbook, in the worlds that signals are measured in."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from app.bench.causes import DAYS, LEAST_FOUND, MOST_UNAFFECTED, SEEDS, Watch, loaded, watches
from app.bench.results import Result
from app.bench.server import Rig, database
from app.core.db import transaction
from app.demo.simulate import World
from app.demo.world import Cause
from app.health import yardstick
from app.health.service import judged
from app.health.signalling import signals_on
from app.interventions.catalogue import shipped
from app.interventions.playbooks import Business
from app.interventions.ranking import Case, fitting, rank
from app.workspaces.queries import get_workspace

RIGHT: Mapping[Cause, str] = {
    Cause.CHAMPION_LEFT: "find_next_champion",
    Cause.FEATURE_NEVER_ADOPTED: "teach_unused_feature",
    Cause.STUCK_IN_ONBOARDING: "unblock_onboarding",
    Cause.REACH_FELL: "add_value",
    Cause.PRICE_ROSE: "right_size",
    Cause.SUPPORT_SLOW: "recover_support",
}
Proposed = Sequence[str]
"""Playbooks in their order."""
Seen = Mapping[tuple[int, Watch], Sequence[Proposed]]


def run() -> list[Result]:
    seen: dict[tuple[int, Watch], Sequence[Proposed]] = {}
    with database() as rig:
        for seed in SEEDS:
            world, workspace_id = loaded(rig, seed)
            found = _look(rig, world, workspace_id, watches(world, seed))
            seen |= {(seed, watch): days for watch, days in found.items()}
    return [result for cause in RIGHT for result in _results(cause, seen)]


def _look(
    rig: Rig, world: World, workspace_id: str, watched: Sequence[Watch]
) -> Mapping[Watch, Sequence[Proposed]]:
    """Ask day by day what would be suggested to all who are watched on it."""
    now = datetime.combine(world.last_day + timedelta(days=1), time(6), UTC)
    asked = [(day, watch) for watch in watched for day in watch.days(world)]
    seen: defaultdict[Watch, list[Proposed]] = defaultdict(list)
    for day, some in groupby(sorted(asked, key=_by_day), key=lambda each: each[0]):
        watching = [watch for _, watch in some]
        as_of = world.first_day + timedelta(days=day)
        with transaction(rig.sessions) as session:
            ids = sorted({watch.account_id for watch in watching})
            found = _proposed(session, workspace_id, ids, as_of=as_of, now=now)
        for watch in watching:
            seen[watch].append(found[watch.account_id])
    return seen


def _by_day(asked: tuple[int, Watch]) -> tuple[int, str]:
    return asked[0], asked[1].account_id


def _proposed(
    session: Session, workspace_id: str, ids: Sequence[str], *, as_of: date, now: datetime
) -> dict[str, Proposed]:
    """Rank without a trained model: the band stands for the risk."""
    workspace = get_workspace(session, workspace_id)
    against, lens = yardstick.current(session, workspace, as_of=as_of, now=now)
    scored = judged(session, workspace_id, ids, against, lens, as_of=as_of, now=now)
    signals = signals_on(session, workspace_id, ids, as_of=as_of, now=now)
    found: dict[str, Proposed] = {}
    for each in scored:
        case = Case(
            account_id=each.account_id,
            business=Business.B2B,
            status=each.status,
            band=each.band,
            mrr_cents=each.mrr_cents,
            probability=None,
            drivers=signals[each.account_id],
            matched=frozenset(shipped()),
        )
        ranked = rank(case, fitting(case, shipped()), shipped(), {})
        found[each.account_id] = [one.fit.key for one in ranked]
    return found


def _results(cause: Cause, seen: Seen) -> Iterator[Result]:
    name = RIGHT[cause]
    affected = [days for (_, watch), days in seen.items() if watch.cause is cause]
    others = [days for (_, watch), days in seen.items() if watch.cause is Cause.NONE]
    first, any_place = (
        (lambda day: day[:1] == [name]),
        (lambda day: name in day),
    )
    found, held = _share(affected, first), _share(affected, any_place)
    wrong, somewhere = _share(others, first), _share(others, any_place)
    yield Result(
        f"{cause}: {name} comes first within {DAYS} days",
        f"{found:.0%} of {len(affected)}",
        f"is suggested to {held:.0%}",
        None,
        f"≥ {LEAST_FOUND:.0%}",
        found >= LEAST_FOUND,
    )
    yield Result(
        f"{name} is suggested without a cause",
        f"{somewhere:.0%} of {len(others)}",
        f"comes first for {wrong:.0%}",
        None,
        f"≤ {MOST_UNAFFECTED:.0%}",
        somewhere <= MOST_UNAFFECTED,
    )


def _share(watched: Sequence[Sequence[Proposed]], holds: Callable[[Proposed], bool]) -> float:
    return sum(any(map(holds, days)) for days in watched) / max(len(watched), 1)
