"""The numbers that a measure can be made of: one line each, by name. Pure.

To add one: a line here, a test, a line in docs/score.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.engagement.snapshot import ENGAGEMENT_METRICS
from app.features.values import AccountFeatures
from app.health.definition.entitlement import Breadth


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as of a day, and what it has adopted of what it is entitled to."""

    account: AccountFeatures
    breadth: Breadth
    as_of: date


MetricFunction = Callable[[AccountFacts], float | None]
LARGEST_NUMBER = 1e15


@dataclass(frozen=True, slots=True)
class Metric:
    """``before`` is the same a window earlier, ``whole`` what it can be held against as a share."""

    value: MetricFunction
    before: MetricFunction | None = None
    whole: MetricFunction | None = None


def _since(day: Callable[[AccountFeatures], date | None]) -> MetricFunction:
    def days(facts: AccountFacts) -> float | None:
        found = day(facts.account)
        return None if found is None else float((facts.as_of - found).days)

    return days


def _until(day: Callable[[AccountFeatures], date | None]) -> MetricFunction:
    since = _since(day)

    def days(facts: AccountFacts) -> float | None:
        passed = since(facts)
        return None if passed is None else -passed

    return days


def _of(name: str) -> MetricFunction:
    return lambda facts: getattr(facts.account, name)


def _engaged(name: str) -> Metric:
    return Metric(lambda facts: facts.account.engagement.get(name))


def _mrr(facts: AccountFacts) -> float | None:
    return None if facts.account.no_rate else facts.account.mrr_cents / 100


METRICS: Mapping[str, Metric] = {
    "breadth": Metric(
        lambda facts: facts.breadth.now,
        lambda facts: facts.breadth.before,
        lambda facts: facts.breadth.entitled,
    ),
    "depth": Metric(_of("active_users"), _of("active_users_before"), _of("seats")),
    "reach": Metric(_of("reached"), _of("reached_before"), _of("end_customers")),
    "events": Metric(_of("events"), _of("events_before")),
    "active_days": Metric(_of("active_days"), _of("active_days_before")),
    "product_features": Metric(lambda facts: float(len(facts.account.adopted))),
    "seats": Metric(_of("seats")),
    "mrr": Metric(_mrr),
    "employees": Metric(_of("employees")),
    "end_customers": Metric(_of("end_customers")),
    "tenure_days": Metric(_since(lambda account: account.started_on)),
    "days_since_last_use": Metric(_since(lambda account: account.last_used_on)),
    "days_to_renewal": Metric(_until(lambda account: account.renewal_on)),
    **{name: _engaged(name) for name in ENGAGEMENT_METRICS},
}


def trait_number(value: Any, as_of: date, values: Mapping[str, float]) -> float | None:  # noqa: ANN401 - any JSON value
    """Read a trait as a number: itself, what its text stands for, or the days since its day.

    True is 1 and false is 0, unless the values say otherwise.
    """
    text = str(value).lower() if isinstance(value, bool) else value
    if isinstance(text, str) and text in values:
        return values[text]
    if not isinstance(value, int | float | str):
        return None
    try:
        return _finite(float(value))
    except ValueError:
        return _days_since(str(value), as_of)
    except OverflowError:
        return None


def _finite(number: float) -> float | None:
    """Larger numbers than a setting can name stand for nothing that can be judged."""
    return number if abs(number) <= LARGEST_NUMBER else None


def _days_since(text: str, as_of: date) -> float | None:
    try:
        return float((as_of - date.fromisoformat(text[:10])).days)
    except ValueError:
        return None
