"""Simulate a B2B messaging company: accounts, contracts, events, and the truth about who declines.

The same seed and last day give the same bytes. Nothing of the product's maths is known here.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import date, timedelta
from itertools import accumulate, cycle, product

import numpy as np
from numpy.random import Generator

from app.demo.activity import Call, Life, calls
from app.demo.world import (
    HARM,
    NEVER,
    PLANS,
    PRODUCT_FEATURES,
    YEAR,
    Account,
    Cause,
    Floats,
    Plan,
    ProductFeature,
    Profile,
    course,
    profiles,
)

ACCOUNTS, DAYS = 300, 548
MIN_PRICE, MAX_PRICE, MIN_SEATS, MAX_SEATS = 99, 4000, 3, 120
WORDS = "Vel Quin Brind Hark Tams Norr Pell Zand Lum Corv Drell Fern Gald Imb Jorv Kest Larn Orl"
ENDINGS = "taro elow ilane owin erley uddle endrick ombury askell avane uthwick ellyn ingdale oxley"
INDUSTRIES = ("retail", "health", "travel", "education", "logistics", "finance", "real estate")
OWNERS = ("Ines Okafor", "Tomas Lindqvist", "Priya Raman", "Caleb Moreau", "Yuki Hartmann")
SEGMENTS, SEGMENT_EMPLOYEES = ("smb", "mid_market", "enterprise"), (100, 750)
EXPANDING, SHRINKING, HONESTY = 0.5, 0.2, 0.6
"""Shares of accounts that buy more, and of decliners that buy less or give their true reason."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What an account pays in one period; a change of terms or a renewal starts the next one.

    `ends_on` is no longer paid. Only an account that left has `end_known_on`, the day of notice.
    """

    account_id: str
    subscription_id: str
    plan: str
    mrr_cents: int
    currency: str
    seats: int
    starts_on: date
    renewal_on: date
    known_on: date
    ends_on: date | None
    end_reason: str | None
    end_known_on: date | None


@dataclass(frozen=True, slots=True)
class Truth:
    """Why an account declined; `about` names the user, product feature or step concerned."""

    account_id: str
    cause: str
    onset_on: date | None
    strength: float
    churned_on: date | None
    about: str


@dataclass(frozen=True, slots=True)
class World:
    first_day: date
    last_day: date
    accounts: tuple[Account, ...]
    plans: tuple[Plan, ...]
    product_features: tuple[ProductFeature, ...]
    subscriptions: tuple[Subscription, ...]
    truth: tuple[Truth, ...]
    lives: tuple[Life, ...] = field(repr=False, compare=False)
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds from a day on, `gain` being use bought along; a change has factors and a step."""

    day: int
    why: str
    price: float = 1.0
    seats: float = 1.0
    gain: float = 1.0
    plan: int = 0


def simulate(*, seed: int, last_day: date, accounts: int = ACCOUNTS, days: int = DAYS) -> World:
    """Make a world of so many days (60 or more) up to `last_day`; `events` tells what happens."""
    first_day = last_day - timedelta(days=days - 1)
    rng = np.random.default_rng((seed, 0))
    names = [start + end for start, end in product(WORDS.split(), ENDINGS.split())]
    named = cycle(rng.permutation(names).tolist())
    made = [
        live(profile, name, first_day, days, np.random.default_rng((seed, 1, profile.number)))
        for profile, name in zip(profiles(rng, accounts, days), named, strict=False)
    ]
    lives = tuple(life for life, _ in made)
    return World(
        first_day=first_day,
        last_day=last_day,
        accounts=tuple(life.account for life in lives),
        plans=PLANS,
        product_features=PRODUCT_FEATURES,
        subscriptions=tuple(row for _, rows in made for row in rows),
        truth=tuple(row for life in lives if (row := truth(life, first_day))),
        lives=lives,
    )


def events(world: World, *, seed: int) -> Iterator[tuple[date, list[Call]]]:
    """Yield the calls of each day in order, as a Segment SDK would send them."""
    days = (world.last_day - world.first_day).days + 1
    return calls(world.lives, world.first_day, days, seed)


def truth_csv(world: World) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Truth))
    writer.writerows(astuple(row) for row in world.truth)
    return text.getvalue()


def live(
    profile: Profile, name: str, first_day: date, days: int, rng: Generator
) -> tuple[Life, list[Subscription]]:
    """Live one account's life; list the periods of its subscription."""
    agreed = agreements(profile, days, rng)
    ran = course(profile, days, *weekly(agreed, days), rng)
    kept = [terms for terms in agreed if terms.day < ran.notice]
    account = Account(
        account_id=f"acct_{profile.number:04d}",
        name=name,
        segment=SEGMENTS[int(np.digitize(profile.employees, SEGMENT_EMPLOYEES))],
        industry=str(rng.choice(INDUSTRIES)),
        owner=str(rng.choice(OWNERS)),
        employees=profile.employees,
        end_customers=max(10, round(profile.pool / rng.uniform(0.15, 0.5))),
        started_on=first_day + timedelta(days=profile.start),
        plan=PLANS[kept[-1].plan].key,
    )
    joins = profile.start + np.sort(rng.integers(0, YEAR, profile.users))
    joins[:2] = profile.start
    first_days = {terms.plan: terms.day for terms in reversed(kept)}
    plans = tuple(sorted((day, plan) for plan, day in first_days.items()))
    life = Life(account, profile, ran, plans, joins)
    return life, periods(life, kept, first_day, rng)


def periods(life: Life, kept: list[Terms], first: date, rng: Generator) -> list[Subscription]:
    honest = rng.random() < HONESTY
    put = HARM[life.profile.cause if honest else Cause(rng.choice(list(Cause)))].reason
    ends = [(terms.day, terms.why, NEVER) for terms in kept[1:]]
    ends.append((life.course.end, put, life.course.notice))
    return [
        Subscription(
            account_id=life.account.account_id,
            subscription_id=f"sub_{life.profile.number:04d}",
            plan=PLANS[terms.plan].key,
            mrr_cents=100 * int(terms.price),
            currency="USD",
            seats=int(terms.seats),
            starts_on=(starts_on := first + timedelta(days=terms.day)),
            ends_on=on(first, end),
            renewal_on=starts_on + timedelta(days=YEAR - (terms.day - life.profile.start) % YEAR),
            end_reason=None if end == NEVER else why,
            known_on=starts_on,
            end_known_on=on(first, notice),
        )
        for terms, (end, why, notice) in zip(kept, ends, strict=True)
    ]


def on(first_day: date, day: int) -> date | None:
    return None if day == NEVER else first_day + timedelta(days=day)


def truth(life: Life, first_day: date) -> Truth | None:
    """Tell the cause of who declines or leaves; the others need no row."""
    profile, end = life.profile, life.course.end
    calm = profile.cause is Cause.NONE
    if calm and end == NEVER:
        return None
    return Truth(
        account_id=life.account.account_id,
        cause=profile.cause.value,
        onset_on=None if calm else on(first_day, profile.onset),
        strength=round(profile.strength, 3),
        churned_on=on(first_day, end),
        about=profile.about,
    )


def agreements(profile: Profile, days: int, rng: Generator) -> list[Terms]:
    """List the terms in order, as if nobody ever left."""
    first = Terms(profile.start, "start", profile.price, profile.seats, plan=profile.plan)
    by_day = {change.day: change for change in changes(profile, days, rng) if change.day < days}
    return list(accumulate((by_day[day] for day in sorted(by_day)), agree, initial=first))


def agree(last: Terms, change: Terms) -> Terms:
    return Terms(
        day=change.day,
        why=change.why,
        price=min(max(round(last.price * change.price), MIN_PRICE), MAX_PRICE),
        seats=min(max(round(last.seats * change.seats), MIN_SEATS), MAX_SEATS),
        gain=last.gain * change.gain,
        plan=last.plan + change.plan,
    )


def changes(profile: Profile, days: int, rng: Generator) -> Iterator[Terms]:
    """Yield the changes of terms; of two on one day the later holds."""
    for day in range(profile.start + YEAR, days, YEAR):
        yield Terms(day, "renewal", price=1 + max(0.0, rng.uniform(-0.05, 0.05)))
    calm, onset, strength = profile.cause is Cause.NONE, profile.onset, profile.strength
    day = int(rng.integers(30, days))
    if rng.random() < EXPANDING and profile.start + 60 < day < (days if calm else onset):
        up = int(calm and profile.plan < len(PLANS) - 1 and day % 2)
        why, seats = ("plan_change", 1.0) if up else ("seat_change", 1.25)
        yield Terms(day, why, price=1.3, seats=seats, gain=1.25, plan=up)
    if profile.cause is Cause.PRICE_ROSE:
        yield Terms(onset, "price_change", price=1.15 + 0.5 * strength)
    if profile.cause is Cause.FEATURE_NEVER_ADOPTED:
        yield Terms(onset, "plan_change", price=1.15 + 0.4 * strength, plan=1)
    if rng.random() < SHRINKING * (not calm):
        yield Terms(onset + int(rng.integers(40, 120)), "seat_change", price=0.8, seats=0.75)


def weekly(agreed: Sequence[Terms], days: int) -> tuple[Floats, Floats]:
    """Give price and gain on the first day of each week, as factors of the first."""
    starts = range(0, days, 7)
    ruling = np.maximum(np.searchsorted([terms.day for terms in agreed], starts, "right") - 1, 0)
    factors = np.array([(terms.price, terms.gain) for terms in agreed])[ruling]
    factors /= factors[0]
    return factors[:, 0], factors[:, 1]
