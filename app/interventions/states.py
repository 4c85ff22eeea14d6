"""What can become of an intervention, and by which act. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """``lapsed``: its reason has gone, or a better one took its place, before anybody chose."""

    SUGGESTED = "suggested"
    LAPSED = "lapsed"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    EVALUATED = "evaluated"


class Act(StrEnum):
    ACCEPT = "accept"
    DISMISS = "dismiss"
    START = "start"
    COMPLETE = "complete"


LEADS: Mapping[Act, Mapping[State, State]] = {
    Act.ACCEPT: {State.SUGGESTED: State.ACCEPTED},
    Act.DISMISS: {State.SUGGESTED: State.DISMISSED, State.ACCEPTED: State.DISMISSED},
    Act.START: {State.ACCEPTED: State.IN_PROGRESS},
    Act.COMPLETE: {State.IN_PROGRESS: State.DONE},
}
REACHED: Mapping[Act, State] = {
    Act.ACCEPT: State.ACCEPTED,
    Act.DISMISS: State.DISMISSED,
    Act.START: State.IN_PROGRESS,
    Act.COMPLETE: State.DONE,
}
OPEN = (State.ACCEPTED, State.IN_PROGRESS)
CLOSED = (State.DONE, State.EVALUATED)


def after(state: State, act: Act) -> State | None:
    """Return the state that an act leads to, the same if it was done already, None if it cannot."""
    return state if state is REACHED[act] else LEADS[act].get(state)
