"""Limits on the size of one request, and on the events that one key may send in a second."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Self

from app.core.errors import RateLimitedError
from app.core.settings import Settings

ONE_TOKEN = 1 - 1e-6
"""Sums of parts of a second may miss a whole token by a rounding error."""


@dataclass(slots=True)
class TokenBuckets:
    """One token bucket for each key; ``per_second`` tokens are added each second, up to that many.

    A request passes if its bucket has a token, and takes one for each of its events, more than
    there are if need be. So a large batch passes too, and the key then waits until it is paid for.
    ``clock``: seconds that never go back.
    """

    per_second: int
    clock: Callable[[], float] = time.monotonic
    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key_id: str, tokens: int) -> int:
        """Take tokens and return 0, or take none and return after how many seconds there are."""
        with self.lock:
            now = self.clock()
            left, at = self.buckets.get(key_id, (float(self.per_second), now))
            left = min(left + (now - at) * self.per_second, float(self.per_second))
            passes = left >= ONE_TOKEN
            self.buckets[key_id] = (left - tokens if passes else left, now)
        return 0 if passes else ceil((1 - left) / self.per_second)


@dataclass(frozen=True, slots=True)
class IngestLimits:
    wire_bytes: int
    body_bytes: int
    batch_events: int
    retention_days: int
    rate: TokenBuckets | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.max_wire_bytes,
            settings.max_body_bytes,
            settings.max_batch_events,
            settings.event_retention_days,
            TokenBuckets(settings.events_per_second) if settings.events_per_second else None,
        )

    def consume(self, key_id: str, events: int) -> None:
        """Count events against the rate limit of a key, or raise ``RateLimitedError``.

        Each process counts by itself.
        """
        wait = self.rate.take(key_id, events) if self.rate else 0
        if self.rate and wait:
            raise RateLimitedError(
                f"The key sends more than {self.rate.per_second} events a second: send the request"
                f" again after {wait} s.",
                retry_after=wait,
            )
