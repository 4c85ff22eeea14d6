"""When an alert opens and is resolved: one step from one evaluation to the next. Pure.

A step takes the result of evaluating a rule for an account, and returns the next state and the
transition, if there is one. Evaluations have rising numbers: an evaluation that is not newer than
the last one changes nothing. The next phase by phase and result, before the waiting time is over:

============  ==========  ==========  ==========  ==========  ============
phase         breach      between     clear       unknown     out of scope
============  ==========  ==========  ==========  ==========  ============
ok            pending     ok          ok          ok          ok
pending       pending     ok          ok          ok          ok
firing        firing      firing      recovering  firing      ok, resolved
recovering    firing      firing      recovering  firing      ok, resolved
============  ==========  ==========  ==========  ==========  ============

Both waiting times are unbroken: every other result ends them, and they start again at zero.
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
    """The result of comparing an account's value with the thresholds of a rule.

    ``between``: neither a breach nor clear. ``unknown``: there is no value to compare.
    ``out_of_scope``: the rule no longer applies to the account.
    """

    BREACH = "breach"
    BETWEEN = "between"
    CLEAR = "clear"
    UNKNOWN = "unknown"
    OUT_OF_SCOPE = "out_of_scope"


class Transition(StrEnum):
    OPENED = "opened"
    RESOLVED = "resolved"


FLAP_OPENINGS = 3
FLAP_WINDOW, FLAP_CALM_PERIOD = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timing:
    """``breach``: how long a breach must last without a break before an alert opens.

    ``keep``: how long the value must be clear without a break before the alert is resolved.
    ``cooldown``: how long no new alert can open after a resolution.
    """

    breach: timedelta = timedelta()
    keep: timedelta = timedelta()
    cooldown: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class MachineState:
    """The state of a rule for an account. ``since``: when the phase began.

    ``episode``: number of alerts so far. ``sequence``: number of the last evaluation. ``openings``:
    when the last three alerts opened, oldest first. ``may_open``: false from a manual resolution
    until the breach is over.
    """

    phase: Phase = Phase.OK
    since: datetime | None = None
    episode: int = 0
    sequence: int = 0
    openings: tuple[datetime, ...] = ()
    resolved_at: datetime | None = None
    may_open: bool = True

    @property
    def is_open(self) -> bool:
        return self.phase in {Phase.FIRING, Phase.RECOVERING}

    def is_flapping(self, now: datetime) -> bool:
        recent = [at for at in self.openings if at > now - FLAP_WINDOW]
        return len(recent) >= FLAP_OPENINGS


def step(
    state: MachineState, result: CheckResult, timing: Timing, *, sequence: int, now: datetime
) -> tuple[MachineState, Transition | None]:
    """Apply one evaluation; at most one transition happens."""
    if sequence <= state.sequence:
        return state, None
    state = replace(state, sequence=sequence)
    if state.is_open:
        return _step_open(state, result, timing, now)
    return _step_closed(state, result, timing, now)


def next_check_at(state: MachineState, timing: Timing, now: datetime) -> datetime | None:
    """Return when time alone could cause the next transition."""
    if state.phase is Phase.PENDING:
        return _opens_at(state, timing, now)
    return _resolves_at(state, timing, now) if state.phase is Phase.RECOVERING else None


def resolve_manually(state: MachineState, now: datetime) -> MachineState:
    return replace(_resolved(state, now), may_open=False)


def withdraw(state: MachineState) -> MachineState:
    """End an open alert that nobody was told of, as if it had not opened."""
    return replace(_in_phase(state, Phase.OK, None), openings=state.openings[:-1])


def _step_closed(
    state: MachineState, result: CheckResult, timing: Timing, now: datetime
) -> tuple[MachineState, Transition | None]:
    if result in {CheckResult.CLEAR, CheckResult.OUT_OF_SCOPE}:
        state = replace(state, may_open=True)
    if result is not CheckResult.BREACH or not state.may_open:
        return _in_phase(state, Phase.OK, None), None
    if state.phase is Phase.OK:
        state = _in_phase(state, Phase.PENDING, now)
    if now < _opens_at(state, timing, now):
        return state, None
    openings = (*state.openings, now)[-FLAP_OPENINGS:]
    state = replace(state, episode=state.episode + 1, openings=openings)
    return _in_phase(state, Phase.FIRING, now), Transition.OPENED


def _step_open(
    state: MachineState, result: CheckResult, timing: Timing, now: datetime
) -> tuple[MachineState, Transition | None]:
    if result is CheckResult.OUT_OF_SCOPE:
        return _resolved(state, now), Transition.RESOLVED
    if result is not CheckResult.CLEAR:
        is_recovering = state.phase is Phase.RECOVERING
        return _in_phase(state, Phase.FIRING, now) if is_recovering else state, None
    if state.phase is Phase.FIRING:
        state = _in_phase(state, Phase.RECOVERING, now)
    if now < _resolves_at(state, timing, now):
        return state, None
    return _resolved(state, now), Transition.RESOLVED


def _opens_at(state: MachineState, timing: Timing, now: datetime) -> datetime:
    """Return when an alert opens: the breach has lasted long enough and the cooldown is over."""
    lasted = (state.since or now) + timing.breach
    return max(lasted, state.resolved_at + timing.cooldown) if state.resolved_at else lasted


def _resolves_at(state: MachineState, timing: Timing, now: datetime) -> datetime:
    """Return when the breach has been over long enough: at least a day for a flapping alert."""
    keep = max(timing.keep, FLAP_CALM_PERIOD) if state.is_flapping(now) else timing.keep
    return (state.since or now) + keep


def _resolved(state: MachineState, now: datetime) -> MachineState:
    return replace(_in_phase(state, Phase.OK, None), resolved_at=now)


def _in_phase(state: MachineState, phase: Phase, since: datetime | None) -> MachineState:
    return replace(state, phase=phase, since=since)
