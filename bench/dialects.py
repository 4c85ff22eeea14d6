"""How many events a second are stored from PostHog and CloudEvents, beside Segment's dialect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import orjson

from bench.results import Result
from bench.rig import load
from bench.rig.client import RequestPlan, drive, post
from bench.rig.counting import check_stored
from bench.rig.load import LoadShape
from bench.rig.rig import Rig, create_tenant, now
from bench.rig.service import Service

MIN_RATIO = 0.85
BATCH_SIZE = 100
REFERENCE = "segment"


@dataclass(frozen=True, slots=True)
class Sizes:
    """``events``: in each round and dialect. The others are those of the benchmark of ingestion."""

    shape: LoadShape
    rounds: int
    workers: int
    clients: int
    events: int
    warm_up_events: int


FULL = Sizes(LoadShape(), rounds=5, workers=2, clients=8, events=40_000, warm_up_events=10_000)
SMALLEST = Sizes(
    LoadShape(accounts=5, users=2),
    rounds=1,
    workers=1,
    clients=2,
    events=1_000,
    warm_up_events=500,
)


def _posthog_event(call: load.Call) -> dict[str, Any]:
    return {
        "event": call["event"],
        "uuid": call["messageId"],
        "distinct_id": call["userId"],
        "timestamp": call["timestamp"],
        "properties": {
            **call["properties"],
            "$groups": {"company": call["context"]["groupId"]},
            "$lib": "bench",
            "$lib_version": "1",
        },
    }


def _posthog_request(key: str, batch: load.Calls) -> bytes:
    return post("/batch/", key, orjson.dumps({"batch": [*map(_posthog_event, batch)]}))


def _cloud_event(call: load.Call) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": call["messageId"],
        "source": "bench",
        "type": call["event"],
        "time": call["timestamp"],
        "accountid": call["context"]["groupId"],
        "userid": call["userId"],
        "data": call["properties"],
    }


def _cloud_events_request(key: str, batch: load.Calls) -> bytes:
    body = orjson.dumps([*map(_cloud_event, batch)])
    content_type = "application/cloudevents-batch+json"
    return post("/api/v1/events", key, body, content_type=content_type)


DIALECTS: Mapping[str, Callable[[str, load.Calls], bytes]] = {
    REFERENCE: load.request,
    "posthog": _posthog_request,
    "cloudevents": _cloud_events_request,
}


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    service = rig.shared_service(workers=sizes.workers)
    rounds = [_measure_round(rig, service, f"dialects {n}", sizes) for n in range(sizes.rounds)]
    return [_result(name, rounds) for name in DIALECTS if name != REFERENCE]


def _measure_round(rig: Rig, service: Service, name: str, sizes: Sizes) -> dict[str, float]:
    """Send the same events in each dialect, each to a workspace of its own."""
    at = now()
    warm_up, batches = (
        load.batches(sizes.shape, count // BATCH_SIZE, BATCH_SIZE, seed=f"{name} {seed}", now=at)
        for seed, count in (("warm", sizes.warm_up_events), ("", sizes.events))
    )
    rates: dict[str, float] = {}
    for dialect, request in DIALECTS.items():
        tenant = create_tenant(rig, f"{name} {dialect}")

        def send(some: Sequence[load.Calls]) -> float:
            requests = [request(tenant.write_key, each) for each in some]  # noqa: B023 - used at once
            plan = RequestPlan(service.port, requests, sizes.clients)
            return BATCH_SIZE * drive(plan).require_success().per_second

        send(warm_up)
        rates[dialect] = send(batches)
        check_stored(rig, tenant, BATCH_SIZE * (len(warm_up) + len(batches)))
    return rates


def _result(dialect: str, rounds: Sequence[Mapping[str, float]]) -> Result:
    rate, reference = (median(each[name] for each in rounds) for name in (dialect, REFERENCE))
    ratio = median(each[dialect] / each[REFERENCE] for each in rounds)
    return Result(
        f"{dialect}, batches of {BATCH_SIZE}",
        rate,
        f"{rate:,.0f} events/s",
        f"Segment's dialect {reference:,.0f}/s",
        f"≥ {MIN_RATIO:.0%}",
        ratio >= MIN_RATIO,
        ratio,
    )
