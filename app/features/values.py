"""What is known of an account as of one day. Pure.

Scorecards and the churn model read nothing but these numbers. To score a past day as it looked on
that day, load the features as of that day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from app.core.months import RENEWAL_GRACE_DAYS

NOTICE_DAYS = 30


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """Pairs of an event name and the product feature whose use it counts as."""

    events: Sequence[tuple[str, str]]

    def names_by_feature(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = {}
        for name, feature in self.events:
            names.setdefault(feature, set()).add(name)
        return names


@dataclass(frozen=True, slots=True)
class ReachSource:
    """What reach counts: ``ids`` of end customers, a summed ``property``, or named ``events``."""

    kind: str = "ids"
    events: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EventCount:
    """The number of events of some names in the last ``days``, independent of the window."""

    events: Sequence[str]
    days: int

    @property
    def key(self) -> str:
        """A text that identifies the count: commas inside event names are escaped."""
        names = (name.replace("\\", "\\\\").replace(",", "\\,") for name in self.events)
        return f"{', '.join(names)} in {self.days} days"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Which features of accounts to load, and how to count them.

    ``traits``, ``signals``: the names to include. ``engagement``: whether to load the metrics of
    tickets, survey answers, onboarding and goals. ``notice_days``: the notice period of contracts
    that name none; no score depends on it. ``grace_days``: within how many days of its end a
    contract is renewed.
    """

    product: FeatureMap
    reach: ReachSource
    base_currency: str
    window_days: int
    traits: Sequence[str] = ()
    counts: Sequence[EventCount] = ()
    engagement: bool = False
    signals: Sequence[str] = ()
    notice_days: int = NOTICE_DAYS
    grace_days: int = RENEWAL_GRACE_DAYS


@dataclass(frozen=True, slots=True)
class AccountFeatures:
    """One account as of the end of a day. ``…_before``: the window before the last one.

    ``price_cents``: mean MRR over the paid days of the window; None without a paid day, or where
    the currency has no rate. ``mrr_cents`` and ``seats``: on the day itself. The MRR is None while
    a part of the price has no rate: the rest would pass for the whole. Prices are in the base
    currency; ``currency`` is the currency of the invoices. Dates are None where nothing happened.
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
    """The first day after the last paid day; None while the account pays or if it never paid."""
    pays: bool
    no_rate: bool
    price_cents: float | None
    mrr_cents: int | None
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
    """Events by ``EventCount.key``; a count of zero is left out."""
    notice_on: date | None = None
    """The last day on which notice for the next renewal can be given; see docs/signals.md."""
    engagement: Mapping[str, float] = field(default_factory=dict)
    """Engagement metrics by name; an unknown metric is left out."""
    signals: Mapping[str, int] = field(default_factory=dict)
    """Open signals by name with their severity, 1 (info) to 4 (high)."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Parse features stored with a score; fields that did not exist then get their defaults."""
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
    *("last_used_on", "first_used_on", "first_paid_on"),
    *("paid_until", "renewal_on", "notice_on"),
)


def _day(stored: str | None) -> date | None:
    return None if stored is None else date.fromisoformat(stored)


def known_mrr_cents(mrr_cents: int | None, details: Mapping[str, Any]) -> int | None:
    """Return the MRR of a stored score: None while a part of its price has no exchange rate."""
    return None if details.get("price_status") == "no_rate" else mrr_cents
