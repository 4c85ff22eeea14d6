"""Properties of every sequence of evaluations."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
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
    timed: Sequence[tuple[int, datetime, CheckResult]],
    timing: Timing,
    state: MachineState | None = None,
) -> tuple[MachineState, list[tuple[Transition, CheckResult]]]:
    """Apply evaluations, each with its number and time."""
    state, transitions = state or MachineState(), []
    for sequence, now, result in timed:
        state, transition = step(state, result, timing, sequence=sequence, now=now)
        transitions += [(transition, result)] if transition else []
    return state, transitions


def timeline(evaluated: Sequence[Evaluation]) -> list[tuple[int, datetime, CheckResult]]:
    """Number evaluations in the order of time, each some hours after the last."""
    timed, now = [], START
    for sequence, (later, result) in enumerate(evaluated, start=1):
        now += later * HOUR
        timed.append((sequence, now, result))
    return timed


@given(evaluations, timings)
def test_opened_and_resolved_alternate_and_opened_comes_first(
    evaluated: list[Evaluation], timing: Timing
) -> None:
    state, transitions = run(timeline(evaluated), timing)

    names = [Transition.RESOLVED, *(transition for transition, _ in transitions)]
    assert all(first is not second for first, second in pairwise(names))
    assert state.is_open is (names[-1] is Transition.OPENED)
    assert state.episode == names.count(Transition.OPENED)


@given(evaluations, timings)
def test_only_a_breach_opens_and_only_its_end_resolves(
    evaluated: list[Evaluation], timing: Timing
) -> None:
    _, transitions = run(timeline(evaluated), timing)

    for transition, result in transitions:
        assert result in (
            {CheckResult.BREACH}
            if transition is Transition.OPENED
            else {CheckResult.CLEAR, CheckResult.OUT_OF_SCOPE}
        )


@given(evaluations, timings, st.randoms(use_true_random=False))
def test_repeated_and_late_evaluations_change_nothing(
    evaluated: list[Evaluation], timing: Timing, random: Random
) -> None:
    """Other evaluators repeat evaluations and apply old ones late, at random places."""
    single = timeline(evaluated)
    repeated = list(single)
    for _ in single:
        at = random.randrange(len(repeated))
        repeated.insert(at + 1, repeated[random.randrange(at + 1)])

    assert run(repeated, timing) == run(single, timing)


@given(evaluations, timings)
def test_an_evaluation_that_is_not_newer_changes_nothing(
    evaluated: list[Evaluation], timing: Timing
) -> None:
    state, _ = run(timeline(evaluated), timing)

    for result in CheckResult:
        repeated = step(state, result, timing, sequence=state.sequence, now=START + 999 * HOUR)
        assert repeated == (state, None)


@given(evaluations, timings, st.sampled_from([CheckResult.BREACH, CheckResult.CLEAR]))
def test_after_flapping_the_last_transition_agrees_with_the_last_result(
    evaluated: list[Evaluation], timing: Timing, at_last: CheckResult
) -> None:
    past = timeline(evaluated)
    now = past[-1][1] if past else START
    calm = [(len(past) + number, now + number * 24 * HOUR, at_last) for number in range(1, 9)]

    state, transitions = run([*past, *calm], timing)

    assert state.is_open is (at_last is CheckResult.BREACH)
    assert not transitions or transitions[-1][0] is (
        Transition.OPENED if state.is_open else Transition.RESOLVED
    )


@given(evaluations, timings)
def test_time_alone_causes_a_transition_at_check_at_and_not_before(
    evaluated: list[Evaluation], timing: Timing
) -> None:
    past = timeline(evaluated)
    state, _ = run(past, timing)
    now = past[-1][1] if past else START
    due = next_check_at(state, timing, now)
    result = CheckResult.CLEAR if state.is_open else CheckResult.BREACH

    if due is not None and due > now:
        before = due - timedelta(seconds=1)
        assert step(state, result, timing, sequence=state.sequence + 1, now=before)[1] is None
        assert step(state, result, timing, sequence=state.sequence + 1, now=due)[1] is not None


def test_a_breach_opens_an_alert_once_it_has_lasted() -> None:
    timing = Timing(breach=2 * HOUR)
    short = [(1, START, CheckResult.BREACH), (2, START + HOUR, CheckResult.BREACH)]

    assert run(short, timing)[1] == []
    assert run([*short, (3, START + 2 * HOUR, CheckResult.BREACH)], timing)[1] != []


BREAKS = [CheckResult.BETWEEN, CheckResult.CLEAR, CheckResult.UNKNOWN, CheckResult.OUT_OF_SCOPE]
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("result", BREAKS)
def test_a_break_of_the_breach_starts_its_time_again(result: CheckResult) -> None:
    """Below 40, clear from 60, held for 40 s: scores 30, 50, then 30 after 48 s (issue 13, C2)."""
    timing = Timing(breach=40 * SECOND)
    broken = [
        (1, START, CheckResult.BREACH),
        (2, START + 10 * SECOND, result),
        (3, START + 48 * SECOND, CheckResult.BREACH),
        (4, START + 87 * SECOND, CheckResult.BREACH),
    ]

    assert run(broken, timing)[1] == []
    assert run(broken[:2], timing)[0].phase is Phase.OK
    at_last = (5, START + 88 * SECOND, CheckResult.BREACH)
    assert run([*broken, at_last], timing)[1] == [(Transition.OPENED, CheckResult.BREACH)]


@pytest.mark.parametrize("result", [CheckResult.BETWEEN, CheckResult.BREACH, CheckResult.UNKNOWN])
def test_a_break_of_the_recovery_starts_its_time_again(result: CheckResult) -> None:
    """Kept for 40 s: scores 70, 50, 70 resolved the alert one second after the last (C2)."""
    timing = Timing(keep=40 * SECOND)
    firing, _ = run([(1, START, CheckResult.BREACH)], timing)
    broken = [
        (2, START, CheckResult.CLEAR),
        (3, START + 10 * SECOND, result),
        (4, START + 39 * SECOND, CheckResult.CLEAR),
        (5, START + 78 * SECOND, CheckResult.CLEAR),
    ]

    assert run(broken, timing, firing)[1] == []
    assert run(broken[:2], timing, firing)[0].phase is Phase.FIRING
    at_last = (6, START + 79 * SECOND, CheckResult.CLEAR)
    assert run([*broken, at_last], timing, firing)[1] == [(Transition.RESOLVED, CheckResult.CLEAR)]


def test_a_flapping_alert_stays_open_until_it_has_been_calm_for_a_day() -> None:
    turns = [
        (number, START + number * HOUR, CheckResult.BREACH if number % 2 else CheckResult.CLEAR)
        for number in range(1, 24)
    ]
    state, transitions = run(turns, AT_ONCE)
    assert [transition for transition, _ in transitions].count(Transition.OPENED) == FLAP_OPENINGS
    assert (state.phase, len(transitions)) == (Phase.FIRING, 2 * FLAP_OPENINGS - 1)

    ended = turns[-1][1] + HOUR
    calm = [(24, ended, CheckResult.CLEAR), (25, ended + FLAP_CALM_PERIOD, CheckResult.CLEAR)]

    assert run(calm[:1], AT_ONCE, state)[0].phase is Phase.RECOVERING
    assert run(calm, AT_ONCE, state)[1] == [(Transition.RESOLVED, CheckResult.CLEAR)]


def test_after_a_manual_resolution_an_alert_opens_only_after_the_value_was_clear() -> None:
    state, _ = run([(1, START, CheckResult.BREACH)], AT_ONCE)
    state = resolve_manually(state, START)

    still = [(number, START + number * HOUR, CheckResult.BREACH) for number in range(2, 5)]
    assert run(still, AT_ONCE, state)[1] == []
    after = [(5, START + 5 * HOUR, CheckResult.CLEAR), (6, START + 6 * HOUR, CheckResult.BREACH)]
    assert run([*still, *after], AT_ONCE, state)[1] == [(Transition.OPENED, CheckResult.BREACH)]


def test_no_alert_opens_within_the_cooldown() -> None:
    timing = Timing(cooldown=3 * HOUR)
    episode = [(1, START, CheckResult.BREACH), (2, START + HOUR, CheckResult.CLEAR)]
    state, _ = run(episode, timing)

    assert run([(3, START + 2 * HOUR, CheckResult.BREACH)], timing, state)[1] == []
    assert run([(3, START + 4 * HOUR, CheckResult.BREACH)], timing, state)[1] != []


def test_an_unknown_value_neither_opens_nor_resolves() -> None:
    timing = Timing(keep=HOUR)
    pending, _ = run([(1, START, CheckResult.BREACH)], Timing(breach=HOUR))
    firing, _ = run([(1, START, CheckResult.BREACH)], timing)
    recovering, _ = run([(2, START, CheckResult.CLEAR)], timing, firing)

    phases = [
        run([(3, START + HOUR, CheckResult.UNKNOWN)], timing, state)[0].phase
        for state in (pending, firing, recovering)
    ]

    assert phases == [Phase.OK, Phase.FIRING, Phase.FIRING]
