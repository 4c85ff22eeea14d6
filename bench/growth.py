"""Whether storing an event costs more when the table already has millions of events."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bench.results import Result
from bench.rig import load
from bench.rig.counting import check_stored, send
from bench.rig.load import LoadShape
from bench.rig.rig import Rig, Tenant, create_tenant, now
from bench.rig.service import Service

CLIENTS = 8
MAX_EVENTS_PER_STATEMENT = 1_000_000
MIN_RATIO = 0.8


@dataclass(frozen=True, slots=True)
class Sizes:
    """``past_events``: how many the table gets. ``batches``: of 100 events, sent in each round.

    ``shape``: of the load and of the past events. ``workers``: processes of the service.
    """

    shape: LoadShape
    past_events: int
    workers: int
    rounds: int
    batches: int


FULL = Sizes(LoadShape(), past_events=10_000_000, workers=2, rounds=3, batches=400)
SMALLEST = Sizes(LoadShape(accounts=5, users=2), past_events=1_000, workers=1, rounds=1, batches=3)

# The same accounts, users and names as the load, as skewed, over the month so far in order of time.
PAST_EVENTS = """
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
PAST_USAGE = """
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


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    service = rig.shared_service(workers=sizes.workers)
    tenant = create_tenant(rig, "growth")
    before = _measure_rate(rig, service, tenant, "before", sizes)
    _add_past_events(rig, tenant, sizes, now())
    after = _measure_rate(rig, service, tenant, "after", sizes)
    sent = 2 * 100 * sizes.batches * (sizes.rounds + 1)
    check_stored(rig, tenant, sizes.past_events + sent)
    ratio = after / before
    return [
        Result(
            f"batches of 100 into a table of {sizes.past_events:,} events",
            after,
            f"{after:,.0f} events/s",
            f"into an empty table {before:,.0f}/s",
            f"≥ {MIN_RATIO:.0%}",
            ratio >= MIN_RATIO,
            ratio,
        )
    ]


def _measure_rate(rig: Rig, service: Service, tenant: Tenant, seed: str, sizes: Sizes) -> float:
    """Return events a second without the first round, which fills the caches."""
    rates = []
    for n in range(sizes.rounds + 1):
        batches = load.batches(sizes.shape, sizes.batches, 100, seed=f"{seed}{n}", now=now())
        rates.append(100 * send(service, tenant, batches, clients=CLIENTS).per_second)
    rig.maintain()
    return median(rates[1:])


def _add_past_events(rig: Rig, tenant: Tenant, sizes: Sizes, until: datetime) -> None:
    shape, count = sizes.shape, sizes.past_events
    values = {
        "id": tenant.id,
        "key_id": tenant.key_id,
        "start": until.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        "until": until,
        "events": count,
        "accounts": shape.accounts,
        "users": shape.users,
        "names": shape.names,
    }
    for first in range(1, count + 1, MAX_EVENTS_PER_STATEMENT):
        last = min(first + MAX_EVENTS_PER_STATEMENT - 1, count)
        rig.run(PAST_EVENTS, **values, first=first, last=last)
    rig.run(PAST_USAGE, id=tenant.id)
    rig.maintain()
