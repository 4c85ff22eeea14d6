"""The load: seeded, skewed events of many accounts as Segment calls, and their requests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

import orjson

from app.events.reading import segment
from app.events.reading.batch import Batch, parse_batch
from app.events.reading.canonical import EventRules
from app.events.reading.times import ReceiveContext
from bench.rig.client import post

Call = Mapping[str, Any]
Calls = Sequence[Call]


@dataclass(frozen=True, slots=True)
class LoadShape:
    """The busiest account sends about ``accounts ** skew`` times as much as the idlest.

    ``users``: per account. ``end_customers``: ids, which a share of the events names.
    """

    accounts: int = 2_000
    users: int = 20
    names: int = 20
    end_customers: int = 50
    end_customer_share: float = 0.2
    skew: float = 0.8


def calls(shape: LoadShape, count: int, *, seed: str, now: datetime) -> Iterator[Call]:
    """Yield Segment calls in order of time, a millisecond apart, the last one just before now."""
    random = Random(seed)  # noqa: S311 - a load, no secret
    accounts = random.choices(
        range(shape.accounts), cum_weights=_skewed(shape, shape.accounts), k=count
    )
    users = random.choices(range(shape.users), cum_weights=_skewed(shape, shape.users), k=count)
    names = random.choices(range(shape.names), cum_weights=_skewed(shape, shape.names), k=count)
    first = now.astimezone(UTC) - timedelta(milliseconds=count)
    for n, (account, user, name) in enumerate(zip(accounts, users, names, strict=True)):
        properties: dict[str, Any] = {"screen": "inbox", "milliseconds": n % 997}
        if random.random() < shape.end_customer_share:
            properties["end_customer_id"] = f"c{random.randrange(shape.end_customers)}"
        yield {
            "type": "track",
            "messageId": f"{seed}-{n}",
            "timestamp": (first + timedelta(milliseconds=n)).isoformat(timespec="milliseconds"),
            "userId": f"a{account}-u{user}",
            "event": f"Event {name}",
            "context": {"groupId": f"a{account}", "library": {"name": "bench", "version": "1"}},
            "properties": properties,
        }


def batches(shape: LoadShape, count: int, size: int, *, seed: str, now: datetime) -> list[Calls]:
    """Return ``count`` batches of ``size`` calls each, in order of time."""
    made = list(calls(shape, count * size, seed=seed, now=now))
    return [made[start : start + size] for start in range(0, len(made), size)]


def request(key: str, batch: Calls) -> bytes:
    """Return the request that sends a batch."""
    return post("/v1/batch", key, orjson.dumps({"batch": batch}))


def parsed_rows(batch: Calls, *, now: datetime) -> list[dict[str, Any]]:
    """Parse a batch as the service does; return the rows that its ingest function stores."""
    parsed = parse_batch(
        Batch(batch), segment.parse_call, EventRules(), ReceiveContext(now, None, None, None)
    )
    return [event.row() for event in parsed.events]


def _skewed(shape: LoadShape, size: int) -> list[float]:
    """Return cumulative weights that fall with the position."""
    return list(accumulate((n + 1) ** -shape.skew for n in range(size)))
