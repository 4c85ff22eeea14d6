"""Processes are killed at points of the product that matter most."""

import os
import signal
from collections.abc import Sequence

from tests.faults.failpoints import API_POINTS, WORKER_POINTS
from tests.faults.processes import SERVE, WORKER
from tests.faults.stand import Stand


def kill_api(stand: Stand, *, rounds: int = 2, acks: int = 10) -> None:
    """Kill the API before and after it commits batches, in each round at each of the points."""
    stand.start_worker()
    stand.traffic.start()
    for point in API_POINTS * rounds:
        stand.run_until_killed(SERVE, point)
    stand.start_api()
    stand.recover()
    stand.traffic.wait_for_acks(acks)


def kill_worker(stand: Stand, *, points: Sequence[str] = WORKER_POINTS, acks: int = 10) -> None:
    """Kill the worker between claims, commits and requests of its two kinds of work."""
    stand.start_api()
    stand.traffic.start()
    for point in points:
        stand.run_until_killed(WORKER, point)
        stand.end_pauses()
    stand.start_worker()
    stand.recover()
    stand.traffic.wait_for_acks(acks)


def kill_service(stand: Stand, *, kills: int = 8, acks: int = 15) -> None:
    """Kill, in turn, ``serve`` with its worker and the private database that it runs."""
    service = stand.start_service()
    stand.traffic.start()
    for n in range(kills):
        stand.traffic.wait_for_acks(stand.random.randint(1, acks))
        if n % 2 and (killed := stand.rig.postmaster):
            os.kill(killed, signal.SIGKILL)
            stand.wait_for_new_postmaster(killed)
        else:
            service.kill()
            stand.end_pauses()
            service = stand.start_service()
    stand.recover()


def send_at_once(stand: Stand, *, clients: int = 16, batches: int = 20) -> None:
    """Send the same events from many clients at once, to several API processes of one service.

    Other clients write the same rows meanwhile.
    """
    stand.start_api(HEALTH_WORKERS="2")
    stand.start_worker()
    stand.traffic.start()
    for _ in range(batches):
        stand.traffic.send_at_once(clients)
    stand.recover()
