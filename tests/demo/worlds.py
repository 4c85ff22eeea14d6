"""Read the calls and the subscriptions of a simulated world."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from app.demo.simulate import Subscription, World

LAST_DAY = date(2026, 1, 31)


Days = list[tuple[date, list[dict[str, Any]]]]


def calls(days: Days) -> Iterator[dict[str, Any]]:
    return (call for _, today in days for call in today)


def periods(world: World, account_id: str) -> list[Subscription]:
    return [row for row in world.subscriptions if row.account_id == account_id]
