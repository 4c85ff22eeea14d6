import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interventions.states import REACHED, Act, State, after


@pytest.mark.parametrize(
    ("state", "act", "expected"),
    [
        (State.SUGGESTED, Act.ACCEPT, State.ACCEPTED),
        (State.SUGGESTED, Act.DISMISS, State.DISMISSED),
        (State.ACCEPTED, Act.DISMISS, State.DISMISSED),
        (State.ACCEPTED, Act.START, State.IN_PROGRESS),
        (State.IN_PROGRESS, Act.COMPLETE, State.DONE),
        (State.SUGGESTED, Act.START, None),
        (State.SUGGESTED, Act.COMPLETE, None),
        (State.LAPSED, Act.ACCEPT, None),
        (State.DONE, Act.DISMISS, None),
        (State.EVALUATED, Act.COMPLETE, None),
    ],
)
def test_an_act_leads_on_or_nowhere(state: State, act: Act, expected: State | None) -> None:
    assert after(state, act) is expected


@given(st.sampled_from(State), st.sampled_from(Act))
def test_an_act_that_was_done_already_changes_nothing(state: State, act: Act) -> None:
    once = after(state, act)

    assert once in {None, REACHED[act]}
    assert once is None or after(once, act) is once


@given(st.lists(st.sampled_from(Act)))
def test_no_order_of_acts_skips_a_decision(acts: list[Act]) -> None:
    state, seen = State.SUGGESTED, [State.SUGGESTED]
    for act in acts:
        state = after(state, act) or state
        seen.append(state)

    if State.DONE in seen:
        assert State.ACCEPTED in seen
        assert State.IN_PROGRESS in seen
