"""The table of all scenarios: what breaks, and what holds meanwhile."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from tests.faults import kills, outages, receivers, soak, starvation, stops, storage
from tests.faults.stand import Stand

SizesT = TypeVar("SizesT")


@dataclass(frozen=True, slots=True)
class Scenario(Generic[SizesT]):
    """``run`` breaks something. ``short``: its sizes among the tests; None: only in the suite.

    ``place``: yields the folder for the database, or raises ``NotRunError``.
    """

    run: Callable[[Stand, SizesT], None]
    full: SizesT
    short: SizesT | None = None
    place: Callable[[], AbstractContextManager[Path | None]] = nullcontext


SCENARIOS: Mapping[str, Scenario[Any]] = {
    "api-kills": Scenario(kills.kill_api, kills.FULL_API, kills.SHORT_API),
    "worker-kills": Scenario(kills.kill_worker, kills.FULL_WORKER, kills.SHORT_WORKER),
    "service-kills": Scenario(kills.kill_service, kills.FULL_SERVICE),
    "concurrency": Scenario(kills.send_at_once, kills.FULL_CONCURRENCY),
    "database-kills": Scenario(outages.kill_database, outages.FULL_KILLS),
    "restarts": Scenario(outages.restart_in_turn, outages.FULL_RESTARTS),
    "cut-connections": Scenario(outages.cut_connections, outages.FULL_CUTS, outages.SHORT_CUTS),
    "locks": Scenario(outages.hold_locks, outages.FULL_LOCKS),
    "connections": Scenario(outages.exhaust_connections, outages.FULL_POOL),
    "disk-full": Scenario(storage.fill_disk, storage.FULL_DISK, place=storage.small_disk),
    "read-only": Scenario(storage.make_read_only, storage.FULL_READ_ONLY, storage.SHORT_READ_ONLY),
    "failover": Scenario(storage.fail_over, storage.FULL_FAILOVER),
    "hung-worker": Scenario(stops.hang_worker, stops.FULL_HANG),
    "late-results": Scenario(stops.record_late, stops.FULL_LATE, stops.SHORT_LATE),
    "clock-jumps": Scenario(stops.jump_clocks, stops.FULL_CLOCKS),
    "migrations": Scenario(stops.change_schema, stops.FULL_SCHEMA),
    "poison": Scenario(receivers.poison, receivers.FULL_POISON),
    "herd": Scenario(receivers.return_of_receiver, receivers.FULL_HERD),
    "starvation": Scenario(starvation.starve, starvation.FULL),
    "soak": Scenario(soak.soak, soak.FULL),
}
SHORT = [name for name, each in SCENARIOS.items() if each.short is not None]
