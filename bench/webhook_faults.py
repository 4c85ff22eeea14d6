"""Whether a message is lost or recorded twice when delivery workers are killed or stopped."""

import signal
import time
from collections import Counter
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from app.webhooks.delivery_worker import LEASE
from app.webhooks.endpoint_state import MAX_LIMIT
from bench.results import Result
from bench.rig.delivery import (
    ATTEMPTS,
    CLAIMED,
    METRICS_FOLDER,
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

DELIVERED_TWICE = """SELECT count(*) FROM (SELECT FROM attempt WHERE workspace_id = :id
AND status = 204 GROUP BY message_id HAVING count(*) > 1) twice"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """``kills``: of a worker, during ``messages_of_kills``. ``workers``: half of them are stopped.

    ``rest_seconds``: after them nothing must be claimed any more.
    ``late_seconds``: until stopped workers that go on have tried to record their results.
    ``clock_offset``: seconds by which the clock of the workers that take over is ahead, so that
    the leases of the others have ended.
    """

    kills: int
    messages_of_kills: int
    rest_seconds: float
    workers: int
    messages_of_stops: int
    late_seconds: float
    clock_offset: float


FULL = Sizes(
    kills=20,
    messages_of_kills=2_000,
    rest_seconds=2 * LEASE.total_seconds(),
    workers=4,
    messages_of_stops=400,
    late_seconds=3,
    clock_offset=0,
)
SMALLEST = Sizes(
    kills=1,
    messages_of_kills=40,
    rest_seconds=0.5,
    workers=2,
    messages_of_stops=20,
    late_seconds=1,
    clock_offset=2 * LEASE.total_seconds(),
)


def kill_workers(rig: Rig, sizes: Sizes) -> Result:
    """Kill one worker after the other during deliveries; the last one delivers the rest."""
    receiver, kills, count = Receiver(wait_seconds=0.05), sizes.kills, sizes.messages_of_kills
    with listening(receiver):
        workspace_id = create_workspace(rig, "worker kills", [receiver])
        ids = publish(rig, workspace_id, count)
        for n in range(kills):
            before = len(receiver.received)
            worker = start_worker(rig)
            wait_for_requests(receiver, before + count // kills // 2, worker)
            time.sleep(0.01 * n)
            worker.kill()
            worker.wait()
        worker = start_worker(rig, clock_offset=sizes.clock_offset)
        wait_for_deliveries(rig, workspace_id, count, worker)
        time.sleep(sizes.rest_seconds)
        claimed = rig.number(CLAIMED, id=workspace_id)
        end(worker)
    times = Counter(receiver.message_ids)
    lost, repeats = len(set(ids) - set(times)), times.total() - len(times)
    return Result(
        f"{kills} kills of the worker during {count:,} deliveries",
        lost,
        f"{lost} lost, {repeats} repeats, {claimed} still claimed",
        f"at most {max(times.values())} times the same id",
        f"0 lost, ≤ {kills * MAX_LIMIT} repeats, 0 claimed",
        set(times) == set(ids) and repeats <= kills * MAX_LIMIT and not claimed,
        exact=True,
    )


def stop_workers(rig: Rig, sizes: Sizes) -> list[Result]:
    """Stop half of the workers, with claimed deliveries, until their leases have ended.

    The other half starts after the stop; otherwise they might claim all deliveries.
    """
    receiver, half, count = Receiver(wait_seconds=0.5), sizes.workers // 2, sizes.messages_of_stops
    with listening(receiver):
        workspace_id = create_workspace(rig, "worker stops", [receiver])
        stopped = [start_worker(rig) for _ in range(half)]
        publish(rig, workspace_id, count)
        claimed_by_all = sizes.workers * 4
        wait_until(lambda: rig.number(CLAIMED, id=workspace_id) >= claimed_by_all, *stopped)
        time.sleep(0.2)  # until the claimed deliveries are sent
        for worker in stopped:
            worker.send_signal(signal.SIGSTOP)
        others = [start_worker(rig, clock_offset=sizes.clock_offset) for _ in range(half)]
        wait_for_deliveries(rig, workspace_id, count, *others)
        for worker in stopped:
            worker.send_signal(signal.SIGCONT)
        time.sleep(sizes.late_seconds)
        twice, attempts = (rig.number(q, id=workspace_id) for q in (DELIVERED_TWICE, ATTEMPTS))
        end(*stopped, *others)
    stale = _count_stale_results(rig)
    return [
        Result(
            f"{sizes.workers} workers, half of them stopped past the lease",
            twice,
            f"{twice} recorded twice",
            f"{attempts} attempt rows, {len(receiver.received)} requests",
            f"0 twice, {count} rows",
            not twice and attempts == count,
            exact=True,
        ),
        Result("late results that were refused", stale, f"{stale}", "", "> 0", stale > 0),
    ]


def _count_stale_results(rig: Rig) -> int:
    """Return how many results the workers discarded because their claim had ended."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(rig.folder / METRICS_FOLDER))  # type: ignore[no-untyped-call]
    return int(registry.get_sample_value("health_webhook_stale_settles_total") or 0)
