"""Turn the hidden weekly state of each account into Segment calls, day by day."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from operator import attrgetter

import numpy as np
from numpy.random import Generator

from app.demo.engagement import CHAMPION, OPENS, WORKDAY, Action, Call, rare_actions, track
from app.demo.world import (
    EFFECTS,
    NEVER,
    PLANS,
    PRODUCT_FEATURES,
    YEAR,
    Cause,
    Floats,
    Ints,
    SimulatedAccount,
    user_id,
)

LIBRARY = {"name": "simulator", "version": "1"}
WEEKDAY_SHARES = np.array([0.19, 0.20, 0.20, 0.19, 0.15, 0.04, 0.03])
SEASON, NOTICE_SHARE, CHAMPION_SHARE, WITHDRAWAL = 0.05, 0.4, 0.3, 0.6
NOBODY, USUAL_FREQUENCY = -1, 7.0
SIMPLE_FEATURES = frozenset({"send_message", "inbox", "templates", "contact_import"})
"""The product features that can be used before onboarding is complete."""
REACHING_FEATURES = frozenset({"send_message", "inbox", "automation", "api", "chatbot", "payments"})
"""The product features whose events reach an end customer."""
PAGES = ("Dashboard", "Contacts", "Pricing", "Billing")
FEATURE_OF = {name: feature.key for feature in PRODUCT_FEATURES for name in feature.event_names}
FEATURE_OF |= dict(zip(PAGES, PAGES, strict=True))
NAMES = tuple(FEATURE_OF)
FREQUENCIES = {"Message Sent": 32, "Reply Sent": 18, "Role Assigned": 2, "Pricing": 1, "Billing": 1}
"""Relative frequencies of events and pages by name; all others have USUAL_FREQUENCY."""


def _expected_events(simulated: SimulatedAccount, first_day: date, days: int) -> Floats:
    """Return the expected events by day: fewer after notice, none before start and after end."""
    day, trajectory = np.arange(days), simulated.trajectory
    weekday = (first_day.weekday() + day) % 7
    season = 1 + SEASON * np.sin(2 * np.pi * (first_day.timetuple().tm_yday + day) / YEAR)
    started = day >= simulated.profile.start
    rate = trajectory.usage[day // 7] * WEEKDAY_SHARES[weekday] * season * started
    leaving = np.where(day < trajectory.notice, 1, NOTICE_SHARE) * (day < trajectory.end)
    return np.asarray(rate * leaving)


def _draw_usage(simulated: SimulatedAccount, rate: Floats, rng: Generator) -> Ints:
    """Draw one row for each event: day, millisecond, account, user, name, end customer."""
    days = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    at = OPENS + rng.integers(0, WORKDAY, len(days))
    customer = _draw_end_customers(simulated, days, rng)
    account = np.full(len(days), simulated.profile.number)
    user, name = _draw_users(simulated, days, rng), _draw_names(simulated, days, rng)
    return np.column_stack((days, at, account, user, name, customer))


def _draw_end_customers(simulated: SimulatedAccount, days: Ints, rng: Generator) -> Ints:
    """Draw the end customer of each event: NOBODY if it is one lost by the cause REACH_FELL."""
    profile, fell = simulated.profile, simulated.profile.cause is Cause.REACH_FELL
    reach = 1 if fell else simulated.trajectory.reach[days // 7]
    pool = np.maximum(3, profile.pool * reach)
    customer = (pool * rng.random(len(days))).astype(np.int64)
    reachable = pool * (1 - EFFECTS[Cause.REACH_FELL].reach * profile.strength**0.5)
    return np.where(fell & (days >= profile.onset) & (customer >= reachable), NOBODY, customer)


def _draw_users(simulated: SimulatedAccount, days: Ints, rng: Generator) -> Ints:
    """Draw the acting users: the champion most often, early users more often than late ones."""
    joined = np.searchsorted(simulated.joins, days, side="right") - 1
    others = np.maximum(1, joined * (1 - WITHDRAWAL * simulated.trajectory.decline[days // 7]))
    user = 1 + (others * rng.random(len(days)) ** 1.5).astype(np.int64)
    stays = simulated.profile.cause is not Cause.CHAMPION_LEFT
    share = CHAMPION_SHARE * (1 + 1 / others)  # among few users it takes more to be the first
    is_champion = (rng.random(len(days)) < share) & (stays | (days < simulated.profile.onset))
    return np.where(is_champion, CHAMPION, user)


def _draw_names(simulated: SimulatedAccount, days: Ints, rng: Generator) -> Ints:
    """Draw indexes in NAMES among what the account has adopted by each day."""
    usual = [FREQUENCIES.get(name, USUAL_FREQUENCY) for name in NAMES]
    preference = rng.lognormal(0, 0.4, len(NAMES)) * usual
    adopted = _adoption_days(simulated, rng)
    first_days = np.array([adopted.get(key, NEVER) for key in FEATURE_OF.values()])
    upto = np.cumsum(preference * (first_days <= days[:, None]), axis=1)
    aim = rng.random(len(days)) * upto[:, -1]
    return np.asarray((upto <= aim[:, None]).sum(axis=1), dtype=np.int64)


def _adoption_days(simulated: SimulatedAccount, rng: Generator) -> dict[str, int]:
    """Return the first day of use by page and product feature; unused ones are left out."""
    profile = simulated.profile
    stuck = profile.cause is Cause.STUCK_IN_ONBOARDING
    first_days = dict.fromkeys(PAGES, profile.start)
    for feature in PRODUCT_FEATURES:
        wanted = rng.random() < (0.75 if feature.differentiating else 0.9) and not stuck
        lag = 0 if feature.key == "send_message" else int(rng.exponential(20))
        paid = [day for day, plan in simulated.plans if feature.key in PLANS[plan].product_features]
        if paid and (wanted or feature.key in SIMPLE_FEATURES) and feature.key != profile.about:
            first_days[feature.key] = paid[0] + lag
    return first_days


def daily_calls(
    accounts: Sequence[SimulatedAccount], first_day: date, days: int, seed: int
) -> Iterator[tuple[date, list[Call]]]:
    """Yield each day's calls in order of time. Usage stays in compact rows until its day."""
    rare: defaultdict[int, list[Action]] = defaultdict(list)
    usage = []
    for simulated in accounts:
        rng = np.random.default_rng((seed, 2, simulated.profile.number))
        usage.append(_draw_usage(simulated, _expected_events(simulated, first_day, days), rng))
        for action in rare_actions(simulated, first_day, days, rng):
            rare[action.day].append(action)
    rows = np.concatenate(usage)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    edges = np.searchsorted(rows[:, 0], np.arange(days + 1)).tolist()
    for day, (low, high) in enumerate(pairwise(edges)):
        actions = [*rare[day], *(_usage_action(row) for row in rows[low:high].tolist())]
        actions.sort(key=attrgetter("at", "number"))
        yield (today := first_day + timedelta(days=day)), _segment_calls(actions, today, seed)


def _usage_action(row: Sequence[int]) -> Action:
    day, at, number, user, name_index, customer = row
    name = NAMES[name_index]
    if name in PAGES:
        return Action(day, at, number, user, {"type": "page", "name": name, "properties": {}})
    reaches = FEATURE_OF[name] in REACHING_FEATURES and customer != NOBODY
    properties = {"end_customer_id": f"c{number:04d}_{customer:05d}"} if reaches else {}
    return Action(day, at, number, user, track(name, properties))


def _segment_calls(actions: Sequence[Action], today: date, seed: int) -> list[Call]:
    """Make the calls of a day; an id holds the seed, account, day and a running number."""
    counts: Counter[int] = Counter()
    calls: list[Call] = []
    midnight = datetime.combine(today, time())
    for action in actions:
        counts[action.number] += 1
        account_id = f"acct_{action.number:04d}"
        instant = midnight + timedelta(milliseconds=action.at)
        calls.append(
            {
                **action.body,
                "messageId": f"{seed}-{account_id}-{today:%Y%m%d}-{counts[action.number]}",
                "timestamp": f"{instant.isoformat(timespec='milliseconds')}Z",
                "userId": user_id(action.number, action.user),
                "context": {"groupId": account_id, "library": LIBRARY},
            }
        )
    return calls
