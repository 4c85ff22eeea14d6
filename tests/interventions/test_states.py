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
    ("state", "act", "expected"),
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
def test_an_act_leads_on_or_nowhere(
    state: InterventionState, act: InterventionAction, expected: InterventionState | None
) -> None:
    assert next_state(state, act) is expected


@given(st.sampled_from(InterventionState), st.sampled_from(InterventionAction))
def test_an_act_that_was_done_already_changes_nothing(
    state: InterventionState, act: InterventionAction
) -> None:
    once = next_state(state, act)

    assert once in {None, TARGET_STATES[act]}
    assert once is None or next_state(once, act) is once


@given(st.lists(st.sampled_from(InterventionAction)))
def test_no_order_of_acts_skips_a_decision(acts: list[InterventionAction]) -> None:
    state, seen = InterventionState.SUGGESTED, [InterventionState.SUGGESTED]
    for act in acts:
        state = next_state(state, act) or state
        seen.append(state)

    if InterventionState.DONE in seen:
        assert InterventionState.ACCEPTED in seen
        assert InterventionState.IN_PROGRESS in seen
