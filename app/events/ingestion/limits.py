"""How much one request, and one key in a second, may bring."""

from dataclasses import dataclass
from typing import Self

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.core.errors import RateLimitedError
from app.core.settings import Settings


@dataclass(frozen=True, slots=True)
class IngestLimits:
    wire_bytes: int
    body_bytes: int
    batch_events: int
    retention_days: int
    rate: RateLimitItemPerSecond | None
    limiter: MovingWindowRateLimiter

    @classmethod
    def of(cls, settings: Settings) -> Self:
        per_second = settings.events_per_second
        return cls(
            settings.max_wire_bytes,
            settings.max_body_bytes,
            settings.max_batch_events,
            settings.event_retention_days,
            RateLimitItemPerSecond(per_second) if per_second else None,
            MovingWindowRateLimiter(MemoryStorage()),
        )

    def consume(self, key_id: str, events: int) -> None:
        """Count events against the key's second, in this process; a large batch takes all of it."""
        if self.rate and not self.limiter.hit(
            self.rate, key_id, cost=min(events, self.rate.amount)
        ):
            raise RateLimitedError(f"More than {self.rate.amount} events in a second.")
