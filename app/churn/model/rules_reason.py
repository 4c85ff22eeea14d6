"""Why churn risks are by rules, not by a model. Pure and light: the API loads it."""

from dataclasses import dataclass

MIN_CHURNED = 8
"""With fewer churned accounts only rules apply."""

RULES_CODES = (
    *("not_trained", "short_history", "too_few_churned", "nobody_stayed", "training_failed"),
    *("shadow", "degraded", "rolled_back", "not_applied"),
)


@dataclass(frozen=True, slots=True)
class RulesReason:
    """Why risks are by rules, not by a model. ``churned``: accounts observed to churn, if few.

    ``code``: one of ``RULES_CODES``.
    """

    code: str
    churned: int | None = None
