"""From an accepted event to the webhook that tells of it, and what rules cost a refresh."""

import time
from dataclasses import dataclass, field
from statistics import median

import orjson

from app.alerts import rule_service
from app.alerts import service as alerts
from app.alerts.rules import AlertOperator, AlertRuleConfig
from app.bench import load, probing
from app.bench.client import OK, Line
from app.bench.fill import fill, score
from app.bench.probing import EVENTS_PER_SECOND, GIVE_UP_SECONDS, PAST, POLL_SECONDS, PROBES
from app.bench.receivers import Receiver, aim, listening
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, by_bench, database, now, service, tenant
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

BAR_SECONDS, BAR_SHARE = 3.0, 0.1
SET, ROUNDS = 500, 10

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
BUSY = "and a sweep and a backtest"
KEY = "low_mood"
"""One group call that says another mood is a crossing."""


def run() -> list[Result]:
    with database() as rig:
        owner, told = tenant(rig, "alerts"), Told()
        _prepare(rig, owner)
        cost = _cost(rig, owner)
        with listening(receiver := Receiver(heard=told.hear)):
            aim(rig, owner, [receiver], types=["alert.opened"])
            with service(rig, workers=1, worker=True) as server:
                busy = _waits(server, owner, told, first=probing.SHAPE.accounts // 2)
                probing.settle(rig)
                calm = _waits(server, owner, told, first=0)
    what = f"event to webhook received, {EVENTS_PER_SECOND} events/s"
    return [
        probing.told(f"{what} meanwhile", calm, "crossings", BAR_SECONDS),
        probing.told(f"{what} {BUSY}", busy, "crossings", None),
        cost,
    ]


def _prepare(rig: Rig, owner: Tenant) -> None:
    fill(rig, owner, PAST)
    rig.run("UPDATE account SET traits = '{\"mood\": 80}'")
    with transaction(rig.sessions) as session:
        by = by_bench(owner.id)
        row = scorecard_service.draft(session, by, CARD)
        scorecard_service.activate(session, by, row.version)
        rule_service.put(session, by, KEY, RULE)
    score(rig, owner)


@dataclass
class Told:
    """When the receiver heard of which account's crossing."""

    at: dict[str, float] = field(default_factory=dict)

    def hear(self, body: bytes) -> None:
        data = orjson.loads(body)["data"]
        if data["rule"]["id"] == KEY:
            self.at[data["account_id"]] = time.monotonic()


def _cost(rig: Rig, owner: Tenant) -> Result:
    """Evaluate the rules of a set that was just scored, and compare with the scoring."""
    scored, evaluated = [], []
    with transaction(rig.sessions) as session:
        ids = queries.list_account_ids(session, owner.id)
    for turn in range(ROUNDS):
        some = ids[turn * SET : (turn + 1) * SET]
        moment = now()
        with transaction(rig.sessions) as session:
            began = time.perf_counter()
            found = health.refresh(session, owner.id, some, as_of=moment.date(), now=moment)
            between = time.perf_counter()
            alerts.refresh(session, found, alerts.EvaluationRun(owner.id, moment.date(), moment))
            evaluated.append(time.perf_counter() - between)
            scored.append(between - began)
    share = median(e / s for e, s in zip(evaluated, scored, strict=True))
    return Result(
        f"rules of {SET} accounts",
        f"{1000 * median(evaluated):.0f} ms",
        f"scoring them {1000 * median(scored):.0f} ms",
        f"≤ {BAR_SHARE:.0%}",
        share <= BAR_SHARE,
        ratio=share,
    )


def _waits(server: Service, owner: Tenant, told: Told, *, first: int) -> list[float]:
    """Send a steady load; meanwhile measure how long crossings take to be told."""
    probes = [_Probe(owner, told, first + n) for n in range(PROBES)]
    return probing.waits(server, owner, f"alerts {first}", probes)


@dataclass
class _Probe:
    """Lets one account after the other cross the threshold, and waits until that is heard."""

    owner: Tenant
    told: Told
    account: int

    @staticmethod
    def pause() -> float:
        return 0.1

    def wait(self, line: Line) -> float:
        account_id = f"a{self.account}"
        self.account += PROBES
        call = {
            "type": "group",
            "messageId": f"mood {account_id}",
            "userId": f"{account_id}-u0",
            "groupId": account_id,
            "traits": {"mood": 10},
        }
        request = load.request(self.owner.write_key, [call])
        while line.ask(request)[0] != OK:  # as an SDK does
            time.sleep(POLL_SECONDS)
        accepted = time.monotonic()
        while account_id not in self.told.at:
            if time.monotonic() - accepted > GIVE_UP_SECONDS:
                return GIVE_UP_SECONDS
            time.sleep(POLL_SECONDS)
        return self.told.at[account_id] - accepted
