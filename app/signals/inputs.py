"""What signals are detected from: all that is known of one account as of a day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.engagement.snapshot import Engagement
from app.features.values import AccountFeatures

WEEKS, SPANS, SPAN_DAYS = 26, 13, 14
HALF_YEAR_DAYS, QUARTER_DAYS, RECENT_DAYS = 7 * WEEKS, 91, 28
"""Weeks and spans (of 14 days) contain each weekday equally often and end on the same day."""


@dataclass(frozen=True, slots=True)
class Champion:
    """The user with the role champion, else the one with most events until four weeks ago."""

    user_id: str
    active_days: int
    first_day: date
    last_day: date
    event_share: float
    """Share of all events of the account until four weeks ago."""
    is_named: bool = False
    """Whether the user has the role champion."""


@dataclass(frozen=True, slots=True)
class UsePeriod:
    """The first and the last day of use of a product feature within the quarter."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Activity:
    """Use in the half-year up to a day; the newest week or span comes first.

    ``weeks``: events by week. ``users``, ``reached``: active users and reached end customers by
    span of 14 days. ``uses``: first and last day of use within the quarter by product feature.
    """

    weeks: Sequence[int] = (0,) * WEEKS
    users: Sequence[int] = (0,) * SPANS
    reached: Sequence[int] = (0,) * SPANS
    active_days: int = 0
    first_day: date | None = None
    last_day: date | None = None
    champion: Champion | None = None
    uses: Mapping[str, UsePeriod] = field(default_factory=dict)
    key_action_on: date | None = None
    """The first day of an event that means first value."""


@dataclass(frozen=True, slots=True)
class SubscriptionPeriod:
    """One period of a subscription. ``ends_on``: the first day after it."""

    subscription_id: str
    starts_on: date
    ends_on: date | None
    plan: str | None
    mrr_cents: int
    currency: str
    seats: int | None
    end_reason: str | None = None


@dataclass(frozen=True, slots=True)
class FailedInvoices:
    """Invoices in one currency that could not be collected and are still unpaid."""

    currency: str
    invoices: int
    amount_due_cents: int
    failed_on: date


@dataclass(frozen=True, slots=True)
class UnusedPaidFeature:
    """A paid product feature that is not adopted; ``cents``: its part of the price per month."""

    key: str
    share: float
    cents: int | None


@dataclass(frozen=True, slots=True)
class OverLimit:
    """Use beyond a limit of the plan."""

    name: str
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """The parts of an account's health score that signals use, as plain values.

    ``scores``: price-adjusted scores of breadth, depth and reach among peers, where these exist.
    ``is_scored``: the status of the score is ``ok`` or ``overridden``.
    """

    features: AccountFeatures
    is_scored: bool = False
    health: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    unused: Sequence[UnusedPaidFeature] = ()
    idle_seats_cents: int | None = None
    over_limits: Sequence[OverLimit] = ()


NO_ACTIVITY, NO_ENGAGEMENT = Activity(), Engagement("")


@dataclass(frozen=True, slots=True)
class SignalInputs:
    """All that is known of one account. ``through``: the last whole day, where comparisons end.

    ``plans``: the product features of each plan; an empty set means all.
    """

    as_of: date
    through: date
    score: ScoreInputs
    activity: Activity = NO_ACTIVITY
    periods: Sequence[SubscriptionPeriod] = ()
    failed_invoices: Sequence[FailedInvoices] = ()
    plans: Mapping[str, frozenset[str]] = field(default_factory=dict)
    engagement: Engagement = NO_ENGAGEMENT
    signed_up_on: date | None = None
    """The earliest day of the contract, the trial or the first use."""
    share_with_goals: float = 0.0
    """The share of the paying accounts of the workspace that have had a goal."""
    milestones_passed: Mapping[int, date] = field(default_factory=dict)
    """Totals of milestone events that were reached in the last days, and the day of each."""
    known_from: date = date.min
    """The day of the first event that was ever received: use before it is unknown."""
    features_known_from: Mapping[str, date] = field(default_factory=dict)
    """By product feature: the first day of the sources that report its use."""
    base_currency: str | None = None
    """The currency of metrics that count money."""
    first_value_known_from: date = date.min
    """The first day of the sources that report what means first value."""

    @property
    def account(self) -> AccountFeatures:
        return self.score.features

    @property
    def is_window_known(self) -> bool:
        """Whether all use of the last four weeks is known."""
        return self.is_known_since(self.as_of - timedelta(days=RECENT_DAYS - 1))

    @property
    def first_known_day(self) -> date:
        """The day of the first event, or the day itself if none was received."""
        return min(self.known_from, self.as_of)

    def is_known_since(self, day: date) -> bool:
        """Return whether all use from a day on is known."""
        return self.known_from <= day

    def feature_known_from(self, key: str) -> date:
        """Return the day before which use of a product feature is unknown."""
        return self.features_known_from.get(key, self.known_from)

    def days_since(self, day: date) -> int:
        """Return the days from a day to the last whole day."""
        return (self.through - day).days
