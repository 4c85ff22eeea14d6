"""Processes are killed at points of the product that matter most."""

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


FULL_API = Sizes(API_POINTS, rounds=3)
SHORT_API = Sizes(API_POINTS, rounds=1, acks=3)
FULL_WORKER = Sizes(WORKER_POINTS, rounds=2)
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
