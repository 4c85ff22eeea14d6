from datetime import datetime, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.standing import DISABLED_AFTER, Heard, Reason, Standing, State
from tests.conftest import NOW

worked = partial(Heard, worked=True)
failed = partial(Heard, worked=False)


def failing(times: int, *, every: timedelta = timedelta(), since: datetime = NOW) -> list[Heard]:
    return [failed(since + n * every) for n in range(times)]


def test_a_few_failures_leave_an_endpoint_active() -> None:
    standing = Standing().after(failing(4))

    assert (standing.state, standing.failures, standing.failing_since) == (State.ACTIVE, 4, NOW)


def test_the_fifth_in_a_row_degrades_it_and_the_next_probe_waits() -> None:
    standing = Standing().after(failing(5))

    assert standing.state is State.DEGRADED
    assert standing.resume_at == NOW + timedelta(seconds=5)


def test_pauses_grow_with_the_time_it_fails_up_to_ten_minutes() -> None:
    later = [Standing().after(failing(6, every=timedelta(minutes=n))) for n in (0, 4, 60)]
    pauses = [
        each.resume_at - NOW - 5 * timedelta(minutes=n)
        for each, n in zip(later, (0, 4, 60), strict=True)
        if each.resume_at
    ]

    assert pauses == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=10)]


@given(st.integers(0, 200))
def test_one_success_makes_it_active_again(times: int) -> None:
    assert Standing().after([*failing(times), worked(NOW)]) == Standing()


def test_after_five_days_of_failure_it_is_disabled() -> None:
    almost = Standing().after(failing(10, every=(DISABLED_AFTER / 9) - timedelta(seconds=1)))
    whole = Standing().after(failing(10, every=DISABLED_AFTER / 9))

    assert almost.state is State.DEGRADED
    assert (whole.state, whole.reason) == (State.DISABLED, Reason.FAILING)


def test_two_failures_days_apart_disable_nothing() -> None:
    assert Standing().after(failing(2, every=timedelta(days=9))).state is State.ACTIVE


def test_gone_disables_at_once_and_nothing_that_was_under_way_enables_again() -> None:
    standing = Standing().after([failed(NOW, gone=True), worked(NOW)])

    assert (standing.state, standing.reason) == (State.DISABLED, Reason.GONE)


def test_an_endpoint_that_asks_to_wait_is_left_alone() -> None:
    hour = timedelta(hours=1)

    assert Standing().after([failed(NOW, wait=hour)]).resume_at == NOW + hour
    assert Standing().after([*failing(5), failed(NOW, wait=hour)]).resume_at == NOW + hour
