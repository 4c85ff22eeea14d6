"""The accounts of an invented messaging company and the hidden weekly state behind their events.

Nothing here knows how the product scores: notice follows from this file's own value per dollar.
Days are counted from the first simulated day, so an account that was there before starts below 0.
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
EVENTS_A_WEEK = 18.4
"""Mean over accounts; with 300 accounts and 548 days it gives about 400,000 events."""
YEAR, BILLING_DAYS, RENEWAL_DAYS, SETTLING_DAYS = 365, 30, 60, 45
PATIENCE_WEEKS = 6
"""People leave over what they have felt for weeks, not over one bad week."""
BASE_HAZARD, MAX_HAZARD, STEEPNESS = 0.0012, 0.12, 4.6
VETERAN_SHARE, RECENT_SHARE = 0.64, 0.4
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
class Harm:
    """What a cause takes away at strength 1 (shares), in how many weeks, and how leavers put it."""

    usage: float
    reach: float
    trust: float
    weeks: float
    reason: str


HARM = {
    Cause.NONE: Harm(0, 0, 0, 1, "business_closed"),
    Cause.CHAMPION_LEFT: Harm(0.65, 0.30, 0.30, 5, "no_owner"),
    Cause.FEATURE_NEVER_ADOPTED: Harm(0.45, 0.20, 0.55, 8, "not_needed"),
    Cause.STUCK_IN_ONBOARDING: Harm(0.75, 0.40, 0.15, 3, "hard_to_set_up"),
    Cause.REACH_FELL: Harm(0.35, 0.95, 0.40, 4, "too_few_results"),
    Cause.PRICE_ROSE: Harm(0.30, 0.10, 0.50, 6, "too_expensive"),
    Cause.SUPPORT_SLOW: Harm(0.50, 0.15, 0.65, 6, "poor_support"),
}


@dataclass(frozen=True, slots=True)
class ProductFeature:
    """What the product can do; `differentiating` sets it apart from others."""

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
"""What an upgrade from a plan is for."""


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

    `about`: the user who leaves, the product feature never adopted, the step never done.
    `fit`: log of its usage over that of its peers. `pool`: end customers it is in touch with.
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
    weekly: float
    fit: float
    growth: float
    pool: float


@dataclass(frozen=True, slots=True)
class Course:
    """By week: expected events, share of end customers reached, how far the decline has come."""

    usage: Floats
    reach: Floats
    hurt: Floats
    notice: int
    end: int


def profiles(rng: Generator, count: int, days: int) -> list[Profile]:
    """Draw the accounts; each of the six causes comes to one in twenty of them."""
    each = count // 20
    causes = [cause for cause in list(Cause)[1:] for _ in range(each)]
    causes += [Cause.NONE] * (count - len(causes))
    drawn = [
        profile(number, causes[place], days, rng, recent=place % max(each, 1) < RECENT_SHARE * each)
        for number, place in enumerate(rng.permutation(count).tolist(), start=1)
    ]
    factor = EVENTS_A_WEEK / float(np.mean([one.weekly for one in drawn]))
    return [replace(one, weekly=one.weekly * factor, pool=one.pool * factor) for one in drawn]


def profile(number: int, cause: Cause, days: int, rng: Generator, *, recent: bool) -> Profile:
    size, fit = rng.normal(), rng.normal(0, 0.5)
    seats = float(np.clip(np.exp(2.6 + 0.6 * size + rng.normal(0, 0.4)), 3, 100))
    price = round(np.clip(np.exp(6.2 + 0.65 * size + rng.normal(0, 0.45)), 99, 2600))
    plan = int(np.digitize(price, PLAN_PRICES))
    plan = min(plan, 1) if cause is Cause.FEATURE_NEVER_ADOPTED else plan
    weekly, onset = price**0.8 * np.exp(fit), onset_day(days, rng, recent=recent)
    return Profile(
        number=number,
        cause=cause,
        onset=onset,
        strength=float(np.clip(rng.beta(2.6, 1.6), 0.15, 1)) if cause is not Cause.NONE else 0.0,
        about=about(number, cause, plan),
        start=start_day(cause, onset, days, rng),
        employees=int(np.clip(np.exp(4.9 + 1.5 * size + rng.normal(0, 0.5)), 5, 20_000)),
        seats=int(seats),
        users=int(np.clip(seats * rng.uniform(0.4, 1.0), 2, 60)),
        price=price,
        plan=plan,
        weekly=weekly,
        fit=fit,
        growth=rng.normal(0.003, 0.003),
        pool=1.5 * weekly * rng.uniform(0.7, 1.4),
    )


def onset_day(days: int, rng: Generator, *, recent: bool) -> int:
    margin = days * 120 // 548
    low, high = (days - margin, days - 7) if recent else (margin, days - margin)
    return int(rng.integers(low, high))


def start_day(cause: Cause, onset: int, days: int, rng: Generator) -> int:
    """Most were there before; a decline comes to who has been there for a while."""
    before = rng.random() < VETERAN_SHARE
    drawn = -int(rng.integers(0, 900)) if before else int(rng.integers(0, days - 21))
    if cause is Cause.STUCK_IN_ONBOARDING:
        return onset - 10
    return drawn if cause is Cause.NONE else min(drawn, onset - int(rng.integers(90, 150)))


def about(number: int, cause: Cause, plan: int) -> str:
    if cause is Cause.CHAMPION_LEFT:
        return user_key(number, 0)
    if cause is Cause.FEATURE_NEVER_ADOPTED:
        return UPGRADES[plan][number % 2]
    return STEPS[2 + number % 3] if cause is Cause.STUCK_IN_ONBOARDING else ""


def course(profile: Profile, days: int, price: Floats, gain: Floats, rng: Generator) -> Course:
    """Live through the weeks: price and gain (use bought along with it) as factors of the first."""
    weeks, harm = np.arange(len(price)), HARM[profile.cause]
    since = np.maximum(weeks - profile.onset / 7, 0)
    hurt = profile.strength * (1 - np.exp(-since / harm.weeks))
    reach = 1 - harm.reach * hurt
    mood = list(accumulate(rng.normal(0, 0.12, len(weeks)), lambda last, now: 0.75 * last + now))
    use = np.exp(mood + profile.growth * weeks) * gain * (1 - harm.usage * hurt)
    value = 0.5 * profile.fit + np.log(use * (1 - harm.trust * hurt) * np.sqrt(reach) / price)
    notice = first_notice(profile, value, rng)
    end = notice + BILLING_DAYS - (notice - profile.start) % BILLING_DAYS
    notice, end = (notice, end) if end < days else (NEVER, NEVER)
    learned = 1 - 0.7 * np.exp(-np.maximum(weeks - profile.start / 7, 0) / 3)
    return Course(profile.weekly * use * learned, reach, hurt, notice, end)


def first_notice(profile: Profile, value: Floats, rng: Generator) -> int:
    """Draw the day of notice, or NEVER, from a weekly hazard in the log of value per dollar.

    Who declines is still there when it begins; renewals put the question twice as often.
    """
    felt = list(accumulate(value, lambda last, now: last + (now - last) / PATIENCE_WEEKS))
    days = 7 * np.arange(len(value)) + rng.integers(0, 7, len(value))
    renewing = (profile.start - days) % YEAR < RENEWAL_DAYS
    hazard = np.minimum(BASE_HAZARD * np.exp(-STEEPNESS * np.array(felt)), MAX_HAZARD)
    settled = days > max(profile.start + SETTLING_DAYS, profile.onset if profile.strength else 0)
    gone = settled & (rng.random(len(value)) < hazard * np.where(renewing, 2.0, 0.8))
    return int(days[gone.argmax()]) if gone.any() else NEVER


def user_key(number: int, user: int) -> str:
    return f"user_{number:04d}_{user + 1:02d}"
