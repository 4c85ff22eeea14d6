"""What the vendor's own people say and do: sentiments with reasons, notes of calls, tasks.

An owner feels some of the value that an account feels, and knows the cause of its decline.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.demo.world import Cause, SimulatedAccount

STATING_DAYS, STATING = 61, 0.4
"""Owners state their sentiment every two months, for this share of the accounts."""
GOOD, BAD = 4, 2
NEUTRAL_SENTIMENT, PER_VALUE, MISJUDGING = 3.6, 1.6, 0.9
"""The sentiment at the usual value, and how it follows value; the rest is the owner's error."""
TASK_DAYS = 14
REASONS = {
    Cause.CHAMPION_LEFT: "The person who brought us in has left, and nobody has taken over.",
    Cause.FEATURE_NEVER_ADOPTED: "They pay for the larger plan and do not use what it added.",
    Cause.STUCK_IN_ONBOARDING: "They have not finished the set-up and have no time for it.",
    Cause.REACH_FELL: "They reach fewer of their customers and ask what they pay for.",
    Cause.PRICE_ROSE: "They compare our new price with two other offers.",
    Cause.SUPPORT_SLOW: "They waited for days for answers to their tickets and are upset.",
}
GOOD_REASON, NEUTRAL_REASON = "Our contacts are content and answer at once.", "Nothing special."
UNCLEAR_REASON = "They have become hard to reach; nobody says why."
TASKS = {
    Cause.CHAMPION_LEFT: "Find out who decides now",
    Cause.FEATURE_NEVER_ADOPTED: "Show what the larger plan added",
    Cause.STUCK_IN_ONBOARDING: "Finish the set-up together",
    Cause.REACH_FELL: "Look at their lists and their delivery together",
    Cause.PRICE_ROSE: "Prepare an offer for the renewal",
    Cause.SUPPORT_SLOW: "Apologize, and name a contact for support",
}
UNCLEAR_TASK = "Call to ask how things are going"


@dataclass(frozen=True, slots=True)
class Statement:
    """What an owner says about an account on a day. ``task``: what they then plan to do."""

    account_id: str
    owner: str
    day: int
    value: int
    reason: str
    task: str | None


def owner_statements(simulated: SimulatedAccount, days: int, *, seed: int) -> Iterator[Statement]:
    """Yield what the owner says while the account pays, in order of time."""
    profile, trajectory = simulated.profile, simulated.trajectory
    rng = np.random.default_rng((seed, 3, profile.number))
    if rng.random() >= STATING:
        return
    for day in range(profile.number * 17 % STATING_DAYS, min(days, trajectory.end), STATING_DAYS):
        felt = NEUTRAL_SENTIMENT + PER_VALUE * trajectory.value[day // 7]
        value = int(np.clip(round(rng.normal(felt, MISJUDGING)), 1, 5))
        cause = profile.cause if day >= profile.onset else Cause.NONE
        if day > profile.start + 30:
            yield Statement(
                account_id=simulated.account.account_id,
                owner=simulated.account.owner,
                day=day,
                value=value,
                reason=_reason(value, cause),
                task=TASKS.get(cause, UNCLEAR_TASK) if value <= BAD else None,
            )


def _reason(value: int, cause: Cause) -> str:
    if value >= GOOD:
        return GOOD_REASON
    return REASONS.get(cause, UNCLEAR_REASON) if value <= BAD else NEUTRAL_REASON
