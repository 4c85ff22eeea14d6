"""What must hold of every run of evaluations, whatever is seen and however often."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.alerts.state_machine import (
    FLAP_CALM_PERIOD,
    FLAP_OPENINGS,
    CheckResult,
    MachineState,
    Phase,
    Timing,
    Transition,
    next_check_at,
    resolve_manually,
    step,
)

START = datetime(2026, 3, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT_ONCE = Timing()

Evaluation = tuple[int, CheckResult]
hours = st.integers(0, 30).map(lambda number: number * HOUR)
timings = st.builds(Timing, breach=hours, keep=hours, cooldown=hours)
evaluations = st.lists(st.tuples(st.integers(0, 48), st.sampled_from(CheckResult)), max_size=40)


def run(
    seen: Sequence[tuple[int, datetime, CheckResult]],
    timing: Timing,
    state: MachineState | None = None,
) -> tuple[MachineState, list[tuple[Transition, CheckResult]]]:
    """Take evaluations in, each with its number and time."""
    state, events = state or MachineState(), []
    for sequence, now, what in seen:
        state, event = step(state, what, timing, sequence=sequence, now=now)
        events += [(event, what)] if event else []
    return state, events


def timeline(drawn: Sequence[Evaluation]) -> list[tuple[int, datetime, CheckResult]]:
    """Number evaluations in the order of time, each some hours after the last."""
    found, now = [], START
    for sequence, (later, seen) in enumerate(drawn, start=1):
        now += later * HOUR
        found.append((sequence, now, seen))
    return found


@given(evaluations, timings)
def test_opened_and_resolved_alternate_and_opened_comes_first(
    drawn: list[Evaluation], timing: Timing
) -> None:
    state, events = run(timeline(drawn), timing)

    names = [Transition.RESOLVED, *(event for event, _ in events)]
    assert all(one is not other for one, other in pairwise(names))
    assert state.is_open is (names[-1] is Transition.OPENED)
    assert state.episode == names.count(Transition.OPENED)


@given(evaluations, timings)
def test_nothing_opens_without_a_breach_and_nothing_ends_without_its_end(
    drawn: list[Evaluation], timing: Timing
) -> None:
    _, events = run(timeline(drawn), timing)

    for event, seen in events:
        assert seen in (
            {CheckResult.BREACH}
            if event is Transition.OPENED
            else {CheckResult.CLEAR, CheckResult.GONE}
        )


@given(evaluations, timings, st.randoms(use_true_random=False))
def test_many_evaluators_give_the_events_of_one(
    drawn: list[Evaluation], timing: Timing, random: Random
) -> None:
    """Others repeat evaluations, and come late with old ones, at any place."""
    one = timeline(drawn)
    many = list(one)
    for _ in one:
        at = random.randrange(len(many))
        many.insert(at + 1, many[random.randrange(at + 1)])

    assert run(many, timing) == run(one, timing)


@given(evaluations, timings)
def test_an_evaluation_that_is_not_newer_changes_nothing(
    drawn: list[Evaluation], timing: Timing
) -> None:
    state, _ = run(timeline(drawn), timing)

    for seen in CheckResult:
        again = step(state, seen, timing, sequence=state.sequence, now=START + 999 * HOUR)
        assert again == (state, None)


@given(evaluations, timings, st.sampled_from([CheckResult.BREACH, CheckResult.CLEAR]))
def test_after_flapping_ends_the_last_event_is_the_truth(
    drawn: list[Evaluation], timing: Timing, at_last: CheckResult
) -> None:
    past = timeline(drawn)
    now = past[-1][1] if past else START
    calm = [(len(past) + number, now + number * 24 * HOUR, at_last) for number in range(1, 9)]

    state, events = run([*past, *calm], timing)

    assert state.is_open is (at_last is CheckResult.BREACH)
    assert not events or events[-1][0] is (
        Transition.OPENED if state.is_open else Transition.RESOLVED
    )


@given(evaluations, timings)
def test_time_alone_brings_what_check_at_says_and_not_before(
    drawn: list[Evaluation], timing: Timing
) -> None:
    past = timeline(drawn)
    state, _ = run(past, timing)
    now = past[-1][1] if past else START
    due = next_check_at(state, timing, now)
    seen = CheckResult.CLEAR if state.is_open else CheckResult.BREACH

    if due is not None and due > now:
        before = due - timedelta(seconds=1)
        assert step(state, seen, timing, sequence=state.sequence + 1, now=before)[1] is None
        assert step(state, seen, timing, sequence=state.sequence + 1, now=due)[1] is not None


def test_a_breach_counts_when_it_has_lasted() -> None:
    timing = Timing(breach=2 * HOUR)
    seen = [(1, START, CheckResult.BREACH), (2, START + HOUR, CheckResult.BETWEEN)]

    assert run(seen, timing)[1] == []
    assert run([*seen, (3, START + 2 * HOUR, CheckResult.BREACH)], timing)[1] != []
    gap = [*seen, (3, START + HOUR, CheckResult.CLEAR), (4, START + 2 * HOUR, CheckResult.BREACH)]
    assert run(gap, timing)[1] == []


def test_what_flaps_stays_open_until_it_has_been_calm_for_a_day() -> None:
    turns = [
        (number, START + number * HOUR, CheckResult.BREACH if number % 2 else CheckResult.CLEAR)
        for number in range(1, 24)
    ]
    state, events = run(turns, AT_ONCE)
    assert [event for event, _ in events].count(Transition.OPENED) == FLAP_OPENINGS
    assert (state.phase, len(events)) == (Phase.FIRING, 2 * FLAP_OPENINGS - 1)

    ended = turns[-1][1] + HOUR
    calm = [(24, ended, CheckResult.CLEAR), (25, ended + FLAP_CALM_PERIOD, CheckResult.CLEAR)]

    assert run(calm[:1], AT_ONCE, state)[0].phase is Phase.RECOVERING
    assert run(calm, AT_ONCE, state)[1] == [(Transition.RESOLVED, CheckResult.CLEAR)]


def test_what_a_person_resolved_opens_again_only_after_it_was_clear() -> None:
    state, _ = run([(1, START, CheckResult.BREACH)], AT_ONCE)
    state = resolve_manually(state, START)

    still = [(number, START + number * HOUR, CheckResult.BREACH) for number in range(2, 5)]
    assert run(still, AT_ONCE, state)[1] == []
    after = [(5, START + 5 * HOUR, CheckResult.CLEAR), (6, START + 6 * HOUR, CheckResult.BREACH)]
    assert run([*still, *after], AT_ONCE, state)[1] == [(Transition.OPENED, CheckResult.BREACH)]


def test_it_is_quiet_for_a_while_after_an_episode() -> None:
    timing = Timing(cooldown=3 * HOUR)
    seen = [(1, START, CheckResult.BREACH), (2, START + HOUR, CheckResult.CLEAR)]
    state, _ = run(seen, timing)

    assert run([(3, START + 2 * HOUR, CheckResult.BREACH)], timing, state)[1] == []
    assert run([(3, START + 4 * HOUR, CheckResult.BREACH)], timing, state)[1] != []


def test_what_becomes_unknown_is_neither_opened_nor_over() -> None:
    timing = Timing(keep=HOUR)
    pending, _ = run([(1, START, CheckResult.BREACH)], Timing(breach=HOUR))
    firing, _ = run([(1, START, CheckResult.BREACH)], timing)
    recovering, _ = run([(2, START, CheckResult.CLEAR)], timing, firing)

    found = [
        run([(3, START + HOUR, CheckResult.UNKNOWN)], timing, state)[0].phase
        for state in (pending, firing, recovering)
    ]

    assert found == [Phase.OK, Phase.FIRING, Phase.FIRING]
