"""What signals are made of: all that is known of one account as of a day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.engagement.snapshot import Engagement
from app.features.values import AccountFeatures

WEEKS, SPANS, SPAN_DAYS = 13, 6, 14
QUARTER_DAYS, RECENT_DAYS = 7 * WEEKS, 28
"""Weeks of 7 and spans of 14 days hold each weekday equally often, and end on the same day."""


@dataclass(frozen=True, slots=True)
class Champion:
    """Who was named so, else the most active user of the last quarter until four weeks ago."""

    user_id: str
    active_days: int
    first_day: date
    last_day: date
    event_share: float
    """Of all events of the account until four weeks ago."""
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class UsePeriod:
    """The first and the last day of use within the quarter."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Activity:
    """Use in the quarter up to a day; of weeks and spans the newest comes first.

    ``users`` and ``reached`` are counted in spans, ``uses`` is by product feature.
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
    """The first day of an event that stands for first value."""


@dataclass(frozen=True, slots=True)
class SubscriptionPeriod:
    """One period of a subscription. ``ends_on`` is the first day without it."""

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
    """What could not be collected and is owed still, in one currency."""

    currency: str
    invoices: int
    amount_due_cents: int
    failed_on: date


@dataclass(frozen=True, slots=True)
class UnusedPaidFeature:
    """A product feature that is paid for and not adopted; ``cents`` of the price a month."""

    key: str
    share: float
    cents: int | None


@dataclass(frozen=True, slots=True)
class OverLimit:
    name: str
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """What the score says of an account, as plain values.

    ``scores``: of breadth, depth and reach among peers and for the price, where all that is known.
    ``is_scored``: neither new, nor excluded, nor churned.
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
    """``through`` is the last whole day: what is compared with the past ends there.

    ``plans``: the product features that each plan names; none named means all.
    """

    as_of: date
    through: date
    worth: ScoreInputs
    activity: Activity = NO_ACTIVITY
    terms: Sequence[SubscriptionPeriod] = ()
    failed_invoices: Sequence[FailedInvoices] = ()
    plans: Mapping[str, frozenset[str]] = field(default_factory=dict)
    engagement: Engagement = NO_ENGAGEMENT
    signed_up_on: date | None = None
    """Of the contract, the trial or the first use the earliest."""
    uses_goals: bool = False
    """Whether the workspace agrees on goals at all."""
    passed: Mapping[int, date] = field(default_factory=dict)
    """Numbers of milestone events that were passed lately, and when."""

    @property
    def account(self) -> AccountFeatures:
        return self.worth.features

    def days_since(self, day: date) -> int:
        return (self.through - day).days
