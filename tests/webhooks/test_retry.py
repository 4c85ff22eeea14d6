from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.retry import DELAYS, next_attempt_at, parse_retry_after
from tests.conftest import NOW


def test_the_schedule_equals_the_documented_one() -> None:
    hours = [delay / timedelta(hours=1) for delay in DELAYS]

    assert hours == pytest.approx([0, 5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24])


@given(st.integers(1, 9), st.text(min_size=1))
def test_a_retry_is_never_early_and_at_most_a_fifth_late(attempts: int, message_id: str) -> None:
    retry_at = next_attempt_at(message_id, attempts, NOW)

    assert retry_at is not None
    assert NOW + DELAYS[attempts] <= retry_at < NOW + DELAYS[attempts] * 1.2
    assert retry_at == next_attempt_at(message_id, attempts, NOW)


def test_messages_that_fail_together_are_retried_at_different_times() -> None:
    assert len({next_attempt_at(f"msg_{n}", 3, NOW) for n in range(100)}) == 100


@pytest.mark.parametrize("attempts", [10, 11])
def test_there_are_at_most_ten_attempts(attempts: int) -> None:
    assert next_attempt_at("msg_1", attempts, NOW, wait=timedelta(hours=1)) is None


def test_a_longer_wait_is_respected_and_a_shorter_one_ignored() -> None:
    assert next_attempt_at("msg_1", 1, NOW, wait=timedelta(hours=1)) == NOW + timedelta(hours=1)
    assert next_attempt_at("msg_1", 5, NOW, wait=timedelta(seconds=1)) == next_attempt_at(
        "msg_1", 5, NOW
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999999999999999", None),
        ("90000", 86400),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Wed, 18 Mar 2026 12:10:00 GMT", 600),
        ("Wed, 18 Mar 2026 12:10:00 -0000", 600),
        ("Wed, 18 Mar 2026 11:00:00 GMT", 0),
        ("Wed, 18 Mar 2099 11:00:00 GMT", 86400),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert parse_retry_after(text, datetime(2026, 3, 18, 12, tzinfo=UTC)) == expected
