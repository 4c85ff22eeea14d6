"""The table of all scenarios: what breaks, and what holds meanwhile."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults import kills, outages, receivers, soak, starvation, stops, storage
from tests.faults.stand import Stand

Run = Callable[[Stand], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``run`` breaks something. ``short``: so that tests can afford it; None: only in the suite.

    ``place``: yields the folder for the database, or raises ``NotRunError``.
    """

    run: Run
    short: Run | None = None
    place: Callable[[], AbstractContextManager[Path | None]] = nullcontext


SCENARIOS: Mapping[str, Scenario] = {
    "api-kills": Scenario(kills.kill_api, partial(kills.kill_api, rounds=1, acks=3)),
    "worker-kills": Scenario(
        kills.kill_worker,
        partial(kills.kill_worker, points=("before_score_commit", "after_send"), acks=3),
    ),
    "service-kills": Scenario(kills.kill_service),
    "concurrency": Scenario(kills.send_at_once),
    "database-kills": Scenario(outages.kill_database),
    "restarts": Scenario(outages.restart_in_turn),
    "cut-connections": Scenario(
        outages.cut_connections, partial(outages.cut_connections, cuts=2, acks=3)
    ),
    "locks": Scenario(outages.hold_locks),
    "connections": Scenario(outages.exhaust_connections),
    "disk-full": Scenario(storage.fill_disk, place=storage.small_disk),
    "read-only": Scenario(
        storage.make_read_only, partial(storage.make_read_only, rounds=1, acks=3)
    ),
    "failover": Scenario(storage.fail_over),
    "hung-worker": Scenario(stops.hang_worker),
    "late-results": Scenario(
        stops.record_late, partial(stops.record_late, acks=5, waits_for_leases=False)
    ),
    "clock-jumps": Scenario(stops.jump_clocks),
    "migrations": Scenario(stops.change_schema),
    "poison": Scenario(receivers.poison),
    "herd": Scenario(receivers.return_of_receiver),
    "starvation": Scenario(starvation.starve),
    "soak": Scenario(soak.soak),
}
SHORT = [name for name, each in SCENARIOS.items() if each.short is not None]
