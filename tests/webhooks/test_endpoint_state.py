from datetime import datetime, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.endpoint_state import (
    DISABLED_AFTER,
    AttemptResult,
    DisableReason,
    EndpointState,
    EndpointStatus,
)
from tests.conftest import NOW

succeeded = partial(AttemptResult, succeeded=True)
failed = partial(AttemptResult, succeeded=False)


def failing(
    times: int, *, every: timedelta = timedelta(), since: datetime = NOW
) -> list[AttemptResult]:
    return [failed(since + n * every) for n in range(times)]


def test_a_few_failures_leave_an_endpoint_active() -> None:
    status = EndpointStatus().after(failing(4))

    assert (status.state, status.failures, status.failing_since) == (
        EndpointState.ACTIVE,
        4,
        NOW,
    )


def test_the_fifth_failure_in_a_row_degrades_an_endpoint_and_delays_the_next_probe() -> None:
    status = EndpointStatus().after(failing(5))

    assert status.state is EndpointState.DEGRADED
    assert status.resume_at == NOW + timedelta(seconds=5)


def test_pauses_grow_with_the_time_of_failure_up_to_ten_minutes() -> None:
    later = [EndpointStatus().after(failing(6, every=timedelta(minutes=n))) for n in (0, 4, 60)]
    pauses = [
        each.resume_at - NOW - 5 * timedelta(minutes=n)
        for each, n in zip(later, (0, 4, 60), strict=True)
        if each.resume_at
    ]

    assert pauses == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=10)]


@given(st.integers(0, 200))
def test_one_success_makes_an_endpoint_active_again(times: int) -> None:
    assert EndpointStatus().after([*failing(times), succeeded(NOW)]) == EndpointStatus()


def test_after_five_days_of_failure_an_endpoint_is_disabled() -> None:
    almost = EndpointStatus().after(failing(10, every=(DISABLED_AFTER / 9) - timedelta(seconds=1)))
    whole = EndpointStatus().after(failing(10, every=DISABLED_AFTER / 9))

    assert almost.state is EndpointState.DEGRADED
    assert (whole.state, whole.reason) == (EndpointState.DISABLED, DisableReason.FAILING)


def test_two_failures_days_apart_do_not_disable_an_endpoint() -> None:
    assert EndpointStatus().after(failing(2, every=timedelta(days=9))).state is EndpointState.ACTIVE


def test_gone_disables_at_once_and_later_results_do_not_enable_again() -> None:
    status = EndpointStatus().after([failed(NOW, disable=DisableReason.GONE), succeeded(NOW)])

    assert (status.state, status.reason) == (EndpointState.DISABLED, DisableReason.GONE)


def test_the_wait_that_an_endpoint_requests_is_respected() -> None:
    hour = timedelta(hours=1)

    assert EndpointStatus().after([failed(NOW, wait=hour)]).resume_at == NOW + hour
    assert EndpointStatus().after([*failing(5), failed(NOW, wait=hour)]).resume_at == NOW + hour


def test_an_order_to_be_disabled_is_followed_after_success_too() -> None:
    order = DisableReason.REQUESTED

    for result in (succeeded(NOW, disable=order), failed(NOW, disable=order)):
        status = EndpointStatus().after([result])
        assert (status.state, status.reason) == (EndpointState.DISABLED, order)


def test_warnings_come_at_50_70_and_90_per_cent_of_the_five_days() -> None:
    day = timedelta(days=1)
    status, warned = EndpointStatus(), []
    status = status.after(failing(9))
    for at in (2.49 * day, 2.5 * day, 3.49 * day, 3.5 * day, 4.49 * day, 4.5 * day, 4.99 * day):
        status = status.after([failed(NOW + at)])
        warned.append(status.warned)

    assert warned == [0, 50, 50, 70, 70, 90, 90]
    assert status.state is EndpointState.DEGRADED
    assert status.after([succeeded(NOW + 5 * day)]).warned == 0


def test_few_failures_are_a_short_way_however_long_ago_they_began() -> None:
    status = EndpointStatus().after(failing(6, every=timedelta(days=1)))

    assert (status.failures, status.warned) == (6, 50)  # all of 5 days, but 6 of 10 failures


def test_many_failures_are_a_short_way_in_a_short_time() -> None:
    assert EndpointStatus().after(failing(200)).warned == 0
