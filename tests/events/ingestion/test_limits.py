"""The rate limit of a key: a token bucket that may go into debt."""

import pytest

from app.core.errors import RateLimitedError
from app.core.settings import Settings
from app.events.ingestion.limits import IngestLimits, TokenBuckets


class Clock:
    """A clock that tests set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_single_events_do_not_keep_batches_out() -> None:
    """50 a second are enough for 10 single events and most of the batches of 45."""
    clock = Clock()
    buckets = TokenBuckets(50, clock)
    batches, singles = 0, 0
    for tenth in range(600):
        clock.now = 100 + tenth / 10
        singles += buckets.take("key", 1) == 0
        if tenth % 10 == 5:
            batches += buckets.take("key", 45) == 0

    sent = singles + 45 * batches
    assert 50 * 59 <= sent <= 50 * 61 + 45
    assert batches >= 50
    assert singles >= 250


def test_a_batch_larger_than_the_limit_passes_and_is_paid_for_afterwards() -> None:
    """100 of 50 a second leave a debt of 50: there is a token again after more than one second."""
    clock = Clock()
    buckets = TokenBuckets(50, clock)

    assert buckets.take("key", 100) == 0
    assert buckets.take("key", 1) == 2
    assert buckets.take("other", 1) == 0
    clock.now += 0.9
    assert buckets.take("key", 1) == 1
    clock.now += 0.2
    assert buckets.take("key", 1) == 0


@pytest.mark.parametrize("events", [1, 49, 50, 51, 99, 100, 101, 2500])
def test_after_the_seconds_of_the_answer_a_request_passes(events: int) -> None:
    clock = Clock()
    buckets = TokenBuckets(50, clock)
    buckets.take("key", 49)
    buckets.take("key", events)

    wait = buckets.take("key", 45)
    assert wait == (events - 1) // 50 + 1 if events > 0 and wait else wait == 0
    clock.now += wait
    assert buckets.take("key", 45) == 0


def test_tokens_do_not_pile_up() -> None:
    clock = Clock()
    buckets = TokenBuckets(2, clock)
    clock.now += 3600

    assert [buckets.take("key", 1) for _ in range(3)] == [0, 0, 1]


def test_a_refusal_says_when_to_send_again() -> None:
    settings = Settings(_env_file=None, events_per_second=50)
    limits = IngestLimits.from_settings(settings)
    limits.consume("key", 175)

    with pytest.raises(RateLimitedError) as refused:
        limits.consume("key", 1)

    assert refused.value.headers == {"Retry-After": "3"}
    assert "after 3 s" in refused.value.detail
