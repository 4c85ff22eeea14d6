"""The accounts of an invented messaging company and the hidden weekly state behind their events.

Nothing here uses the product's own score: an account gives notice by this file's own value per
dollar. Days are numbered from the first simulated day; an account that existed before it has a
negative first day.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import accumulate

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEVER = 1 << 40
EVENTS_PER_WEEK = 12.0
"""Mean over accounts; with 600 accounts and 548 days it gives about 500,000 events."""
EARLIEST_ONSET, LATER_DAYS = -180, 90
"""The simulation goes on for so many days after the last day that is shown."""
YEAR, BILLING_DAYS, RENEWAL_DAYS, MIN_TENURE_DAYS = 365, 30, 60, 45
PATIENCE_WEEKS = 6
"""Accounts leave because of what they experience for weeks, not because of one bad week."""
BASE_HAZARD, MAX_HAZARD, STEEPNESS = 0.0004, 0.12, 5.5
UNEXPLAINED_HAZARD = 0.0006
"""The weekly hazard of leaving for a reason that shows nowhere: 3 % a year."""
EXISTING_SHARE = 0.64
"""The share of accounts that existed before the first day."""
STEPS = ("account", "channel", "contacts", "first_template", "first_broadcast", "team")


class Cause(StrEnum):
    NONE = "none"
    CHAMPION_LEFT = "champion_left"
    FEATURE_NEVER_ADOPTED = "feature_never_adopted"
    STUCK_IN_ONBOARDING = "stuck_in_onboarding"
    REACH_FELL = "reach_fell"
    PRICE_ROSE = "price_rose"
    SUPPORT_SLOW = "support_slow"


@dataclass(frozen=True, slots=True)
class CauseEffect:
    """The shares of usage, reach and trust that a cause takes away at strength 1.

    `weeks`: how fast. `reason`: the reason that the account gives when it leaves.
    """

    usage: float
    reach: float
    trust: float
    weeks: float
    reason: str


EFFECTS = {
    Cause.NONE: CauseEffect(0, 0, 0, 1, "business_closed"),
    Cause.CHAMPION_LEFT: CauseEffect(0.65, 0.30, 0.30, 5, "no_owner"),
    Cause.FEATURE_NEVER_ADOPTED: CauseEffect(0.45, 0.20, 0.55, 8, "not_needed"),
    Cause.STUCK_IN_ONBOARDING: CauseEffect(0.75, 0.40, 0.15, 3, "hard_to_set_up"),
    Cause.REACH_FELL: CauseEffect(0.35, 0.95, 0.40, 4, "too_few_results"),
    Cause.PRICE_ROSE: CauseEffect(0.30, 0.10, 0.50, 6, "too_expensive"),
    Cause.SUPPORT_SLOW: CauseEffect(0.50, 0.15, 0.65, 6, "poor_support"),
}


@dataclass(frozen=True, slots=True)
class ProductFeature:
    """A feature of the product; `differentiating`: competitors do not have it."""

    key: str
    name: str
    event_names: tuple[str, ...]
    weight: float = 1.0
    differentiating: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    key: str
    name: str
    product_features: tuple[str, ...]


PRODUCT_FEATURES = (
    ProductFeature("send_message", "Send message", ("Message Sent",)),
    ProductFeature("inbox", "Inbox", ("Reply Sent", "Conversation Closed")),
    ProductFeature("broadcast", "Broadcast", ("Broadcast Sent",)),
    ProductFeature("templates", "Templates", ("Template Created", "Template Used")),
    ProductFeature("contact_import", "Contact import", ("Contacts Imported",)),
    ProductFeature("segments", "Segments", ("Segment Used",)),
    ProductFeature("export", "Export", ("Data Exported",)),
    ProductFeature("automation", "Automation", ("Automation Triggered",), 2, differentiating=True),
    ProductFeature("analytics", "Analytics", ("Report Viewed",), 1.5, differentiating=True),
    ProductFeature("integrations", "Integrations", ("Integration Synced",)),
    ProductFeature("team_roles", "Team roles", ("Role Assigned",), 0.5),
    ProductFeature("api", "API", ("API Message Sent",)),
    ProductFeature("chatbot", "Chatbot", ("Chatbot Answered",), 2, differentiating=True),
    ProductFeature("payments", "Payments", ("Payment Link Sent",), 2, differentiating=True),
)
KEYS = tuple(feature.key for feature in PRODUCT_FEATURES)
PLANS = (
    Plan("starter", "Starter", KEYS[:7]),
    Plan("growth", "Growth", KEYS[:11]),
    Plan("scale", "Scale", KEYS),
)
PLAN_PRICES = (300, 1000)
UPGRADES = (("automation", "analytics"), ("chatbot", "payments"))
"""The product features for which accounts upgrade from each plan."""


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    name: str
    segment: str
    industry: str
    owner: str
    employees: int
    end_customers: int
    started_on: date
    plan: str
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """The hidden constants of an account, with the cause of its decline.

    `about`: the user who leaves, the product feature never adopted, or the step never completed.
    `fit`: log of its usage relative to its peers. `pool`: end customers it is in contact with.
    """

    number: int
    cause: Cause
    onset: int
    strength: float
    about: str
    start: int
    employees: int
    seats: int
    users: int
    price: float
    plan: int
    weekly_events: float
    fit: float
    growth: float
    pool: float


@dataclass(frozen=True, slots=True)
class Trajectory:
    """By week: expected events, end customers reached, progress of the decline, value felt.

    `value`: the log of what it gets for its price, relative to others; it changes slowly. `notice`
    and `end` are the days on which the account gives notice and leaves, or NEVER.
    """

    usage: Floats
    reach: Floats
    decline: Floats
    value: Floats
    notice: int
    end: int


@dataclass(frozen=True, slots=True)
class SimulatedAccount:
    """`plans`: (first day, index in PLANS) of each plan. `joins`: the first day of each user."""

    account: Account
    profile: Profile
    trajectory: Trajectory
    plans: tuple[tuple[int, int], ...]
    joins: Ints


def draw_profiles(rng: Generator, count: int, days: int) -> list[Profile]:
    """Draw the accounts; each of the six causes affects one in twenty of them."""
    each = count // 20
    causes = [cause for cause in list(Cause)[1:] for _ in range(each)]
    causes += [Cause.NONE] * (count - len(causes))
    drawn = [
        _draw_profile(number, causes[place], days, rng)
        for number, place in enumerate(rng.permutation(count).tolist(), start=1)
    ]
    factor = EVENTS_PER_WEEK / float(np.mean([p.weekly_events for p in drawn]))
    return [replace(p, weekly_events=p.weekly_events * factor, pool=p.pool * factor) for p in drawn]


def _draw_profile(number: int, cause: Cause, days: int, rng: Generator) -> Profile:
    size, fit = rng.normal(), rng.normal(0, 0.5)
    seats = float(np.clip(np.exp(2.6 + 0.6 * size + rng.normal(0, 0.4)), 3, 100))
    price = round(np.clip(np.exp(6.2 + 0.65 * size + rng.normal(0, 0.45)), 99, 2600))
    plan = int(np.digitize(price, PLAN_PRICES))
    plan = min(plan, 1) if cause is Cause.FEATURE_NEVER_ADOPTED else plan
    weekly_events, onset = price**0.8 * np.exp(fit), _draw_onset(cause, days, rng)
    return Profile(
        number=number,
        cause=cause,
        onset=onset,
        strength=float(np.clip(rng.beta(2.6, 1.6), 0.15, 1)) if cause is not Cause.NONE else 0.0,
        about=_about(number, cause, plan),
        start=_draw_start(cause, onset, days, rng),
        employees=int(np.clip(np.exp(4.9 + 1.5 * size + rng.normal(0, 0.5)), 5, 20_000)),
        seats=int(seats),
        users=int(np.clip(seats * rng.uniform(0.4, 1.0), 2, 60)),
        price=price,
        plan=plan,
        weekly_events=weekly_events,
        fit=fit,
        growth=rng.normal(0.001, 0.003),
        pool=1.5 * weekly_events * rng.uniform(0.7, 1.4),
    )


def _draw_onset(cause: Cause, days: int, rng: Generator) -> int:
    """Draw the day on which a decline begins: any but the first ones, when nothing is usual yet.

    Accounts that get stuck begin then, so theirs is no later than a week before the last day.
    """
    until = days - 7 if cause is Cause.STUCK_IN_ONBOARDING else days + LATER_DAYS
    return int(rng.integers(EARLIEST_ONSET, until))


def _draw_start(cause: Cause, onset: int, days: int, rng: Generator) -> int:
    """Draw the first day: most accounts existed before; a decline begins only after some months."""
    existed = rng.random() < EXISTING_SHARE
    start = -int(rng.integers(0, 900)) if existed else int(rng.integers(0, days - 21))
    if cause is Cause.STUCK_IN_ONBOARDING:
        return onset - 10
    return start if cause is Cause.NONE else min(start, onset - int(rng.integers(90, 150)))


def _about(number: int, cause: Cause, plan: int) -> str:
    if cause is Cause.CHAMPION_LEFT:
        return user_id(number, 0)
    if cause is Cause.FEATURE_NEVER_ADOPTED:
        return UPGRADES[plan][number % 2]
    return STEPS[2 + number % 3] if cause is Cause.STUCK_IN_ONBOARDING else ""


def simulate_weeks(
    profile: Profile, days: int, price: Floats, gain: Floats, rng: Generator
) -> Trajectory:
    """Simulate the weeks; price and gain (usage bought with it) are factors of the first week's."""
    weeks, effect = np.arange(len(price)), EFFECTS[profile.cause]
    since_onset = np.maximum(weeks - profile.onset / 7, 0)
    decline = profile.strength * (1 - np.exp(-since_onset / effect.weeks))
    reach = 1 - effect.reach * decline
    mood = list(accumulate(rng.normal(0, 0.12, len(weeks)), lambda last, now: 0.75 * last + now))
    use = np.exp(mood + profile.growth * weeks) * gain * (1 - effect.usage * decline)
    value = 0.5 * profile.fit + np.log(use * (1 - effect.trust * decline) * np.sqrt(reach) / price)
    felt = accumulate(value, lambda last, now: last + (now - last) / PATIENCE_WEEKS)
    value = np.array(list(felt))
    notice = _draw_notice(profile, value, rng)
    end = notice + BILLING_DAYS - (notice - profile.start) % BILLING_DAYS
    notice, end = (notice, end) if end < days else (NEVER, NEVER)
    learned = 1 - 0.7 * np.exp(-np.maximum(weeks - profile.start / 7, 0) / 3)
    return Trajectory(profile.weekly_events * use * learned, reach, decline, value, notice, end)


def _draw_notice(profile: Profile, value: Floats, rng: Generator) -> int:
    """Draw the day of notice, or NEVER: the weekly hazard falls with the value felt.

    A declining account stays at least until its onset. The hazard doubles before a renewal.
    """
    days = 7 * np.arange(len(value)) + rng.integers(0, 7, len(value))
    renewing = (profile.start - days) % YEAR < RENEWAL_DAYS
    hazard = np.minimum(BASE_HAZARD * np.exp(-STEEPNESS * value), MAX_HAZARD)
    hazard += UNEXPLAINED_HAZARD
    onset = profile.onset if profile.strength else 0
    can_leave = days > max(profile.start + MIN_TENURE_DAYS, onset)
    leaves = can_leave & (rng.random(len(value)) < hazard * np.where(renewing, 2.0, 0.8))
    return int(days[leaves.argmax()]) if leaves.any() else NEVER


def user_id(account_number: int, user: int) -> str:
    return f"user_{account_number:04d}_{user + 1:02d}"
