"""Whether storing an event costs more when many are stored already (BENCH_EVENTS of them)."""

import os
from datetime import datetime
from statistics import median

from app.bench import load
from app.bench.ingest import SHAPE, check_stored, send
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, database, now, service, tenant

EVENTS = int(os.environ.get("BENCH_EVENTS", "10000000"))
AT_ONCE = 1_000_000
ROUNDS, BATCHES = 3, 400
SENT = 100 * BATCHES * (ROUNDS + 1)
BAR = 0.8

# The same accounts, users and names as the load, skewed, in order of time over the month so far.
EVENTS_OF_THE_PAST = """
INSERT INTO event (
    workspace_id, client_at, message_id, occurred_at, received_at, kind, name, account_id, user_id,
    key_id, sdk, fingerprint, properties
)
SELECT :id, at, 'past-' || n, at, at, 'track', 'Event ' || CAST(floor(random() * :names) AS int),
       'a' || account, 'a' || account || '-u' || CAST(floor(random() * :users) AS int),
       :key_id, 'bench/1', n, '{"screen": "inbox", "milliseconds": 7}'
FROM generate_series(CAST(:first AS bigint), :last) AS n,
     LATERAL (
         SELECT CAST(:start AS timestamptz) + (CAST(:until AS timestamptz) - :start) * n / :events
                AS at,
                CAST(floor(power(random(), 3) * :accounts) AS int) + 0 * n AS account
     ) AS drawn
"""
USAGE_OF_THE_PAST = """
INSERT INTO daily_usage (
    workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name, events
)
SELECT workspace_id, account_id, CAST(client_at AS date), CAST(client_at AS date), user_id, false,
       name, count(*)
FROM event WHERE workspace_id = :id AND message_id LIKE 'past-%'
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (workspace_id, account_id, day, known_on, user_id, is_anonymous, event_name)
DO UPDATE SET events = daily_usage.events + excluded.events
"""


def run() -> list[Result]:
    with database() as rig, service(rig, workers=2) as server:
        owner = tenant(rig, "growth")
        before = _rate(rig, server, owner, "before")
        _add_past(rig, owner, now())
        after = _rate(rig, server, owner, "after")
        check_stored(rig, owner, EVENTS + 2 * SENT)
    ratio = after / before
    return [
        Result(
            f"batches of 100 over {EVENTS:,} events",
            f"{after:,.0f} events/s",
            f"over none {before:,.0f}/s",
            f"≥ {BAR:.0%}",
            ratio >= BAR,
            ratio=ratio,
        )
    ]


def _rate(rig: Rig, server: Service, owner: Tenant, seed: str) -> float:
    """Return events a second, the first round left out: it fills the caches."""
    rates = []
    for turn in range(ROUNDS + 1):
        made = load.batches(SHAPE, BATCHES, 100, seed=f"{seed}{turn}", now=now())
        rates.append(100 * send(server, owner, made).per_second)
    rig.maintain()
    return median(rates[1:])


def _add_past(rig: Rig, owner: Tenant, until: datetime) -> None:
    values = {
        "id": owner.id,
        "key_id": owner.key_id,
        "start": until.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        "until": until,
        "events": EVENTS,
        "accounts": SHAPE.accounts,
        "users": SHAPE.users,
        "names": SHAPE.names,
    }
    for first in range(1, EVENTS + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, EVENTS)
        rig.run(EVENTS_OF_THE_PAST, **values, first=first, last=last)
    rig.run(USAGE_OF_THE_PAST, id=owner.id)
    rig.maintain()
