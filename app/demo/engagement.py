"""What happens between an account and its vendor besides use, as Segment calls.

Arrivals, onboarding, tickets, surveys, feedback, goals, orders and incidents. What people answer
follows the value that they feel, and the cause of a decline.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from app.demo.world import (
    PLANS,
    PRODUCT_FEATURES,
    STEPS,
    Cause,
    Profile,
    SimulatedAccount,
)

Call = dict[str, object]

MINUTE = 60_000
OPENS, WORKDAY, DAY = 480 * MINUTE, 600 * MINUTE, 1440 * MINUTE
"""Working hours and the whole day, in milliseconds."""
CHAMPION = 0
SLOWEST_REPLY = 30
"""How many times as long as usual a reply takes when support is slow, at strength 1."""
SURVEY_DAYS, ANSWERING, RATING = 91, (0.5, 0.35), 0.5
"""Each account is surveyed every quarter. The shares of champions and others who answer, and of
closed tickets that are rated."""
FEEDBACK_RATE, REQUESTS = 0.0035, 0.6
"""Feedback a day, and the share of requests in what is no complaint."""
ORDER_RATE, GOAL_DAYS, WITH_GOALS = 0.012, 180, 0.4
INCIDENTS = ((230, "Messages were delivered late"), (12, "The inbox could not be opened"))
"""Days before the last one, and titles, of incidents."""
HIT_BY_INCIDENT = 0.08
TOPICS = {
    Cause.NONE: "reliability",
    Cause.CHAMPION_LEFT: "training",
    Cause.FEATURE_NEVER_ADOPTED: "plans",
    Cause.STUCK_IN_ONBOARDING: "set-up",
    Cause.REACH_FELL: "delivery",
    Cause.PRICE_ROSE: "price",
    Cause.SUPPORT_SLOW: "support",
}
"""What complaints are about, by the cause of the decline."""
TRAITS = ("name", "industry", "employees", "owner", "segment", "end_customers", "simulated")
FEATURES = [feature.key for feature in PRODUCT_FEATURES]
ROLES = ("marketer", "support_agent", "sales", "analyst")
FIRST = ("Ada", "Bruno", "Clara", "Dario", "Elin", "Farid", "Greta", "Hugo", "Iris", "Jonas")
LAST = ("Abbas", "Berg", "Costa", "Dahl", "Egede", "Fuchs", "Garza", "Holm", "Kaya", "Silva")


@dataclass(frozen=True, slots=True)
class Action:
    """A call of `user` of account `number`; `at`: milliseconds since the start of the day."""

    day: int
    at: int
    number: int
    user: int
    body: Mapping[str, object]


def rare_actions(
    simulated: SimulatedAccount, first_day: date, days: int, rng: Generator
) -> list[Action]:
    """List what happens besides use until the account leaves."""
    end = min(days, simulated.trajectory.end)
    actions = (
        *_arrivals(simulated),
        *_onboarding(simulated.profile, rng),
        *_tickets(simulated, days, rng),
        *_surveys(simulated, end, rng),
        *_feedback(simulated, end, rng),
        *_goals(simulated, first_day, days, rng),
        *_orders(simulated, end, rng),
        *_incidents(simulated, days, rng),
    )
    return [action for action in actions if 0 <= action.day < end]


def track(event: str, properties: Mapping[str, object]) -> Call:
    return {"type": "track", "event": event, "properties": properties}


def _arrivals(simulated: SimulatedAccount) -> Iterator[Action]:
    """Identify users when they join, earlier ones on the first day.

    The account is described once, and again at each change of its plan.
    """
    number = simulated.profile.number
    for user, day in enumerate(np.maximum(simulated.joins, 0).tolist()):
        yield Action(day, OPENS + user, number, user, _identify(simulated, user))
        if user == CHAMPION:
            yield Action(day, OPENS, number, user, _group(simulated, day))
    for day, _ in simulated.plans[1:]:
        yield Action(day, OPENS, number, 1, _group(simulated, day))


def _identify(simulated: SimulatedAccount, user: int) -> Call:
    last, first = divmod(user, len(FIRST))
    first, last = (simulated.profile.number + first) % len(FIRST), (first + last) % len(LAST)
    name, domain = f"{FIRST[first]} {LAST[last]}", simulated.account.name.replace(" ", "-")
    traits = {
        "name": name,
        "email": f"{name.replace(' ', '.')}@{domain}.example".lower(),
        "role": _role(simulated.profile, user),
        "simulated": True,
    }
    return {"type": "identify", "traits": traits}


def _role(profile: Profile, user: int) -> str:
    """Two thirds of the accounts name their champion, half of these a sponsor too."""
    if user > 1 or not profile.number % 3:
        return ROLES[user % len(ROLES)] if user else "admin"
    return "champion" if user == CHAMPION else "sponsor" if profile.number % 2 else ROLES[user]


def _group(simulated: SimulatedAccount, day: int) -> Call:
    plan = [plan for since, plan in simulated.plans if since <= day][-1]
    traits = {key: getattr(simulated.account, key) for key in TRAITS} | {"plan": PLANS[plan].key}
    return {"type": "group", "groupId": simulated.account.account_id, "traits": traits}


def _onboarding(profile: Profile, rng: Generator) -> Iterator[Action]:
    """Yield the onboarding steps of an account; a stuck account stops before `profile.about`."""
    day = profile.start
    for step in STEPS:
        if step == profile.about:
            return
        day += int(rng.integers(1, 3 if profile.cause is Cause.STUCK_IN_ONBOARDING else 7))
        body = track("Onboarding Step Completed", {"step": step})
        yield Action(day, OPENS + int(rng.integers(0, WORKDAY)), profile.number, CHAMPION, body)


def _tickets(simulated: SimulatedAccount, days: int, rng: Generator) -> Iterator[Action]:
    """Yield tickets, their first replies and ends: late ones, and more, when support is slow.

    Replies are slow from the first day, which has a ticket; the number of tickets grows slowly.
    """
    profile, is_slow = simulated.profile, simulated.profile.cause is Cause.SUPPORT_SLOW
    on = np.arange(days)
    slowness = is_slow * (on >= profile.onset) * profile.strength**0.5
    decline = is_slow * simulated.trajectory.decline[on // 7]
    rate = (on >= profile.start) * (0.010 + 0.0006 * profile.users) * (1 + 3 * decline)
    has_ticket = (rng.random(days) < rate) | (is_slow & (on == profile.onset))
    for day in np.flatnonzero(has_ticket).tolist():
        minutes = 120 * (1 + SLOWEST_REPLY * slowness[day]) * rng.lognormal(0, 0.7)
        satisfaction = 4.3 - 1.8 * slowness[day] + 0.6 * simulated.trajectory.value[day // 7]
        csat = int(np.clip(round(rng.normal(satisfaction, 0.7)), 1, 5))
        yield from _ticket(simulated, day, int(minutes) * MINUTE, csat, rng)


def _ticket(
    simulated: SimulatedAccount, day: int, work: int, csat: int, rng: Generator
) -> Iterator[Action]:
    """Open a ticket, reply after ``work`` ms of working time, close it on the day after.

    `minutes` of the reply include the nights. Half of the authors say how satisfied they are.
    """
    number, opened = simulated.profile.number, int(rng.integers(0, WORKDAY))
    later, replied = divmod(opened + work, WORKDAY)
    user = _person(simulated, day, rng)
    ticket_id, minutes = f"t{number:04d}_{day:04d}", (later * DAY + replied - opened) // MINUTE
    ticket = track("Ticket Created", {"ticket_id": ticket_id})
    reply = track("Ticket First Reply", {"ticket_id": ticket_id, "minutes": minutes})
    closed: dict[str, object] = {"ticket_id": ticket_id}
    closed |= {"csat": csat} if rng.random() < RATING else {}
    yield Action(day, OPENS + opened, number, user, ticket)
    yield Action(day + later, OPENS + replied, number, user, reply)
    yield Action(day + later + 1, OPENS + replied, number, user, track("Ticket Solved", closed))


def _person(simulated: SimulatedAccount, day: int, rng: Generator) -> int:
    """Draw a user who has joined by a day, but not the champion."""
    return int(rng.integers(1, max(2, (simulated.joins <= day).sum())))


def _surveys(simulated: SimulatedAccount, end: int, rng: Generator) -> Iterator[Action]:
    """Yield answers to the survey of each quarter. A champion who has left does not answer."""
    profile, value = simulated.profile, simulated.trajectory.value
    gone = profile.onset if profile.cause is Cause.CHAMPION_LEFT else end
    for day in range(profile.number * 17 % SURVEY_DAYS, end, SURVEY_DAYS):
        people = (CHAMPION, _person(simulated, day, rng))
        for user, share in zip(people, ANSWERING, strict=True):
            score = int(np.clip(round(rng.normal(8.3 + 3 * value[day // 7], 1.4)), 0, 10))
            at, answers = _during_work(rng), rng.random() < share
            if answers and day > profile.start + 30 and (user != CHAMPION or day < gone):
                yield Action(
                    day, at, profile.number, user, track("NPS Submitted", {"score": score})
                )


def _feedback(simulated: SimulatedAccount, end: int, rng: Generator) -> Iterator[Action]:
    """Yield feedback: the less value is felt, the more complaints. Slow support answers late."""
    profile = simulated.profile
    for day in np.flatnonzero(rng.random(end) < FEEDBACK_RATE).tolist():
        cause = profile.cause if day >= profile.onset else Cause.NONE
        complains = np.clip(0.25 - 0.5 * simulated.trajectory.value[day // 7], 0.05, 0.9)
        kind = "request" if rng.random() < REQUESTS else "praise"
        kind = "complaint" if rng.random() < complains else kind
        feature, outcome = str(rng.choice(FEATURES)), str(rng.choice(("shipped", "declined")))
        about = {"product_feature": feature} if kind == "request" else {"topic": TOPICS[cause]}
        item = {"feedback_id": f"f{profile.number:04d}_{day:04d}"}
        given = track("Feedback Submitted", item | {"kind": kind} | about)
        solved = {"outcome": outcome if kind == "request" else "answered"}
        answered = day + 1 + int(rng.exponential(20 if cause is Cause.SUPPORT_SLOW else 3))
        at, user = _during_work(rng), _person(simulated, day, rng)
        if day >= profile.start:
            yield Action(day, at, profile.number, user, given)
            yield Action(answered, at, profile.number, 1, track("Feedback Resolved", item | solved))


def _goals(
    simulated: SimulatedAccount, first_day: date, days: int, rng: Generator
) -> Iterator[Action]:
    """Yield a goal of the last half year for the events of four weeks, for some accounts.

    It is near what the account does, so most are reached unless the account declines. Its day does
    not depend on when the account leaves: that would say what is to come.
    """
    profile = simulated.profile
    day = max(profile.start + 20, days - int(rng.integers(30, GOAL_DAYS)))
    if rng.random() < WITH_GOALS and 0 <= day < days:
        level = 4 * simulated.trajectory.usage[day // 7]
        goal = {
            "goal_id": f"g{profile.number:04d}",
            "title": "More events in four weeks",
            "metric": "events",
            "baseline": round(0.3 * level),
            "target": max(round(level * rng.uniform(0.6, 1.15)), 1),
            "due_on": str(first_day + timedelta(days=day + GOAL_DAYS)),
        }
        yield Action(day, _during_work(rng), profile.number, 1, track("Goal Set", goal))


def _orders(simulated: SimulatedAccount, end: int, rng: Generator) -> Iterator[Action]:
    """Yield orders of message credits, in proportion to use."""
    profile = simulated.profile
    use = simulated.trajectory.usage[np.arange(end) // 7] / profile.weekly_events
    for day in np.flatnonzero(rng.random(len(use)) < ORDER_RATE * use).tolist():
        amount = 10 * max(round(profile.price * rng.uniform(0.005, 0.02)), 1)
        order = {"order_id": f"o{profile.number:04d}_{day:04d}", "revenue": amount}
        if day >= profile.start:
            user, body = _person(simulated, day, rng), track("Order Completed", order)
            yield Action(day, _during_work(rng), profile.number, user, body)


def _incidents(simulated: SimulatedAccount, days: int, rng: Generator) -> Iterator[Action]:
    """Yield the incidents that hit the account, with an apology on the same day."""
    number = simulated.profile.number
    for ago, title in INCIDENTS:
        day, incident = days - 1 - ago, {"incident_id": f"incident_{ago}"}
        if rng.random() < HIT_BY_INCIDENT and day > simulated.profile.start:
            declared = track("Incident Declared", incident | {"title": title})
            yield Action(day, OPENS + 60 * MINUTE, number, 1, declared)
            yield Action(day, OPENS + 200 * MINUTE, number, 1, track("Incident Resolved", incident))
            apology = track("Incident Apology Sent", incident)
            yield Action(day, OPENS + 300 * MINUTE, number, 1, apology)


def _during_work(rng: Generator) -> int:
    return OPENS + MINUTE + int(rng.integers(0, WORKDAY - MINUTE))
