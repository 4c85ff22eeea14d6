"""Who was right when owner and score disagreed: counts, and the interval of the share. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from app.collaboration.agreement import GOOD, Agreement
from app.health.scoring.assess import HealthStatus

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class DecidedDisagreement:
    """A statement that disagreed with the band of its day, and the status of the account later.

    ``at_horizon``, ``after_grace``: None where the account had no score.
    """

    account_id: str
    value: int
    day: date
    at_horizon: str | None
    after_grace: str | None

    @property
    def direction(self) -> Agreement:
        return Agreement.OPTIMISTIC if self.value >= GOOD else Agreement.PESSIMISTIC

    @property
    def has_left(self) -> bool | None:
        """Whether the account had left, and did not return within the grace; None if unknown."""
        if self.at_horizon is None:
            return None
        return self.at_horizon == HealthStatus.CHURNED == self.after_grace

    @property
    def owner_was_right(self) -> bool | None:
        if self.has_left is None:
            return None
        return self.has_left == (self.direction is Agreement.PESSIMISTIC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often the owner was right. The share has an exact 95 % interval, ``low`` to ``high``."""

    n: int
    owner_right: int
    score_right: int
    unknown: int
    share: float | None
    low: float | None
    high: float | None


def count_verdicts(
    statements: Iterable[DecidedDisagreement], horizon: int
) -> dict[Agreement, Verdict]:
    """Count by direction. ``statements``: by account and time.

    A statement about an account within the horizon of an earlier one has the same outcome: it is
    not counted again.
    """
    counted: dict[Agreement, list[bool | None]] = {
        Agreement.OPTIMISTIC: [],
        Agreement.PESSIMISTIC: [],
    }
    last: dict[tuple[str, Agreement], date] = {}
    for each in statements:
        key = (each.account_id, each.direction)
        if key in last and each.day < last[key] + timedelta(days=horizon):
            continue
        last[key] = each.day
        counted[each.direction].append(each.owner_was_right)
    return {direction: _verdict(outcomes) for direction, outcomes in counted.items()}


def _verdict(outcomes: list[bool | None]) -> Verdict:
    owner, score = outcomes.count(True), outcomes.count(False)
    unknown, n = outcomes.count(None), owner + score
    if not n:
        return Verdict(0, 0, 0, unknown, None, None, None)
    low, high = exact_interval(owner, n)
    return Verdict(n, owner, score, unknown, round(owner / n, 4), low, high)


def exact_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson: it holds for any number of trials."""
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="exact")
    return round(float(interval.low), 4), round(float(interval.high), 4)
