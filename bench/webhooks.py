"""How fast messages are delivered, and what hanging receivers change."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.webhooks.http_client import DEADLINE_SECONDS
from bench.results import Result
from bench.rig import memory
from bench.rig.client import percentile
from bench.rig.delivery import (
    ATTEMPTS,
    create_workspace,
    end,
    publish,
    start_worker,
    wait_for_deliveries,
    wait_for_requests,
)
from bench.rig.receivers import Receiver, listening
from bench.rig.rig import Rig
from bench.rig.service import wait_until

MIN_PER_SECOND, MAX_GOOD_SECONDS, MAX_GROWTH = 300, 2.0, 1.1
SLACK_MILLISECONDS = 1_000

LONGEST = "SELECT max(milliseconds) FROM attempt WHERE workspace_id = :id AND status IS NULL"
UNSWEPT = "SELECT count(*) FROM workspace WHERE swept_on IS NULL"


@dataclass(frozen=True, slots=True)
class Sizes:
    """``fast``: messages to one fast receiver.

    ``bad``: receivers that hang for ``hang_seconds``, beside a good one. All of them get
    ``messages`` at a steady rate; after every ``memory_every`` of them the memory of the worker is
    measured. ``last_attempts_seconds``: how long the last attempts of the bad ones take.
    """

    fast: int
    bad: int
    hang_seconds: float
    messages: int
    messages_per_second: int
    memory_every: int
    last_attempts_seconds: float


FULL = Sizes(
    fast=6_000,
    bad=20,
    hang_seconds=3600,
    messages=600,
    messages_per_second=10,
    memory_every=100,
    last_attempts_seconds=DEADLINE_SECONDS,
)
SMALLEST = Sizes(
    fast=40,
    bad=2,
    hang_seconds=0.6,
    messages=6,
    messages_per_second=10,
    memory_every=3,
    last_attempts_seconds=1,
)


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    return [
        _measure_rate(rig, sizes.fast),
        *_measure_fairness(rig, sizes),
    ]


def _measure_rate(rig: Rig, count: int) -> Result:
    receiver = Receiver()
    with listening(receiver):
        workspace_id = create_workspace(rig, "rate", [receiver])
        publish(rig, workspace_id, count)
        rig.maintain()
        worker = start_worker(rig)
        wait_for_deliveries(rig, workspace_id, count, worker)
        end(worker)
    seconds = receiver.received[-1][0] - receiver.received[0][0]
    rate, attempts = count / seconds, rig.number(ATTEMPTS, id=workspace_id)
    return Result(
        "deliveries, one worker, one fast receiver",
        rate,
        f"{rate:,.0f}/s",
        f"{count:,} in {seconds:.1f} s, {attempts:,} attempt rows",
        f"≥ {MIN_PER_SECOND}/s",
        rate >= MIN_PER_SECOND and attempts == count,
        rate / MIN_PER_SECOND,
    )


def _measure_fairness(rig: Rig, sizes: Sizes) -> list[Result]:
    """Deliver to a good receiver while bad ones never answer."""
    good = Receiver()
    bad = [Receiver(hang_seconds=sizes.hang_seconds, drips=bool(n % 2)) for n in range(sizes.bad)]
    with listening(good, *bad):
        workspace_id = create_workspace(rig, "fairness", [good, *bad])
        worker = start_worker(rig)
        wait_until(lambda: not rig.number(UNSWEPT), worker)
        published, megabytes = _publish_steadily(rig, workspace_id, worker.pid, sizes)
        wait_for_requests(good, len(published), worker)
        time.sleep(sizes.last_attempts_seconds)
        end(worker)
    waits = [at - published[message_id] for at, message_id in good.received]
    return [
        *_good_receiver_results(waits, published, sizes.bad),
        _bad_receiver_result(rig.number(LONGEST, id=workspace_id), bad),
        _memory_result(megabytes, sizes.memory_every),
    ]


def _publish_steadily(
    rig: Rig, workspace_id: str, pid: int, sizes: Sizes
) -> tuple[dict[str, float], list[float]]:
    """Return when each message was published, and the memory of the worker now and then."""
    published: dict[str, float] = {}
    megabytes: list[float] = []
    for n in range(1, sizes.messages + 1):
        [message_id] = publish(rig, workspace_id, 1)
        published[message_id] = time.time()
        time.sleep(1 / sizes.messages_per_second)
        if n % sizes.memory_every == 0:
            megabytes.append(memory.resident(pid))
    return published, megabytes


def _good_receiver_results(
    waits: Sequence[float], published: Mapping[str, float], bad: int
) -> list[Result]:
    p99 = percentile(waits, 0.99)
    return [
        Result(
            f"good receiver beside {bad} that hang or drip",
            p99,
            f"p99 {p99:.2f} s",
            f"p50 {percentile(waits, 0.5):.2f} s, {len(waits)} messages",
            f"p99 ≤ {MAX_GOOD_SECONDS:.0f} s",
            p99 <= MAX_GOOD_SECONDS,
        ),
        Result(
            "messages to the good receiver",
            len(waits),
            f"{len(waits)} received",
            f"{len(published)} published",
            "equal",
            len(waits) == len(published),
            exact=True,
        ),
    ]


def _bad_receiver_result(longest: int, bad: Sequence[Receiver]) -> Result:
    limit = DEADLINE_SECONDS * 1000 + SLACK_MILLISECONDS
    return Result(
        "longest attempt of a bad receiver",
        longest,
        f"{longest / 1000:.2f} s",
        f"{sum(len(receiver.received) for receiver in bad)} attempts",
        f"≤ {limit / 1000:.0f} s",
        0 < longest <= limit,
    )


def _memory_result(megabytes: Sequence[float], every: int) -> Result:
    return Result(
        f"memory of the worker, every {every} messages",
        megabytes[-1],
        ", ".join(f"{each:.0f}" for each in megabytes) + " MB",
        "the last against the second",
        f"≤ {MAX_GROWTH:.0%}",
        megabytes[-1] <= MAX_GROWTH * megabytes[1],
        megabytes[-1] / megabytes[1],
    )
