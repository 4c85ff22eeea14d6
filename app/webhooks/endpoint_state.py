"""What an endpoint may get: its state machine, and its limit of deliveries in flight. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class EndpointState(StrEnum):
    """``active``: it works. ``degraded``: it fails. ``disabled``: nothing is sent."""

    ACTIVE = "active"
    DEGRADED = "degraded"
    DISABLED = "disabled"


class DisableReason(StrEnum):
    """Why an endpoint was disabled."""

    FAILING = "failing"
    GONE = "gone"
    REQUESTED = "requested"


FAILURES_UNTIL_DEGRADED, FAILURES_UNTIL_DISABLED = 5, 10
DISABLED_AFTER = timedelta(days=5)
WARNINGS = (50, 70, 90)
"""Per cent of the way to being disabled, at which others are warned."""
INITIAL_LIMIT, MAX_LIMIT = 8, 64
MIN_PAUSE, MAX_PAUSE = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one attempt shows about an endpoint.

    ``disable``: why its answer disables it. ``wait``: the pause that its answer asks for.
    """

    at: datetime
    succeeded: bool
    disable: DisableReason | None = None
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """``resume_at``: nothing is sent before this time; if degraded, a probe is sent at it.

    ``warned``: the last one of ``WARNINGS`` that was reached.
    """

    state: EndpointState = EndpointState.ACTIVE
    failures: int = 0
    failing_since: datetime | None = None
    resume_at: datetime | None = None
    reason: DisableReason | None = None
    warned: int = 0

    def after(self, results: Sequence[AttemptResult]) -> "EndpointStatus":
        """Return the status after these results, oldest first. Disabled stays disabled."""
        status = self
        for result in results:
            if status.state is not EndpointState.DISABLED:
                status = status._after(result)
        return status

    def _after(self, result: AttemptResult) -> "EndpointStatus":
        if result.succeeded:
            is_disabled = result.disable is not None
            state = EndpointState.DISABLED if is_disabled else EndpointState.ACTIVE
            return EndpointStatus(state, reason=result.disable)
        since = self.failing_since or result.at
        failed = replace(self, failures=self.failures + 1, failing_since=since)
        if result.disable:
            return replace(failed, state=EndpointState.DISABLED, reason=result.disable)
        failing_for = result.at - since
        if failing_for >= DISABLED_AFTER and failed.failures >= FAILURES_UNTIL_DISABLED:
            return replace(failed, state=EndpointState.DISABLED, reason=DisableReason.FAILING)
        if failed.failures < FAILURES_UNTIL_DEGRADED:
            return replace(failed, resume_at=result.at + result.wait if result.wait else None)
        pause = max(min(failing_for / 4, MAX_PAUSE), MIN_PAUSE, result.wait or MIN_PAUSE)
        way = min(failing_for / DISABLED_AFTER, failed.failures / FAILURES_UNTIL_DISABLED)
        warned = max((each for each in WARNINGS if each <= 100 * way), default=0)
        return replace(
            failed,
            state=EndpointState.DEGRADED,
            resume_at=result.at + pause,
            warned=max(warned, self.warned),
        )


class ConcurrencyLimits:
    """How many deliveries may be in flight to each endpoint at a time, in one process.

    The limit of an endpoint grows while it answers and drops to one when it fails, so that a slow
    receiver cannot use up the capacity of the others. An endpoint without an entry has
    ``INITIAL_LIMIT``.
    """

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
