import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interventions.states import (
    TARGET_STATES,
    InterventionAction,
    InterventionState,
    next_state,
)


@pytest.mark.parametrize(
    ("state", "action", "expected"),
    [
        (InterventionState.SUGGESTED, InterventionAction.ACCEPT, InterventionState.ACCEPTED),
        (InterventionState.SUGGESTED, InterventionAction.DISMISS, InterventionState.DISMISSED),
        (InterventionState.ACCEPTED, InterventionAction.DISMISS, InterventionState.DISMISSED),
        (InterventionState.ACCEPTED, InterventionAction.START, InterventionState.IN_PROGRESS),
        (InterventionState.IN_PROGRESS, InterventionAction.COMPLETE, InterventionState.DONE),
        (InterventionState.SUGGESTED, InterventionAction.START, None),
        (InterventionState.SUGGESTED, InterventionAction.COMPLETE, None),
        (InterventionState.LAPSED, InterventionAction.ACCEPT, None),
        (InterventionState.DONE, InterventionAction.DISMISS, None),
        (InterventionState.EVALUATED, InterventionAction.COMPLETE, None),
    ],
)
def test_an_action_leads_to_the_next_state_or_is_not_allowed(
    state: InterventionState, action: InterventionAction, expected: InterventionState | None
) -> None:
    assert next_state(state, action) is expected


@given(st.sampled_from(InterventionState), st.sampled_from(InterventionAction))
def test_a_repeated_action_keeps_the_state(
    state: InterventionState, action: InterventionAction
) -> None:
    once = next_state(state, action)

    assert once in {None, TARGET_STATES[action]}
    assert once is None or next_state(once, action) is once


@given(st.lists(st.sampled_from(InterventionAction)))
def test_no_order_of_actions_skips_a_state(actions: list[InterventionAction]) -> None:
    state, states = InterventionState.SUGGESTED, [InterventionState.SUGGESTED]
    for action in actions:
        state = next_state(state, action) or state
        states.append(state)

    if InterventionState.DONE in states:
        assert InterventionState.ACCEPTED in states
        assert InterventionState.IN_PROGRESS in states
