"""The metrics that a measure can use as its source, one line each, by name. Pure.

To add one: a line here, its name in ``explanations/sentences.en.ftl`` and ``.zh.ftl``, a test, and
a line in docs/score.md.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.accounts.traits import check_digits, is_ambiguous
from app.engagement.snapshot import ENGAGEMENT_METRICS
from app.features.values import AccountFeatures
from app.health.definition.entitlement import Breadth


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The features of an account as of a day, and its adoption of entitled product features."""

    account: AccountFeatures
    breadth: Breadth
    as_of: date


MetricFunction = Callable[[AccountFacts], float | None]
LARGEST_NUMBER = 1e15
"""No scorecard can be configured with a larger number; a trait above it is unknown."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Functions that compute a metric of an account.

    ``before``: the value one window earlier. ``whole``: the total that ``value`` is a share of.
    """

    value: MetricFunction
    before: MetricFunction | None = None
    whole: MetricFunction | None = None


def _days_since(name: str, sign: int = 1) -> MetricFunction:
    """Return a metric: the days since the day in a feature; with ``sign`` -1, until that day."""

    def days(facts: AccountFacts) -> float | None:
        day: date | None = getattr(facts.account, name)
        return None if day is None else float(sign * (facts.as_of - day).days)

    return days


def _feature(name: str) -> MetricFunction:
    return lambda facts: getattr(facts.account, name)


def _engagement(name: str) -> Metric:
    return Metric(lambda facts: facts.account.engagement.get(name))


def _mrr(facts: AccountFacts) -> float | None:
    cents = facts.account.mrr_cents
    return None if facts.account.no_rate or cents is None else cents / 100


METRICS: Mapping[str, Metric] = {
    "breadth": Metric(
        lambda facts: facts.breadth.now,
        lambda facts: facts.breadth.before,
        lambda facts: facts.breadth.entitled,
    ),
    "depth": Metric(_feature("active_users"), _feature("active_users_before"), _feature("seats")),
    "reach": Metric(_feature("reached"), _feature("reached_before"), _feature("end_customers")),
    "events": Metric(_feature("events"), _feature("events_before")),
    "active_days": Metric(_feature("active_days"), _feature("active_days_before")),
    "product_features": Metric(lambda facts: float(len(facts.account.adopted))),
    "seats": Metric(_feature("seats")),
    "mrr": Metric(_mrr),
    "employees": Metric(_feature("employees")),
    "end_customers": Metric(_feature("end_customers")),
    "tenure_days": Metric(_days_since("started_on")),
    "days_since_last_use": Metric(_days_since("last_used_on")),
    "days_to_renewal": Metric(_days_since("renewal_on", sign=-1)),
    **{name: _engagement(name) for name in ENGAGEMENT_METRICS},
}


def trait_number(value: Any, as_of: date, values: Mapping[str, float]) -> float | None:  # noqa: ANN401 - any JSON value
    """Convert a trait to a number: itself, the value mapped to its text, or the days since its day.

    True is 1 and false is 0 unless ``values`` maps them. Anything else is None, also the text
    "1.500": decimals or thousands?
    """
    text = str(value).lower() if isinstance(value, bool) else value
    if isinstance(text, str) and text in values:
        return values[text]
    if not isinstance(value, int | float | str) or is_ambiguous(value):
        return None
    with suppress(ValueError, OverflowError):
        check_digits(value)
        number = float(value)
        return number if abs(number) <= LARGEST_NUMBER else None
    with suppress(ValueError):
        return float((as_of - date.fromisoformat(str(value)[:10])).days)
    return None
