"""Processes are killed at points of the product that matter most."""

import os
import signal
from dataclasses import dataclass

from tests.faults.failpoints import API_POINTS, WORKER_POINTS
from tests.faults.processes import SERVE, WORKER
from tests.faults.stand import Stand


@dataclass(frozen=True, slots=True)
class Sizes:
    """``rounds``: kills at each of the points. ``acks``: batches that follow each kill."""

    points: tuple[str, ...]
    rounds: int
    acks: int = 10


FULL_API = Sizes(API_POINTS, rounds=2)
SHORT_API = Sizes(API_POINTS, rounds=1, acks=3)
FULL_WORKER = Sizes(WORKER_POINTS, rounds=1)
SHORT_WORKER = Sizes(("before_score_commit", "after_send"), rounds=1, acks=3)


def kill_api(stand: Stand, sizes: Sizes) -> None:
    """Kill the API before and after it commits batches."""
    stand.start_worker()
    stand.traffic.start()
    for point in sizes.points * sizes.rounds:
        stand.run_until_killed(SERVE, point)
    stand.start_api()
    stand.recover()
    stand.traffic.wait_for_acks(sizes.acks)


def kill_worker(stand: Stand, sizes: Sizes) -> None:
    """Kill the worker between claims, commits and requests of its two kinds of work."""
    stand.start_api()
    stand.traffic.start()
    for point in sizes.points * sizes.rounds:
        stand.run_until_killed(WORKER, point)
        stand.end_pauses()
    stand.start_worker()
    stand.recover()
    stand.traffic.wait_for_acks(sizes.acks)


@dataclass(frozen=True, slots=True)
class ServiceSizes:
    """``kills``: in turn of the whole service and of its private database."""

    kills: int
    acks: int


FULL_SERVICE = ServiceSizes(kills=8, acks=15)


def kill_service(stand: Stand, sizes: ServiceSizes) -> None:
    """Kill ``serve`` with its worker, and the private database that it runs."""
    service = stand.start_service()
    stand.traffic.start()
    for n in range(sizes.kills):
        stand.traffic.wait_for_acks(stand.random.randint(1, sizes.acks))
        if n % 2 and (killed := stand.rig.postmaster):
            os.kill(killed, signal.SIGKILL)
            stand.wait_for_new_postmaster(killed)
        else:
            service.kill()
            stand.end_pauses()
            service = stand.start_service()
    stand.recover()


@dataclass(frozen=True, slots=True)
class ConcurrencySizes:
    """``clients`` send each of ``batches`` at once, beside others that write the same rows."""

    clients: int
    batches: int


FULL_CONCURRENCY = ConcurrencySizes(clients=16, batches=20)


def send_at_once(stand: Stand, sizes: ConcurrencySizes) -> None:
    """Send the same events from many clients at once, to several API processes of one service."""
    stand.start_api(HEALTH_WORKERS="2")
    stand.start_worker()
    stand.traffic.start()
    for _ in range(sizes.batches):
        stand.traffic.send_at_once(sizes.clients)
    stand.recover()
