"""The states of an intervention and the actions between them. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class InterventionState(StrEnum):
    """``lapsed``: no longer suggested; its signal is gone, or better suggestions displaced it."""

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


ALLOWED_STATES: Mapping[InterventionAction, set[InterventionState]] = {
    InterventionAction.ACCEPT: {InterventionState.SUGGESTED},
    InterventionAction.DISMISS: {InterventionState.SUGGESTED, InterventionState.ACCEPTED},
    InterventionAction.START: {InterventionState.ACCEPTED},
    InterventionAction.COMPLETE: {InterventionState.IN_PROGRESS},
}
"""The states in which each action is allowed."""
TARGET_STATES: Mapping[InterventionAction, InterventionState] = {
    InterventionAction.ACCEPT: InterventionState.ACCEPTED,
    InterventionAction.DISMISS: InterventionState.DISMISSED,
    InterventionAction.START: InterventionState.IN_PROGRESS,
    InterventionAction.COMPLETE: InterventionState.DONE,
}
OPEN_STATES = (InterventionState.ACCEPTED, InterventionState.IN_PROGRESS)
COMPLETED_STATES = (InterventionState.DONE, InterventionState.EVALUATED)


def next_state(state: InterventionState, action: InterventionAction) -> InterventionState | None:
    """Return the state after an action; None if it is not allowed. Repeated, it keeps the state."""
    target = TARGET_STATES[action]
    return target if state in {target, *ALLOWED_STATES[action]} else None
