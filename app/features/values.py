"""The narrow waist of the product: what is known of an account as of one day.

Everything before this page makes these numbers. Everything after it, the scorecard and the
churn model alike, sees nothing else. To score the past as it looked then, ask for its day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """Which event names count as use of which product feature: pairs of the two."""

    events: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ReachSource:
    """What reach counts: ids of end customers, a summed property, or the number of some events."""

    kind: str = "ids"
    events: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EventCount:
    """The number of some events in the last days, whatever window else is looked at."""

    events: Sequence[str]
    days: int

    @property
    def key(self) -> str:
        """Commas inside names are marked, so that no two counts share a key."""
        names = (name.replace("\\", "\\\\").replace(",", "\\,") for name in self.events)
        return f"{', '.join(names)} in {self.days} days"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """How a workspace wants its accounts looked at.

    ``traits``, ``signals``: those to be taken along.
    ``engagement``: whether tickets, answers and the like are asked for.
    """

    product: FeatureMap
    reach: ReachSource
    base_currency: str
    window_days: int
    traits: Sequence[str] = ()
    counts: Sequence[EventCount] = ()
    engagement: bool = False
    signals: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AccountFeatures:
    """One account as of the end of a day. ``…_before`` is the window before the last one.

    price_cents: mean MRR over the paid days of the window, None without any or in a currency that
    has no rate. mrr_cents and seats are of the day itself. Prices are in the base currency,
    ``currency`` is what is billed in. Days are None where nothing happened.
    """

    account_id: str
    segment: str | None
    excluded: bool
    end_customers: int | None
    feature_exceptions: Mapping[str, bool]
    adopted: Sequence[str]
    adopted_before: Sequence[str]
    active_users: int
    active_users_before: int
    reached: int
    reached_before: int
    last_used_on: date | None
    first_used_on: date | None
    first_paid_on: date | None
    paid_until: date | None
    """The first day after the last paid one; None while paying or if never paid."""
    pays: bool
    no_rate: bool
    price_cents: float | None
    mrr_cents: int
    currency: str | None
    seats: int | None
    plan: str | None
    renewal_on: date | None
    industry: str | None = None
    owner: str | None = None
    employees: int | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    events: int = 0
    events_before: int = 0
    active_days: int = 0
    active_days_before: int = 0
    feature_events: Mapping[str, int] = field(default_factory=dict)
    """Events in the window by product feature."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """By the key of the ``EventCount``; what did not happen is not in it."""
    notice_on: date | None = None
    """The last day on which notice for the next renewal can be given."""
    engagement: Mapping[str, float] = field(default_factory=dict)
    """Numbers of tickets, answers and the like; what is not known is not in it."""
    signals: Mapping[str, int] = field(default_factory=dict)
    """Those that were open when the account was looked at, and how grave: 1 to 4."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what was stored with a score; what was not known of then keeps its default."""
        days = {name: _day(stored.get(name)) for name in DATE_FIELDS}
        return cls(**{**stored, **days})

    @property
    def started_on(self) -> date | None:
        days = [day for day in (self.first_used_on, self.first_paid_on) if day is not None]
        return min(days, default=None)

    @property
    def churned(self) -> bool:
        return not self.pays and self.paid_until is not None


DATE_FIELDS = (
    "last_used_on",
    "first_used_on",
    "first_paid_on",
    "paid_until",
    "renewal_on",
    "notice_on",
)


def _day(stored: str | None) -> date | None:
    return None if stored is None else date.fromisoformat(stored)
