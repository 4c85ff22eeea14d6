from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events.reading.quarantine_codes import QuarantineError
from app.events.reading.times import ReceiveContext, parse_timestamp, resolve_time

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
RECEIVED = ReceiveContext(NOW, NOW - timedelta(days=400))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def code_of(timestamp: object, sent_at: object = None, received: ReceiveContext = RECEIVED) -> str:
    with pytest.raises(QuarantineError) as caught:
        resolve_time(timestamp, sent_at, received)
    assert caught.value.pointer == "/timestamp"
    return caught.value.code


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-18T12:00:00Z", NOW),
        ("2026-03-18T12:00:00.000+00:00", NOW),
        ("2026-03-18T14:30:00+02:30", NOW),
        ("2026-03-18 12:00:00Z", NOW),
        ("2026-03-18T12:00:00.5Z", NOW + timedelta(milliseconds=500)),
        ("2026-03-18 12:00:00 UTC", NOW),
        ("2026-03-18 12:00:00.000 utc", NOW),
        ("2026-03-18 12:00:00 GMT", NOW),
        ("2026-03-18 04:00:00 -0800", NOW),
        ("2026-03-18 14:30:00 +02:30", NOW),
        ("2026-03-18 12:00:00+00", NOW),
        ("2026-03-18 12:00:00 +0000 UTC", NOW),
        ("2026-03-18t12:00:00z", NOW),
        (" 2026-03-18T12:00:00Z ", NOW),
        ("2026-03-18T12:00:00.123456789Z", NOW + timedelta(microseconds=123456)),
        (int(NOW.timestamp()), NOW),
        (NOW.timestamp() + 0.25, NOW + timedelta(milliseconds=250)),
        (int(NOW.timestamp() * 1000), NOW),
        (str(int(NOW.timestamp())), NOW),
        (str(int(NOW.timestamp() * 1000)), NOW),
    ],
)
def test_timestamps_that_sdks_write_are_parsed(value: object, instant: datetime) -> None:
    assert parse_timestamp(value) == (instant, None)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-18T12:00:00", NOW),
        ("2026-03-18", NOW - 12 * HOUR),
        ("20260318", NOW - 12 * HOUR),
    ],
)
def test_a_time_without_a_zone_is_utc_with_a_warning(value: str, instant: datetime) -> None:
    assert parse_timestamp(value) == (instant, "naive_timestamp")


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "soon",
            "2026-13-01T00:00:00Z",
            "18/03/2026",
            "01/02/2026",
            "2026-03-18 12:00:00 PST",
        ),
        *("2026-03-18 -0800", "UTC", "12:00", "²²²²²²²²²", "9" * 30),
        *(True, False, [], {}, 1e300, -1e300, 10**30, "0001-01-01T00:00:00+10:00"),
    ],
)
def test_an_invalid_timestamp_is_quarantined_and_never_replaced_by_now(value: object) -> None:
    assert code_of(value) == "invalid_timestamp"


def test_an_event_without_a_time_belongs_to_the_day_of_receipt() -> None:
    found = resolve_time(None, NOW.isoformat(), RECEIVED)

    assert (found.client_at, found.occurred_at, found.untimed) == (NOW - 12 * HOUR, NOW, True)
    assert not resolve_time(NOW.isoformat(), None, RECEIVED).untimed


@pytest.mark.parametrize(
    ("sent_at", "correction"),
    [
        (NOW + timedelta(seconds=60), timedelta()),
        (NOW + timedelta(seconds=61), timedelta(seconds=61)),
        (NOW + 3 * DAY, 3 * DAY),
        (NOW - DAY, timedelta()),
        ("nonsense", timedelta()),
        (None, timedelta()),
        ("0001-01-01T00:00:00Z", timedelta()),
        ("9999-12-31T23:59:59Z", timedelta()),
    ],
)
def test_only_a_clock_ahead_is_corrected_and_client_at_never(
    sent_at: object, correction: timedelta
) -> None:
    value = sent_at.isoformat() if isinstance(sent_at, datetime) else sent_at

    found = resolve_time((NOW - HOUR).isoformat(), value, RECEIVED)

    assert (found.client_at, found.occurred_at) == (NOW - HOUR, NOW - HOUR - correction)
    skew = round((sent_at - NOW).total_seconds()) if isinstance(sent_at, datetime) else None
    assert found.skew_seconds == skew


def test_the_sending_time_of_an_event_overrides_that_of_the_batch() -> None:
    ahead = ReceiveContext(NOW, RECEIVED.oldest, sent_at=(NOW + HOUR).isoformat())

    assert resolve_time(NOW.isoformat(), None, ahead).occurred_at == NOW - HOUR
    assert resolve_time(NOW.isoformat(), NOW.isoformat(), ahead).occurred_at == NOW


@pytest.mark.parametrize(
    ("ahead", "occurred_at", "warning"),
    [
        (5 * MINUTE, NOW + 5 * MINUTE, None),
        (5 * MINUTE + timedelta(seconds=1), NOW, "future_timestamp_clamped"),
        (DAY, NOW, "future_timestamp_clamped"),
    ],
)
def test_a_time_slightly_in_the_future_is_accepted_or_clamped(
    ahead: timedelta, occurred_at: datetime, warning: str | None
) -> None:
    found = resolve_time((NOW + ahead).isoformat(), None, RECEIVED)

    assert (found.occurred_at, found.warning) == (occurred_at, warning)
    assert found.client_at == NOW + ahead


def test_a_time_far_in_the_future_is_quarantined() -> None:
    assert code_of((NOW + DAY + timedelta(seconds=1)).isoformat()) == "future_timestamp"


def test_events_older_than_the_retention_are_quarantined_except_in_imports() -> None:
    edge = NOW - timedelta(days=400)
    assert resolve_time(edge.isoformat(), None, RECEIVED).occurred_at == edge
    old = (edge - timedelta(seconds=1)).isoformat()

    assert code_of(old) == "too_old"
    assert resolve_time(old, None, ReceiveContext(NOW, None)).client_at == edge - timedelta(
        seconds=1
    )


def test_a_correction_outside_the_calendar_is_quarantined() -> None:
    late = (NOW + 100 * DAY).isoformat()

    assert code_of("0001-01-01T00:00:00Z", late, ReceiveContext(NOW, None)) == "invalid_timestamp"


TIMES = (
    st.none() | st.text() | st.integers() | st.floats() | st.datetimes().map(str) | st.booleans()
)


@given(TIMES, TIMES)
def test_any_timestamp_is_resolved_or_quarantined(timestamp: Any, sent_at: Any) -> None:  # noqa: ANN401
    found, code = None, None
    try:
        found = resolve_time(timestamp, sent_at, RECEIVED)
    except QuarantineError as error:
        code = error.code

    if found is None:
        assert code in {"invalid_timestamp", "future_timestamp", "too_old"}
    else:
        assert NOW - timedelta(days=400) <= found.occurred_at <= NOW + 5 * MINUTE
        assert abs(found.skew_seconds or 0) < 2**31
