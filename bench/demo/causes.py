"""Whether the right signal shows a planted cause, in simulated worlds of unseen seeds."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.demo.world import Cause
from app.health.scoring.service import load_signals
from app.signals.signal import Severity, Signal
from bench.demo.worlds import (
    MAX_UNAFFECTED,
    MIN_AFFECTED,
    Observations,
    Sizes,
    observe_worlds,
    select_by_cause,
    share_of_accounts,
)
from bench.results import Result
from bench.rig.rig import Rig

EXPECTED_SIGNALS: Mapping[Cause, str] = {
    Cause.CHAMPION_LEFT: "champion_inactive",
    Cause.FEATURE_NEVER_ADOPTED: "paid_feature_unused",
    Cause.STUCK_IN_ONBOARDING: "onboarding_stuck",
    Cause.REACH_FELL: "reach_falling",
    Cause.PRICE_ROSE: "price_rise",
    Cause.SUPPORT_SLOW: "support_slow",
}


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    observations = observe_worlds(rig, "signals", sizes, _load_signals)
    return [
        result
        for cause in EXPECTED_SIGNALS
        for result in _results(cause, observations, sizes.observed_days)
    ]


def _load_signals(
    session: Session, workspace_id: str, ids: Sequence[str], as_of: date, now: datetime
) -> Mapping[str, Sequence[Signal]]:
    return load_signals(session, workspace_id, ids, as_of=as_of, now=now)


def leading_signal(signals: Sequence[Signal]) -> str | None:
    """Return the name of the first signal if it is severe enough to act on."""
    first = signals[0] if signals else None
    return first.name if first and first.severity.rank >= Severity.MEDIUM.rank else None


def _results(
    cause: Cause, observations: Observations[Sequence[Signal]], days: int
) -> Iterator[Result]:
    name = EXPECTED_SIGNALS[cause]
    affected = select_by_cause(observations, cause)
    unaffected = select_by_cause(observations, Cause.NONE)
    active = share_of_accounts(affected, lambda signals: name in {s.name for s in signals})
    leads = share_of_accounts(affected, lambda signals: leading_signal(signals) == name)
    wrong = share_of_accounts(unaffected, lambda signals: leading_signal(signals) == name)
    yield Result(
        f"{cause}: {name} leads within {days} days",
        leads,
        f"{leads:.0%} of {len(affected)}",
        f"active for {active:.0%}",
        f"≥ {MIN_AFFECTED:.0%}",
        leads >= MIN_AFFECTED,
    )
    yield Result(
        f"{name} leads without a cause",
        wrong,
        f"{wrong:.0%} of {len(unaffected)}",
        "",
        f"≤ {MAX_UNAFFECTED:.0%}",
        wrong <= MAX_UNAFFECTED,
    )
