"""From an accepted event to the webhook of its alert, and what alert rules cost a refresh."""

import time
from dataclasses import dataclass, field
from statistics import median

import orjson

from app.alerts import rule_service
from app.alerts import service as alerts
from app.alerts.rules import AlertOperator, AlertRuleConfig
from app.core.db import transaction
from app.health.definition.measures import (
    CardMeasure,
    LinearTransform,
    TraitSource,
    default_measures,
)
from app.health.definition.scorecard import Card, Scorecard
from app.health.scoring import queries
from app.health.scoring import service as health
from app.health.versions import service as scorecard_service
from bench.results import Result
from bench.rig import load, probing
from bench.rig.client import OK, HttpConnection
from bench.rig.fill import fill, score_accounts
from bench.rig.probing import GIVE_UP_SECONDS, POLL_SECONDS
from bench.rig.receivers import Receiver, create_endpoints, listening
from bench.rig.rig import Rig, Tenant, bench_actor, create_tenant, now
from bench.rig.service import Service

MAX_SECONDS, MAX_SHARE = 3.0, 0.1

MOOD = CardMeasure(
    name="mood",
    source=TraitSource(trait="mood"),
    transform=LinearTransform(at_0=0, at_100=100),
    weight=0.01,
)
CARD = Scorecard(default=Card(measures=[*default_measures(), MOOD]))
RULE = AlertRuleConfig(
    name="Low mood", signal="measure:mood", operator=AlertOperator.BELOW, fire_at=40
)
RULE_KEY = "low_mood"
"""A single group call that changes the trait ``mood`` makes this rule fire."""
GOOD_MOOD = "UPDATE account SET traits = '{\"mood\": 80}' WHERE workspace_id = :id"


@dataclass(frozen=True, slots=True)
class Sizes:
    """``set_size``: accounts of a refresh, for the cost of the rules; ``rounds`` such refreshes."""

    probing: probing.Sizes
    set_size: int
    rounds: int


FULL = Sizes(probing.FULL, set_size=500, rounds=10)
SMALLEST = Sizes(probing.SMALLEST, set_size=5, rounds=2)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    """Measure during the work that follows a start (a sweep, a backtest), and after it."""
    tenant, received = create_tenant(rig, "alerts"), _ReceivedAlerts()
    _prepare(rig, tenant, sizes)
    cost = _measure_cost(rig, tenant, sizes)
    receiver = Receiver(on_body=received.add)
    with listening(receiver):
        create_endpoints(rig, tenant, [receiver], types=["alert.opened"])
        with rig.service(workers=1, worker=True) as service:
            first = sizes.probing.shape.accounts // 2
            busy = _measure_waits(service, tenant, received, sizes.probing, first=first)
            probing.wait_until_idle(rig, sizes.probing)
            quiet = _measure_waits(service, tenant, received, sizes.probing, first=0)
    name = f"event to webhook received, {sizes.probing.events_per_second} events/s meanwhile"
    busy_name = f"{name}, and a sweep and a backtest"
    return [
        probing.summarize_waits(name, quiet, "alerts", MAX_SECONDS),
        probing.summarize_waits(busy_name, busy, "alerts", None),
        cost,
    ]


def _prepare(rig: Rig, tenant: Tenant, sizes: Sizes) -> None:
    """Fill the workspace and activate a scorecard and a rule for the trait ``mood``."""
    fill(rig, tenant, sizes.probing.volume)
    rig.run(GOOD_MOOD, id=tenant.id)
    with transaction(rig.sessions) as session:
        actor = bench_actor(tenant.id)
        row = scorecard_service.draft(session, actor, CARD)
        scorecard_service.activate(session, actor, row.version)
        rule_service.put(session, actor, RULE_KEY, RULE)
    score_accounts(rig, tenant)


@dataclass
class _ReceivedAlerts:
    """When the receiver got the alert of each account, by the monotonic clock."""

    at: dict[str, float] = field(default_factory=dict)

    def add(self, body: bytes) -> None:
        data = orjson.loads(body)["data"]
        if data["rule"]["id"] == RULE_KEY:
            self.at[data["account_id"]] = time.monotonic()


def _measure_cost(rig: Rig, tenant: Tenant, sizes: Sizes) -> Result:
    """Compare the time that the rules of a set of accounts take with the time to score the set."""
    scoring, evaluation = [], []
    with transaction(rig.sessions) as session:
        ids = queries.list_account_ids(session, tenant.id)
    for n in range(sizes.rounds):
        account_ids = ids[n * sizes.set_size : (n + 1) * sizes.set_size]
        at = now()
        with transaction(rig.sessions) as session:
            began = time.perf_counter()
            assessments = health.refresh(session, tenant.id, account_ids, as_of=at.date(), now=at)
            scored = time.perf_counter()
            alerts.refresh(session, assessments, alerts.EvaluationRun(tenant.id, at.date(), at))
            evaluation.append(time.perf_counter() - scored)
            scoring.append(scored - began)
    share = median(e / s for e, s in zip(evaluation, scoring, strict=True))
    return Result(
        f"rules of {sizes.set_size} accounts",
        median(evaluation),
        f"{1000 * median(evaluation):.0f} ms",
        f"scoring them {1000 * median(scoring):.0f} ms",
        f"≤ {MAX_SHARE:.0%}",
        share <= MAX_SHARE,
        share,
    )


def _measure_waits(
    service: Service,
    tenant: Tenant,
    received: _ReceivedAlerts,
    sizes: probing.Sizes,
    *,
    first: int,
) -> list[float]:
    """Measure during the load how long alerts take. ``first``: the first account that is used."""
    probes = [_AlertProbe(tenant, received, first + n, sizes.probes) for n in range(sizes.probes)]
    return probing.measure_waits(service, tenant, f"alerts {first}", probes, sizes)


@dataclass
class _AlertProbe:
    """Makes the rule fire for one account after the other, every ``step``-th one."""

    tenant: Tenant
    received: _ReceivedAlerts
    account: int
    step: int

    @staticmethod
    def pause_seconds() -> float:
        return 0.1

    def measure_wait(self, connection: HttpConnection) -> float:
        account_id = f"a{self.account}"
        self.account += self.step
        call = {
            "type": "group",
            "messageId": f"mood {account_id}",
            "userId": f"{account_id}-u0",
            "groupId": account_id,
            "traits": {"mood": 10},
        }
        request = load.request(self.tenant.write_key, [call])
        while connection.send(request)[0] != OK:  # retry as an SDK does
            time.sleep(POLL_SECONDS)
        accepted_at = time.monotonic()
        while account_id not in self.received.at:
            if time.monotonic() - accepted_at > GIVE_UP_SECONDS:
                return GIVE_UP_SECONDS
            time.sleep(POLL_SECONDS)
        return self.received.at[account_id] - accepted_at
