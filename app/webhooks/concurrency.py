"""How many deliveries may be in flight to each endpoint at a time. Pure.

The limit of an endpoint grows while it answers and drops to one when it fails, so that a slow
receiver cannot use up the capacity of the others.
"""

from collections import defaultdict
from collections.abc import Mapping

INITIAL_LIMIT, MAX_LIMIT = 8, 64


class ConcurrencyLimits:
    """The limits of one process. An endpoint without an entry has ``INITIAL_LIMIT``."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._in_flight: defaultdict[str, int] = defaultdict(int)

    @property
    def in_flight(self) -> int:
        return sum(self._in_flight.values())

    def begin(self, endpoint_id: str) -> None:
        self._in_flight[endpoint_id] += 1

    def end(self, endpoint_id: str, *, succeeded: bool) -> None:
        self._in_flight[endpoint_id] -= 1
        if not self._in_flight[endpoint_id]:
            del self._in_flight[endpoint_id]
        limit = self._limits.get(endpoint_id, INITIAL_LIMIT)
        self._limits[endpoint_id] = min(limit + 1, MAX_LIMIT) if succeeded else 1

    def free_slots(self) -> Mapping[str, int]:
        """Return how many more deliveries each known endpoint may get now.

        Endpoints that are missing from the result have ``INITIAL_LIMIT`` free slots.
        """
        return {
            name: max(self._limits.get(name, INITIAL_LIMIT) - self._in_flight.get(name, 0), 0)
            for name in self._limits.keys() | self._in_flight.keys()
        }
