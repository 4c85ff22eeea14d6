"""Random rows of usage, reach, accounts and subscriptions, as ingestion and the API write them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.db import Table
from app.tables import (
    Account,
    DailyReach,
    DailyUsage,
    ExchangeRate,
    FirstUse,
    Subscription,
    User,
    UserAlias,
)

AS_OF = date(2026, 3, 18)
EVENT_NAMES = ("Export", "Share", "Invite", "Search", "Viewed home")
PEOPLE = (*((name, False) for name in ("ada", "ben", "cyd", "dov")), ("", True))
VISITORS = tuple((f"anon-{number}", True) for number in range(4))
ACCOUNTS = tuple(f"a{number}" for number in range(8))

Row = dict[str, Any]


def day(back: int) -> date:
    """Return the day ``back`` days before AS_OF; negative: after it."""
    return AS_OF - timedelta(days=back)


@dataclass
class World:
    """Rows by table, as ingestion and the accounts API write them."""

    rows: dict[type[Table], list[Row]] = field(default_factory=dict)

    def add(self, table: type[Table], **columns: object) -> None:
        self.rows.setdefault(table, []).append({"workspace_id": "acme", **columns})

    def rows_of(self, table: type[Table], account_id: str, *, known_on: date) -> list[Row]:
        """Return the rows of an account that were known on a day."""
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
            industry=random.choice([None, "steel"]),
            owner=random.choice([None, "kim"]),
            employees=random.choice([None, 12]),
            traits=random.choice([{}, {"csat": 4.5, "tier": None}, {"tier": ["a"], "else": 1}]),
        )
        _add_usage(world, random, account_id)
        _add_reach(world, random, account_id)
        _add_subscriptions(world, random, account_id)
    _add_rates(world, random)
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


def _person(number: int) -> Row:
    user_id, is_anonymous = (*PEOPLE, *VISITORS)[number % len((*PEOPLE, *VISITORS))]
    return {"user_id": user_id, "is_anonymous": is_anonymous}


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
            **_person(number + back),
        )


def _add_subscriptions(world: World, random: Random, account_id: str) -> None:
    """Overlaps, gaps, free periods, other currencies, and starts restated on a later day."""
    lengths: list[int | None] = random.choice([[0, 5, 20, 60], [None, None, 5, 20, 200]])
    starts = {
        (random.choice(["main", "extra"]), (back := random.randint(-5, 90)), back - later)
        for later in random.choice([[], [0], [0, 7], [0, 0, 40, -3, 1]])
    }
    for subscription_id, back, known in sorted(starts):
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
                currency=random.choice(["USD"] * 5 + ["EUR", "EUR", "JPY"]),
                seats=random.choice([None, 3, 10]),
                renewal_on=random.choice([None, day(-20), day(10)]),
                notice_days=(None, 0, 30)[back % 3],
                billing_period_months=(1, None, 12)[back % 3],
                term_months=(None, 24, None, 3)[back % 4],
                auto_renews=(True, None, False)[back % 3],
                discount_share=(None, 0.1)[back % 2],
                source="api",
            )


def _add_rates(world: World, random: Random) -> None:
    """The rate of the euro changes often; the yen has no rate at first."""
    for currency, backs in (("EUR", (200, 60, 30, 10, -3)), ("JPY", (20, 1))):
        for back in backs:
            rate = Decimal(random.randint(1, 30_000)) / 10_000
            world.add(ExchangeRate, currency=currency, starts_on=day(back), rate=rate)
