"""Simulate a B2B messaging company: accounts, contracts, events, and the true causes of decline.

The same seed and last day give the same bytes. The product's own calculations are not used.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import date, timedelta
from itertools import accumulate, cycle, product

import numpy as np
from numpy.random import Generator

from app.demo.activity import daily_calls
from app.demo.engagement import Call
from app.demo.world import (
    EFFECTS,
    LATER_DAYS,
    NEVER,
    PLANS,
    YEAR,
    Account,
    Cause,
    Floats,
    Profile,
    SimulatedAccount,
    draw_profiles,
    simulate_weeks,
)

ACCOUNTS, DAYS = 600, 548
MIN_PRICE, MAX_PRICE, MIN_SEATS, MAX_SEATS = 99, 4000, 3, 120
SHOWING = timedelta(days=30)
"""A decline of this age shows."""
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

    `ends_on` is the first unpaid day. Only an account that left has `end_known_on`, the day of
    notice.
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
    subscriptions: tuple[Subscription, ...]
    truth: tuple[Truth, ...]
    simulated_accounts: tuple[SimulatedAccount, ...] = field(repr=False, compare=False)
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a contract from a day on. `gain`: usage relative to the first terms.

    In a change of terms, price, seats and gain are factors, and `plan` is the number of plans up.
    """

    day: int
    why: str
    price: float = 1.0
    seats: float = 1.0
    gain: float = 1.0
    plan: int = 0


def simulate(*, seed: int, last_day: date, accounts: int = ACCOUNTS, days: int = DAYS) -> World:
    """Simulate a world of 60 or more days up to `last_day`; `generate_calls` has its events."""
    first_day = last_day - timedelta(days=days - 1)
    rng = np.random.default_rng((seed, 0))
    names = [start + end for start, end in product(WORDS.split(), ENDINGS.split())]
    shuffled_names = cycle(rng.permutation(names).tolist())
    results = [
        _simulate_account(
            profile, name, first_day, days, np.random.default_rng((seed, 1, profile.number))
        )
        for profile, name in zip(draw_profiles(rng, accounts, days), shuffled_names, strict=False)
    ]
    simulated_accounts = tuple(simulated for simulated, _ in results)
    return World(
        first_day=first_day,
        last_day=last_day,
        accounts=tuple(simulated.account for simulated in simulated_accounts),
        subscriptions=tuple(row for _, rows in results for row in rows),
        truth=tuple(row for each in simulated_accounts if (row := _find_truth(each, first_day))),
        simulated_accounts=simulated_accounts,
    )


def generate_calls(world: World, *, seed: int) -> Iterator[tuple[date, list[Call]]]:
    """Yield the calls of each day in order, as a Segment SDK would send them."""
    days = (world.last_day - world.first_day).days + 1
    return daily_calls(world.simulated_accounts, world.first_day, days, seed)


def example_account(world: World) -> str:
    """Return an account to look at first: one that pays, and began to decline a month ago or more.

    Of several the latest; the same one on each day.
    """
    paying = {row.account_id for row in world.subscriptions if row.ends_on is None}
    until = world.last_day - SHOWING
    onsets = {row.account_id: row.onset_on for row in world.truth if row.account_id in paying}
    begun = {key: day for key, day in onsets.items() if day is not None and day <= until}
    return max(begun, key=begun.__getitem__) if begun else min(paying)


def truth_csv(world: World) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Truth))
    writer.writerows(astuple(row) for row in world.truth)
    return text.getvalue()


def _simulate_account(
    profile: Profile, name: str, first_day: date, days: int, rng: Generator
) -> tuple[SimulatedAccount, list[Subscription]]:
    """Simulate one account on; return it with the periods of its subscription that are shown."""
    agreed = _contract_terms(profile, days + LATER_DAYS, rng)
    factors = _weekly_factors(agreed, days + LATER_DAYS)
    trajectory = simulate_weeks(profile, days + LATER_DAYS, *factors, rng)
    agreed = [terms for terms in agreed if terms.day < min(trajectory.notice, days)]
    account = Account(
        account_id=f"acct_{profile.number:04d}",
        name=name,
        segment=SEGMENTS[int(np.digitize(profile.employees, SEGMENT_EMPLOYEES))],
        industry=str(rng.choice(INDUSTRIES)),
        owner=str(rng.choice(OWNERS)),
        employees=profile.employees,
        end_customers=max(10, round(profile.pool / rng.uniform(0.15, 0.5))),
        started_on=first_day + timedelta(days=profile.start),
        plan=PLANS[agreed[-1].plan].key,
    )
    joins = profile.start + np.sort(rng.integers(0, YEAR, profile.users))
    joins[:2] = profile.start
    first_days = {terms.plan: terms.day for terms in reversed(agreed)}
    plans = tuple(sorted((day, plan) for plan, day in first_days.items()))
    simulated = SimulatedAccount(account, profile, trajectory, plans, joins)
    return simulated, _subscription_periods(simulated, agreed, first_day, days, rng)


def _subscription_periods(
    simulated: SimulatedAccount, agreed: list[Terms], first_day: date, days: int, rng: Generator
) -> list[Subscription]:
    """List the periods. An end of which notice is given after the last day is not shown."""
    profile, trajectory = simulated.profile, simulated.trajectory
    end, notice = trajectory.end, trajectory.notice
    is_honest = rng.random() < HONESTY
    reason = EFFECTS[profile.cause if is_honest else Cause(rng.choice(list(Cause)))].reason
    ends = [(terms.day, terms.why, NEVER) for terms in agreed[1:]]
    ends.append((end, reason, notice) if notice < days else (NEVER, reason, NEVER))
    return [
        Subscription(
            account_id=simulated.account.account_id,
            subscription_id=f"sub_{profile.number:04d}",
            plan=PLANS[terms.plan].key,
            mrr_cents=100 * int(terms.price),
            currency="USD",
            seats=int(terms.seats),
            starts_on=(starts_on := first_day + timedelta(days=terms.day)),
            ends_on=_to_date(first_day, end),
            renewal_on=starts_on + timedelta(days=YEAR - (terms.day - profile.start) % YEAR),
            end_reason=None if end == NEVER else why,
            known_on=starts_on,
            end_known_on=_to_date(first_day, notice),
        )
        for terms, (end, why, notice) in zip(agreed, ends, strict=True)
    ]


def _to_date(first_day: date, day: int) -> date | None:
    return None if day == NEVER else first_day + timedelta(days=day)


def _find_truth(simulated: SimulatedAccount, first_day: date) -> Truth | None:
    """Return the cause of an account that declines or leaves, None for any other."""
    profile, end = simulated.profile, simulated.trajectory.end
    healthy = profile.cause is Cause.NONE
    if healthy and end == NEVER:
        return None
    return Truth(
        account_id=simulated.account.account_id,
        cause=profile.cause.value,
        onset_on=None if healthy else _to_date(first_day, profile.onset),
        strength=round(profile.strength, 3),
        churned_on=_to_date(first_day, end),
        about=profile.about,
    )


def _contract_terms(profile: Profile, days: int, rng: Generator) -> list[Terms]:
    """List the terms in order, as if the account never left."""
    first = Terms(profile.start, "start", profile.price, profile.seats, plan=profile.plan)
    by_day = {each.day: each for each in _contract_changes(profile, days, rng) if each.day < days}
    return list(accumulate((by_day[day] for day in sorted(by_day)), _changed_terms, initial=first))


def _changed_terms(last: Terms, change: Terms) -> Terms:
    return Terms(
        day=change.day,
        why=change.why,
        price=min(max(round(last.price * change.price), MIN_PRICE), MAX_PRICE),
        seats=min(max(round(last.seats * change.seats), MIN_SEATS), MAX_SEATS),
        gain=last.gain * change.gain,
        plan=last.plan + change.plan,
    )


def _contract_changes(profile: Profile, days: int, rng: Generator) -> Iterator[Terms]:
    """Yield the changes of terms; of two on one day the later one counts."""
    for day in range(profile.start + YEAR, days, YEAR):
        yield Terms(day, "renewal", price=1 + max(0.0, rng.uniform(-0.05, 0.05)))
    healthy, onset, strength = profile.cause is Cause.NONE, profile.onset, profile.strength
    day = int(rng.integers(30, days))
    if rng.random() < EXPANDING and profile.start + 60 < day < (days if healthy else onset):
        upgrade = int(healthy and profile.plan < len(PLANS) - 1 and day % 2)
        why, seats = ("plan_change", 1.0) if upgrade else ("seat_change", 1.25)
        yield Terms(day, why, price=1.3, seats=seats, gain=1.25, plan=upgrade)
    if profile.cause is Cause.PRICE_ROSE:
        yield Terms(onset, "price_change", price=1.15 + 0.5 * strength)
    if profile.cause is Cause.FEATURE_NEVER_ADOPTED:
        yield Terms(onset, "plan_change", price=1.15 + 0.4 * strength, plan=1)
    if rng.random() < SHRINKING * (not healthy):
        yield Terms(onset + int(rng.integers(40, 120)), "seat_change", price=0.8, seats=0.75)


def _weekly_factors(agreed: Sequence[Terms], days: int) -> tuple[Floats, Floats]:
    """Return price and gain on the first day of each week, as factors of the first week's."""
    starts = range(0, days, 7)
    places = np.maximum(np.searchsorted([terms.day for terms in agreed], starts, "right") - 1, 0)
    factors = np.array([(terms.price / agreed[0].price, terms.gain) for terms in agreed])[places]
    return factors[:, 0], factors[:, 1]
