"""How an alert opens and closes: a step from one evaluation to the next. Pure.

A step takes what a rule sees of an account and returns the next state, and what happened, if
anything did. Evaluations have rising numbers: one that is not newer than the last changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Phase(StrEnum):
    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class CheckResult(StrEnum):
    """What a rule sees of an account. ``between``: beyond neither threshold.

    ``unknown``: there is no number that could be held against it. ``gone``: the rule is no longer
    about the account.
    """

    BREACH = "breach"
    BETWEEN = "between"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    GONE = "gone"


class Transition(StrEnum):
    OPENED = "opened"
    RESOLVED = "resolved"


FLAP_OPENINGS = 3
FLAP_WINDOW, FLAP_CALM_PERIOD = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a breach must last, how long its end, and how long it is quiet afterwards."""

    breach: timedelta = timedelta()
    keep: timedelta = timedelta()
    cooldown: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class MachineState:
    """Where a rule stands with an account. ``openings``: the last few, oldest first.

    ``armed``: false after somebody has resolved by hand, until the breach was really over.
    """

    phase: Phase = Phase.OK
    since: datetime | None = None
    episode: int = 0
    sequence: int = 0
    openings: tuple[datetime, ...] = ()
    resolved_at: datetime | None = None
    armed: bool = True

    @property
    def is_open(self) -> bool:
        return self.phase in {Phase.FIRING, Phase.RECOVERING}

    def is_flapping(self, now: datetime) -> bool:
        recent = [at for at in self.openings if at > now - FLAP_WINDOW]
        return len(recent) >= FLAP_OPENINGS


def step(
    state: MachineState, seen: CheckResult, timing: Timing, *, sequence: int, now: datetime
) -> tuple[MachineState, Transition | None]:
    """Take one evaluation in; at most one thing happens."""
    if sequence <= state.sequence:
        return state, None
    state = replace(state, sequence=sequence)
    if state.is_open:
        return _of_open(state, seen, timing, now)
    return _of_closed(state, seen, timing, now)


def next_check_at(state: MachineState, timing: Timing, now: datetime) -> datetime | None:
    """When time alone could bring the next change."""
    if state.phase is Phase.PENDING:
        return _opens_at(state, timing, now)
    return _resolves_at(state, timing, now) if state.phase is Phase.RECOVERING else None


def resolve_manually(state: MachineState, now: datetime) -> MachineState:
    return replace(_resolved(state, now), armed=False)


def _of_closed(
    state: MachineState, seen: CheckResult, timing: Timing, now: datetime
) -> tuple[MachineState, Transition | None]:
    if seen in {CheckResult.CLEAR, CheckResult.GONE}:
        state = replace(state, armed=True)
    if seen in {CheckResult.CLEAR, CheckResult.GONE, CheckResult.UNKNOWN}:
        return _at(state, Phase.OK, None), None
    if seen is CheckResult.BREACH and state.armed:
        if state.phase is Phase.OK:
            state = _at(state, Phase.PENDING, now)
        if now >= _opens_at(state, timing, now):
            openings = (*state.openings, now)[-FLAP_OPENINGS:]
            state = replace(state, episode=state.episode + 1, openings=openings)
            return _at(state, Phase.FIRING, now), Transition.OPENED
    return state, None


def _of_open(
    state: MachineState, seen: CheckResult, timing: Timing, now: datetime
) -> tuple[MachineState, Transition | None]:
    if seen is CheckResult.GONE:
        return _resolved(state, now), Transition.RESOLVED
    if seen in {CheckResult.BREACH, CheckResult.UNKNOWN} and state.phase is Phase.RECOVERING:
        return _at(state, Phase.FIRING, now), None
    if seen is CheckResult.CLEAR:
        if state.phase is Phase.FIRING:
            state = _at(state, Phase.RECOVERING, now)
        if now >= _resolves_at(state, timing, now):
            return _resolved(state, now), Transition.RESOLVED
    return state, None


def _opens_at(state: MachineState, timing: Timing, now: datetime) -> datetime:
    """A breach counts from its first sight; after an episode not before the cooldown is over."""
    lasted = (state.since or now) + timing.breach
    return max(lasted, state.resolved_at + timing.cooldown) if state.resolved_at else lasted


def _resolves_at(state: MachineState, timing: Timing, now: datetime) -> datetime:
    """What flaps stays open until it has been calm for longer."""
    keep = max(timing.keep, FLAP_CALM_PERIOD) if state.is_flapping(now) else timing.keep
    return (state.since or now) + keep


def _resolved(state: MachineState, now: datetime) -> MachineState:
    return replace(_at(state, Phase.OK, None), resolved_at=now)


def _at(state: MachineState, phase: Phase, since: datetime | None) -> MachineState:
    return replace(state, phase=phase, since=since)
