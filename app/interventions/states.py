"""What can become of an intervention, and by which act. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class InterventionState(StrEnum):
    """``lapsed``: its reason has gone, or a better one took its place, before anybody chose."""

    SUGGESTED = "suggested"
    LAPSED = "lapsed"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    EVALUATED = "evaluated"


class InterventionAction(StrEnum):
    ACCEPT = "accept"
    DISMISS = "dismiss"
    START = "start"
    COMPLETE = "complete"


TRANSITIONS: Mapping[InterventionAction, Mapping[InterventionState, InterventionState]] = {
    InterventionAction.ACCEPT: {InterventionState.SUGGESTED: InterventionState.ACCEPTED},
    InterventionAction.DISMISS: {
        InterventionState.SUGGESTED: InterventionState.DISMISSED,
        InterventionState.ACCEPTED: InterventionState.DISMISSED,
    },
    InterventionAction.START: {InterventionState.ACCEPTED: InterventionState.IN_PROGRESS},
    InterventionAction.COMPLETE: {InterventionState.IN_PROGRESS: InterventionState.DONE},
}
TARGET_STATES: Mapping[InterventionAction, InterventionState] = {
    InterventionAction.ACCEPT: InterventionState.ACCEPTED,
    InterventionAction.DISMISS: InterventionState.DISMISSED,
    InterventionAction.START: InterventionState.IN_PROGRESS,
    InterventionAction.COMPLETE: InterventionState.DONE,
}
OPEN_STATES = (InterventionState.ACCEPTED, InterventionState.IN_PROGRESS)
COMPLETED_STATES = (InterventionState.DONE, InterventionState.EVALUATED)


def next_state(state: InterventionState, act: InterventionAction) -> InterventionState | None:
    """Return the state that an act leads to, the same if it was done already, None if it cannot."""
    return state if state is TARGET_STATES[act] else TRANSITIONS[act].get(state)
