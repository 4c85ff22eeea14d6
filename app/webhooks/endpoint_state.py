"""The state machine of an endpoint: active, degraded with one probe at a time, disabled. Pure."""

from collections.abc import Sequence
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


FAILURES_UNTIL_DEGRADED, FAILURES_UNTIL_DISABLED = 5, 10
DISABLED_AFTER = timedelta(days=5)
MIN_PAUSE, MAX_PAUSE = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one attempt shows about an endpoint. ``wait``: the pause that its answer asks for."""

    at: datetime
    succeeded: bool
    gone: bool = False
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """``resume_at``: nothing is sent before this time; if degraded, a probe is sent at it."""

    state: EndpointState = EndpointState.ACTIVE
    failures: int = 0
    failing_since: datetime | None = None
    resume_at: datetime | None = None
    reason: DisableReason | None = None

    def after(self, results: Sequence[AttemptResult]) -> "EndpointStatus":
        """Return the status after these results, oldest first. Disabled stays disabled."""
        status = self
        for result in results:
            if status.state is not EndpointState.DISABLED:
                status = status._after(result)
        return status

    def _after(self, result: AttemptResult) -> "EndpointStatus":
        if result.succeeded:
            return EndpointStatus()
        since = self.failing_since or result.at
        failed = replace(self, failures=self.failures + 1, failing_since=since)
        if result.gone:
            return replace(failed, state=EndpointState.DISABLED, reason=DisableReason.GONE)
        failing_for = result.at - since
        if failing_for >= DISABLED_AFTER and failed.failures >= FAILURES_UNTIL_DISABLED:
            return replace(failed, state=EndpointState.DISABLED, reason=DisableReason.FAILING)
        if failed.failures < FAILURES_UNTIL_DEGRADED:
            return replace(failed, resume_at=result.at + result.wait if result.wait else None)
        pause = max(min(failing_for / 4, MAX_PAUSE), MIN_PAUSE, result.wait or MIN_PAUSE)
        return replace(failed, state=EndpointState.DEGRADED, resume_at=result.at + pause)
