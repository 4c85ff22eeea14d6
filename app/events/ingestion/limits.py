"""Limits on the size of one request, and on the events that one key may send in a second."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.core.errors import RateLimitedError
from app.core.settings import Settings

if TYPE_CHECKING:
    from limits import RateLimitItemPerSecond
    from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True, slots=True)
class IngestLimits:
    wire_bytes: int
    body_bytes: int
    batch_events: int
    retention_days: int
    rate: "tuple[MovingWindowRateLimiter, RateLimitItemPerSecond] | None" = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.max_wire_bytes,
            settings.max_body_bytes,
            settings.max_batch_events,
            settings.event_retention_days,
            _rate_limit(settings.events_per_second),
        )

    def consume(self, key_id: str, events: int) -> None:
        """Count events against the rate limit of a key, or raise ``RateLimitedError``.

        Each process counts by itself. A batch larger than the limit uses up one whole second.
        """
        if self.rate is None:
            return
        limiter, limit = self.rate
        if not limiter.hit(limit, key_id, cost=min(events, limit.amount)):
            raise RateLimitedError(
                f"The key sent more than {limit.amount} events in one second: wait and retry."
            )


def _rate_limit(
    per_second: int,
) -> "tuple[MovingWindowRateLimiter, RateLimitItemPerSecond] | None":
    """Return the rate limiter; its library is loaded only if a limit is set."""
    if not per_second:
        return None
    from limits import RateLimitItemPerSecond  # noqa: PLC0415
    from limits.storage import MemoryStorage  # noqa: PLC0415
    from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

    return MovingWindowRateLimiter(MemoryStorage()), RateLimitItemPerSecond(per_second)
