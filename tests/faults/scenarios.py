"""The table of all scenarios: what breaks, and what holds meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tests.faults import kills
from tests.faults.stand import Stand

SizesT = TypeVar("SizesT")


class NotRunError(Exception):
    """The machine cannot run a scenario; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Scenario(Generic[SizesT]):
    """``run`` breaks something. ``short``: its sizes among the tests; None: only in the suite."""

    run: Callable[[Stand, SizesT], None]
    full: SizesT
    short: SizesT | None = None


SCENARIOS: Mapping[str, Scenario[Any]] = {
    "api-kills": Scenario(kills.kill_api, kills.FULL_API, kills.SHORT_API),
    "worker-kills": Scenario(kills.kill_worker, kills.FULL_WORKER, kills.SHORT_WORKER),
}
SHORT = [name for name, each in SCENARIOS.items() if each.short is not None]
