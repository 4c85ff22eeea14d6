"""How many deliveries may be under way to an endpoint: more while it answers, one when it fails.

Pure. So no receiver, however slow, can take the places of the others.
"""

from collections import defaultdict
from collections.abc import Mapping

INITIAL_LIMIT, MAX_LIMIT = 8, 64


class ConcurrencyLimits:
    """Known to one process; an endpoint that is not known has the first width."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._under_way: defaultdict[str, int] = defaultdict(int)

    @property
    def under_way(self) -> int:
        return sum(self._under_way.values())

    def begin(self, endpoint_id: str) -> None:
        self._under_way[endpoint_id] += 1

    def end(self, endpoint_id: str, *, worked: bool) -> None:
        self._under_way[endpoint_id] -= 1
        if not self._under_way[endpoint_id]:
            del self._under_way[endpoint_id]
        width = self._limits.get(endpoint_id, INITIAL_LIMIT)
        self._limits[endpoint_id] = min(width + 1, MAX_LIMIT) if worked else 1

    def rooms(self) -> Mapping[str, int]:
        """Tell for how many more there is room, of each endpoint that has not the first width."""
        named = self._limits.keys() | self._under_way.keys()
        return {
            name: max(self._limits.get(name, INITIAL_LIMIT) - self._under_way.get(name, 0), 0)
            for name in named
        }
