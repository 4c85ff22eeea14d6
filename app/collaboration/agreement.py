"""Whether the sentiment of an owner and the band of the score agree. Pure."""

from enum import StrEnum

from app.health.definition.scorecard import Band

GOOD, BAD = 4, 2
"""The lowest sentiment that is good, and the highest that is bad; between them it is neutral."""


class Agreement(StrEnum):
    """``optimistic``: the owner feels good about an account whose band is `at_risk`.

    ``pessimistic``: the owner feels bad about an account whose band is `healthy`. ``unknown``: the
    account has no score.
    """

    AGREES = "agrees"
    OPTIMISTIC = "optimistic"
    PESSIMISTIC = "pessimistic"
    UNKNOWN = "unknown"


def compare(value: int, band: str) -> Agreement:
    """Compare a sentiment with a band. Neutral sentiment and the band `watch` never disagree."""
    if band == Band.UNKNOWN:
        return Agreement.UNKNOWN
    if value >= GOOD and band == Band.AT_RISK:
        return Agreement.OPTIMISTIC
    if value <= BAD and band == Band.HEALTHY:
        return Agreement.PESSIMISTIC
    return Agreement.AGREES
