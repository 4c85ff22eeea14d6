"""How an endpoint stands: active, degraded with one probe at a time, or disabled. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class EndpointState(StrEnum):
    """``active``: it works. ``degraded``: it fails. ``disabled``: it gets nothing any more."""

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
    """What one attempt says of an endpoint. ``wait``: for how long it asked for nothing."""

    at: datetime
    worked: bool
    gone: bool = False
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """``resume_at``: nothing is sent before; of a degraded one it is the time of the next probe."""

    state: EndpointState = EndpointState.ACTIVE
    failures: int = 0
    failing_since: datetime | None = None
    resume_at: datetime | None = None
    reason: DisableReason | None = None

    def after(self, heard: Sequence[AttemptResult]) -> "EndpointStatus":
        standing = self
        for each in heard:
            standing = (
                standing if standing.state is EndpointState.DISABLED else standing._after(each)
            )
        return standing

    def _after(self, heard: AttemptResult) -> "EndpointStatus":
        if heard.worked:
            return EndpointStatus()
        since = self.failing_since or heard.at
        failed = replace(self, failures=self.failures + 1, failing_since=since)
        if heard.gone:
            return replace(failed, state=EndpointState.DISABLED, reason=DisableReason.GONE)
        lasts = heard.at - since
        if lasts >= DISABLED_AFTER and failed.failures >= FAILURES_UNTIL_DISABLED:
            return replace(failed, state=EndpointState.DISABLED, reason=DisableReason.FAILING)
        if failed.failures < FAILURES_UNTIL_DEGRADED:
            return replace(failed, resume_at=heard.at + heard.wait if heard.wait else None)
        pause = max(min(lasts / 4, MAX_PAUSE), MIN_PAUSE, heard.wait or MIN_PAUSE)
        return replace(failed, state=EndpointState.DEGRADED, resume_at=heard.at + pause)
