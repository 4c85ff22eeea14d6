"""A random world of facts, and the same questions answered by counting in plain Python."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.db import Table
from app.features.values import AccountFeatures, Lens
from app.tables import Account, DailyReach, DailyUsage, FirstUse, Subscription, User, UserAlias

AS_OF = date(2026, 3, 18)
EVENT_NAMES = ("Export", "Share", "Invite", "Search", "Viewed home")
PEOPLE = (*((name, False) for name in ("ada", "ben", "cyd", "dov")), ("", True))
VISITORS = tuple((f"anon-{number}", True) for number in range(4))
ACCOUNTS = tuple(f"a{number}" for number in range(8))

Row = dict[str, Any]


def day(back: int) -> date:
    """Return the day so many days before AS_OF; negative: after it."""
    return AS_OF - timedelta(days=back)


@dataclass
class World:
    """Rows by table, as they would come from ingestion and the accounts API."""

    rows: dict[type[Table], list[Row]] = field(default_factory=dict)

    def add(self, table: type[Table], **columns: object) -> None:
        self.rows.setdefault(table, []).append({"workspace_id": "acme", **columns})

    def of(self, table: type[Table], account_id: str, *, known_on: date) -> list[Row]:
        """Return what was known of an account on a day."""
        return [
            row
            for row in self.rows.get(table, [])
            if row["account_id"] == account_id and row["known_on"] <= known_on
        ]

    def store(self, session: Session) -> None:
        for table, rows in self.rows.items():
            session.execute(insert(table), rows)


def random_world(seed: int) -> World:
    random, world = Random(seed), World()  # noqa: S311 - facts, no secrets
    for account_id in ACCOUNTS[:-1]:
        world.add(
            Account,
            account_id=account_id,
            segment=random.choice([None, "smb"]),
            end_customers=random.choice([None, 50]),
            excluded=random.random() < 0.2,
            feature_exceptions=random.choice([{}, {"export": False}]),
            plan=random.choice([None, "basic"]),
        )
        _add_usage(world, random, account_id)
        _add_reach(world, random, account_id)
        _add_subscriptions(world, random, account_id)
    for user_id, is_anonymous in PEOPLE:
        if not is_anonymous:
            world.add(User, user_id=user_id, excluded=user_id == "dov")
    for visitor, user_id, back in (
        ("anon-0", "ada", 60),
        ("anon-1", "dov", 3),
        ("anon-2", "eve", -1),
    ):
        world.add(UserAlias, anonymous_id=visitor, user_id=user_id, known_on=day(back))
    return world


def _add_usage(world: World, random: Random, account_id: str) -> None:
    facts = {
        (
            (back := random.randint(-2, 60)),
            back - random.choice([0, 0, 0, 1, 5, 40]),
            random.choice(PEOPLE + VISITORS),
            random.choice(EVENT_NAMES),
        )
        for _ in range(random.choice([0, 3, 30, 120]))
    }
    for back, known, (user_id, is_anonymous), event_name in sorted(facts):
        world.add(
            DailyUsage,
            account_id=account_id,
            day=day(back),
            known_on=day(known),
            user_id=user_id,
            is_anonymous=is_anonymous,
            event_name=event_name,
            events=random.randint(1, 9),
            quantity=random.randint(0, 1000),
        )
    for known in sorted({known for _, known, *_ in facts}):
        first = max(back for back, other, *_ in facts if other == known)
        world.add(FirstUse, account_id=account_id, day=day(first), known_on=day(known))


def _add_reach(world: World, random: Random, account_id: str) -> None:
    facts = {
        (
            (back := random.randint(-2, 60)),
            back - random.choice([0, 0, 1, 30]),
            random.randint(1, 30),
        )
        for _ in range(random.choice([0, 40]))
    }
    for back, known, number in sorted(facts):
        world.add(
            DailyReach,
            account_id=account_id,
            day=day(back),
            known_on=day(known),
            end_customer_id=f"c{number}",
        )


def _add_subscriptions(world: World, random: Random, account_id: str) -> None:
    """Overlaps, gaps, free ones, other currencies, and starts restated on a later day."""
    lengths: list[int | None] = random.choice([[0, 5, 20, 60], [None, None, 5, 20, 200]])
    said = {
        (random.choice(["main", "extra"]), (back := random.randint(-5, 90)), back - later)
        for later in random.choice([[], [0], [0, 7], [0, 0, 40, -3, 1]])
    }
    for subscription_id, back, known in sorted(said):
        for restated in sorted({known, known - random.choice([0, 10])}):
            length = random.choice(lengths)
            world.add(
                Subscription,
                account_id=account_id,
                subscription_id=subscription_id,
                starts_on=day(back),
                known_on=day(restated),
                ends_on=None if length is None else day(back - length),
                plan=random.choice([None, "basic", "pro"]),
                mrr_cents=random.choice([0, 4_900, 19_900, 33_333]),
                currency=random.choice(["USD"] * 5 + ["EUR"]),
                seats=random.choice([None, 3, 10]),
                renewal_on=random.choice([None, day(-20), day(10)]),
                source="api",
            )


def recount(world: World, account_id: str, lens: Lens, *, as_of: date = AS_OF) -> AccountFeatures:
    """Describe one account by the sentences of the design, each counted on its own."""
    known = _known_account(world, account_id)
    usage = [
        row
        for row in world.of(DailyUsage, account_id, known_on=as_of)
        if not _excluded(world, row, as_of)
    ]
    reach = world.of(DailyReach, account_id, known_on=as_of)
    now = [as_of - timedelta(days=back) for back in range(lens.window_days)]
    before = [on - timedelta(days=lens.window_days) for on in now]
    days_used = [row["day"] for row in usage if row["day"] in now + before]
    first_days = [row["day"] for row in world.of(FirstUse, account_id, known_on=as_of)]
    return AccountFeatures(
        account_id=account_id,
        segment=known.get("segment"),
        excluded=known.get("excluded", False),
        end_customers=known.get("end_customers"),
        feature_exceptions=known.get("feature_exceptions", {}),
        adopted=_adopted(usage, lens, now),
        adopted_before=_adopted(usage, lens, before),
        active_users=_active_users(world, usage, lens, now, as_of),
        active_users_before=_active_users(world, usage, lens, before, as_of),
        reached=_reached(usage, reach, lens, now),
        reached_before=_reached(usage, reach, lens, before),
        last_used_on=max(days_used, default=None),
        first_used_on=min(first_days, default=None),
        **_payment(_periods(world, account_id, as_of), known, lens, now),
    )


def _known_account(world: World, account_id: str) -> Row:
    return next((row for row in world.rows.get(Account, []) if row["account_id"] == account_id), {})


def _person(world: World, row: Row, as_of: date) -> str | None:
    if not row["is_anonymous"]:
        return str(row["user_id"])
    return next(
        (
            alias["user_id"]
            for alias in world.rows[UserAlias]
            if alias["anonymous_id"] == row["user_id"] and alias["known_on"] <= as_of
        ),
        None,
    )


def _excluded(world: World, row: Row, as_of: date) -> bool:
    person = _person(world, row, as_of)
    return any(user["user_id"] == person and user["excluded"] for user in world.rows[User])


def _adopted(usage: Iterable[Row], lens: Lens, days: Collection[date]) -> list[str]:
    used = {
        (feature, row["day"])
        for row in usage
        for event_name, feature in lens.product.events
        if row["event_name"] == event_name and row["day"] in days
    }
    features = sorted({feature for feature, _ in used})
    return [key for key in features if sum(feature == key for feature, _ in used) >= 2]


def _active_users(
    world: World, usage: Iterable[Row], lens: Lens, days: Collection[date], as_of: date
) -> int:
    of_product = {event_name for event_name, _ in lens.product.events}
    people = {
        _person(world, row, as_of)
        for row in usage
        if row["day"] in days and row["event_name"] in of_product
    }
    return len(people - {None})


def _reached(usage: Iterable[Row], reach: Iterable[Row], lens: Lens, days: Collection[date]) -> int:
    match lens.reach.kind:
        case "ids":
            return len({row["end_customer_id"] for row in reach if row["day"] in days})
        case "property":
            return sum(row["quantity"] for row in usage if row["day"] in days)
    named = lens.reach.events
    return sum(r["events"] for r in usage if r["day"] in days and r["event_name"] in named)


def _periods(world: World, account_id: str, as_of: date) -> list[Row]:
    """Of what was said of one start the newest counts; one that ends at its start is withdrawn."""
    newest: dict[tuple[str, date], Row] = {}
    said = world.of(Subscription, account_id, known_on=as_of)
    for row in sorted(said, key=lambda row: row["known_on"]):
        newest[row["subscription_id"], row["starts_on"]] = row
    return [
        row
        for row in newest.values()
        if row["starts_on"] <= as_of and row["ends_on"] != row["starts_on"]
    ]


def _payment(periods: list[Row], known: Row, lens: Lens, now: list[date]) -> Row:
    as_of = now[0]
    running = [row for row in periods if _covers(row, as_of)]
    paying = [row for row in periods if row["mrr_cents"] > 0]
    pays = any(_covers(row, as_of) for row in paying)
    in_window = [row for row in paying if any(_covers(row, on) for on in now)]
    no_rate = any(row["currency"] != lens.base_currency for row in in_window)
    paid_a_day = [sum(row["mrr_cents"] for row in paying if _covers(row, on)) for on in now]
    paid_a_day = [cents for cents in paid_a_day if cents]
    newest = sorted(running, key=lambda row: row["subscription_id"])
    newest = sorted(newest, key=lambda row: row["starts_on"], reverse=True)
    seats = [row["seats"] for row in running if row["seats"] is not None]
    renewals = [row["renewal_on"] for row in running if row["renewal_on"]]
    ends = [row["ends_on"] for row in paying if row["ends_on"]]
    return {
        "first_paid_on": min((row["starts_on"] for row in paying), default=None),
        "paid_until": None if pays else max(ends, default=None),
        "pays": pays,
        "no_rate": no_rate,
        "price_cents": sum(paid_a_day) / len(paid_a_day) if pays and not no_rate else None,
        "mrr_cents": sum(row["mrr_cents"] for row in running),
        "currency": next((row["currency"] for row in newest), None),
        "seats": sum(seats) if seats else None,
        "plan": next((row["plan"] for row in newest if row["plan"]), known.get("plan")),
        "renewal_on": min((on for on in renewals if on >= as_of), default=None),
    }


def _covers(row: Row, on: date) -> bool:
    return bool(row["starts_on"] <= on and (row["ends_on"] is None or on < row["ends_on"]))
