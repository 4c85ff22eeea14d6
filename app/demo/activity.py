"""From the hidden weekly state of each account to Segment calls, day by day."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from operator import attrgetter

import numpy as np
from numpy.random import Generator

from app.demo.world import (
    HARM,
    NEVER,
    PLANS,
    PRODUCT_FEATURES,
    STEPS,
    YEAR,
    Account,
    Cause,
    Course,
    Floats,
    Ints,
    Profile,
    user_key,
)

Call = dict[str, object]

MINUTE = 60_000
OPENS, WORKDAY, DAY = 480 * MINUTE, 600 * MINUTE, 1440 * MINUTE
"""Working hours and the whole day, in milliseconds."""
LIBRARY = {"name": "simulator", "version": "1"}
WEEKDAY_SHARES = np.array([0.19, 0.20, 0.20, 0.19, 0.15, 0.04, 0.03])
SEASON, NOTICE_SHARE, CHAMPION_SHARE, WITHDRAWAL = 0.05, 0.4, 0.3, 0.6
WORST_REPLY = 30
"""How many times as long as usual a reply takes where support is slow, at strength 1."""
CHAMPION, NOBODY, USUAL = 0, -1, 7.0
SIMPLE = frozenset({"send_message", "inbox", "templates", "contact_import"})
"""The product features that one can use without having finished onboarding."""
TO_CUSTOMER = frozenset({"send_message", "inbox", "automation", "api", "chatbot", "payments"})
PAGES = ("Dashboard", "Contacts", "Pricing", "Billing")
BELONGS = {name: feature.key for feature in PRODUCT_FEATURES for name in feature.event_names}
BELONGS |= dict(zip(PAGES, PAGES, strict=True))
NAMES = tuple(BELONGS)
OFTEN = {"Message Sent": 32, "Reply Sent": 18, "Role Assigned": 2, "Pricing": 1, "Billing": 1}
"""How often a name comes up, where it is not USUAL."""
TRAITS = ("name", "industry", "employees", "owner", "segment", "end_customers", "simulated")
ROLES = ("marketer", "support_agent", "sales", "analyst")
FIRST = ("Ada", "Bruno", "Clara", "Dario", "Elin", "Farid", "Greta", "Hugo", "Iris", "Jonas")
LAST = ("Abbas", "Berg", "Costa", "Dahl", "Egede", "Fuchs", "Garza", "Holm", "Kaya", "Silva")


@dataclass(frozen=True, slots=True)
class Life:
    """An account's life; `plans` are (first day, place in PLANS), `joins` the users' first days."""

    account: Account
    profile: Profile
    course: Course
    plans: tuple[tuple[int, int], ...]
    joins: Ints


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a user of an account did: `at` is in milliseconds of the day."""

    day: int
    at: int
    number: int
    user: int
    body: Mapping[str, object]


def expected(life: Life, first_day: date, days: int) -> Floats:
    """Events to expect on each day: none before the start, fewer under notice, none after."""
    day, course = np.arange(days), life.course
    weekday = (first_day.weekday() + day) % 7
    season = 1 + SEASON * np.sin(2 * np.pi * (first_day.timetuple().tm_yday + day) / YEAR)
    rate = course.usage[day // 7] * WEEKDAY_SHARES[weekday] * season * (day >= life.profile.start)
    leaving = np.where(day < course.notice, 1, NOTICE_SHARE) * (day < course.end)
    return np.asarray(rate * leaving)


def bustle(life: Life, rate: Floats, rng: Generator) -> Ints:
    """Draw one row for each event: day, millisecond, account, user, name, end customer."""
    days = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    at = OPENS + rng.integers(0, WORKDAY, len(days))
    customer = reached(life, days, rng)
    account = np.full(len(days), life.profile.number)
    return np.column_stack(
        (days, at, account, users(life, days, rng), names(life, days, rng), customer)
    )


def reached(life: Life, days: Ints, rng: Generator) -> Ints:
    """Pick whom it reaches; where reach fell, what would have gone to the others reaches nobody."""
    profile, fell = life.profile, life.profile.cause is Cause.REACH_FELL
    pool = np.maximum(3, profile.pool * (1 if fell else life.course.reach[days // 7]))
    customer = (pool * rng.random(len(days))).astype(np.int64)
    left = pool * (1 - HARM[Cause.REACH_FELL].reach * profile.strength**0.5)
    return np.where(fell & (days >= profile.onset) & (customer >= left), NOBODY, customer)


def users(life: Life, days: Ints, rng: Generator) -> Ints:
    """Pick who does it: the champion most often, early users more than late ones."""
    joined = np.searchsorted(life.joins, days, side="right") - 1
    others = np.maximum(1, joined * (1 - WITHDRAWAL * life.course.hurt[days // 7]))
    picked = 1 + (others * rng.random(len(days)) ** 1.5).astype(np.int64)
    stays = life.profile.cause is not Cause.CHAMPION_LEFT
    share = CHAMPION_SHARE * (1 + 1 / others)  # among few it takes more to be the first
    champion = (rng.random(len(days)) < share) & (stays | (days < life.profile.onset))
    return np.where(champion, CHAMPION, picked)


def names(life: Life, days: Ints, rng: Generator) -> Ints:
    """Pick what is done, as places in NAMES, among what the account has taken up by then."""
    liking = rng.lognormal(0, 0.4, len(NAMES)) * [OFTEN.get(name, USUAL) for name in NAMES]
    since = taken_up(life, rng)
    opened = np.array([since.get(key, NEVER) for key in BELONGS.values()])
    upto = np.cumsum(liking * (opened <= days[:, None]), axis=1)
    aim = rng.random(len(days)) * upto[:, -1]
    return np.asarray((upto <= aim[:, None]).sum(axis=1), dtype=np.int64)


def taken_up(life: Life, rng: Generator) -> dict[str, int]:
    """Say from which day each page and product feature is in use; some of the plan never are."""
    stuck = life.profile.cause is Cause.STUCK_IN_ONBOARDING
    found = dict.fromkeys(PAGES, life.profile.start)
    for feature in PRODUCT_FEATURES:
        wanted = rng.random() < (0.75 if feature.differentiating else 0.9) and not stuck
        lag = 0 if feature.key == "send_message" else int(rng.exponential(20))
        paid = [day for day, plan in life.plans if feature.key in PLANS[plan].product_features]
        if paid and (wanted or feature.key in SIMPLE) and feature.key != life.profile.about:
            found[feature.key] = paid[0] + lag
    return found


def extras(life: Life, days: int, rng: Generator) -> list[Deed]:
    """List arrivals, onboarding and tickets while the account is there."""
    end = min(days, life.course.end)
    found = (*arrivals(life), *onboarding(life.profile, rng), *tickets(life, days, rng))
    return [deed for deed in found if 0 <= deed.day < end]


def arrivals(life: Life) -> Iterator[Deed]:
    """Introduce users as they join, who was there before on the first day; and tell a new plan."""
    number = life.profile.number
    for user, day in enumerate(np.maximum(life.joins, 0).tolist()):
        yield Deed(day, OPENS + user, number, user, person(life, user))
        yield Deed(day, OPENS + user, number, user, company(life, day))
    for day, _ in life.plans[1:]:
        yield Deed(day, OPENS, number, 1, company(life, day))


def person(life: Life, user: int) -> dict[str, object]:
    last, first = divmod(user, len(FIRST))
    first, last = (life.profile.number + first) % len(FIRST), (first + last) % len(LAST)
    name = f"{FIRST[first]} {LAST[last]}"
    traits = {
        "name": name,
        "email": f"{name.replace(' ', '.')}@{life.account.name.replace(' ', '-')}.example".lower(),
        "role": ROLES[user % len(ROLES)] if user else "admin",
        "simulated": True,
    }
    return {"type": "identify", "traits": traits}


def company(life: Life, day: int) -> dict[str, object]:
    plan = [plan for since, plan in life.plans if since <= day][-1]
    traits = {key: getattr(life.account, key) for key in TRAITS} | {"plan": PLANS[plan].key}
    return {"type": "group", "groupId": life.account.account_id, "traits": traits}


def onboarding(profile: Profile, rng: Generator) -> Iterator[Deed]:
    """Yield the steps of a new account; one that is stuck gets no further than its step."""
    day = profile.start
    for step in STEPS:
        if step == profile.about:
            return
        day += int(rng.integers(1, 3 if profile.cause is Cause.STUCK_IN_ONBOARDING else 7))
        body = track("Onboarding Step Completed", {"step": step})
        yield Deed(day, OPENS + int(rng.integers(0, WORKDAY)), profile.number, CHAMPION, body)


def track(event: str, properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "track", "event": event, "properties": properties}


def tickets(life: Life, days: int, rng: Generator) -> Iterator[Deed]:
    """Yield tickets and their first replies: late ones, and more of them, when support is slow.

    It is slow at once, with a ticket of that day; what people do about it comes by and by.
    """
    on, profile, is_slow = np.arange(days), life.profile, life.profile.cause is Cause.SUPPORT_SLOW
    slow = is_slow * (on >= profile.onset) * profile.strength**0.5
    hurt = is_slow * life.course.hurt[on // 7]
    busy = (on >= profile.start) * (0.010 + 0.0006 * profile.users) * (1 + 3 * hurt)
    asked = (rng.random(days) < busy) | (is_slow & (on == profile.onset))
    for day in np.flatnonzero(asked).tolist():
        worked = 120 * (1 + WORST_REPLY * slow[day]) * rng.lognormal(0, 0.7)
        yield from ticket(life, day, int(worked) * MINUTE, rng)


def ticket(life: Life, day: int, worked: int, rng: Generator) -> Iterator[Deed]:
    """Answer after so much working time; `minutes` counts the nights as well."""
    number, asked = life.profile.number, int(rng.integers(0, WORKDAY))
    later, replied = divmod(asked + worked, WORKDAY)
    user = int(rng.integers(1, max(2, (life.joins <= day).sum())))
    ticket_id, minutes = f"t{number:04d}_{day:04d}", (later * DAY + replied - asked) // MINUTE
    asking = track("Ticket Created", {"ticket_id": ticket_id})
    reply = track("Ticket First Reply", {"ticket_id": ticket_id, "minutes": minutes})
    yield Deed(day, OPENS + asked, number, user, asking)
    yield Deed(day + later, OPENS + replied, number, user, reply)


def calls(
    lives: Sequence[Life], first_day: date, days: int, seed: int
) -> Iterator[tuple[date, list[Call]]]:
    """Yield each day's calls in order of time: rows are kept compact, calls made on their day."""
    apart: defaultdict[int, list[Deed]] = defaultdict(list)
    found = []
    for life in lives:
        rng = np.random.default_rng((seed, 2, life.profile.number))
        found.append(bustle(life, expected(life, first_day, days), rng))
        for deed in extras(life, days, rng):
            apart[deed.day].append(deed)
    rows = np.concatenate(found)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    edges = np.searchsorted(rows[:, 0], np.arange(days + 1)).tolist()
    for day, (low, high) in enumerate(pairwise(edges)):
        deeds = [*apart[day], *(usual(row) for row in rows[low:high].tolist())]
        deeds.sort(key=attrgetter("at", "number"))
        yield (today := first_day + timedelta(days=day)), sealed(deeds, today, seed)


def usual(row: Sequence[int]) -> Deed:
    day, at, number, user, place, customer = row
    name = NAMES[place]
    if name in PAGES:
        return Deed(day, at, number, user, {"type": "page", "name": name, "properties": {}})
    reached = {"end_customer_id": f"c{number:04d}_{customer:05d}"}
    known = reached if BELONGS[name] in TO_CUSTOMER and customer != NOBODY else {}
    return Deed(day, at, number, user, track(name, known))


def sealed(deeds: Sequence[Deed], today: date, seed: int) -> list[Call]:
    """Make the calls of a day; an id holds the seed, account, day and a running number."""
    seen: Counter[int] = Counter()
    made: list[Call] = []
    midnight = datetime.combine(today, time())
    for deed in deeds:
        seen[deed.number] += 1
        account_id = f"acct_{deed.number:04d}"
        instant = midnight + timedelta(milliseconds=deed.at)
        made.append(
            {
                **deed.body,
                "messageId": f"{seed}-{account_id}-{today:%Y%m%d}-{seen[deed.number]}",
                "timestamp": f"{instant.isoformat(timespec='milliseconds')}Z",
                "userId": user_key(deed.number, deed.user),
                "context": {"groupId": account_id, "library": LIBRARY},
            }
        )
    return made
