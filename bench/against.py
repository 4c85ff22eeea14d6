"""Two trees under the same load in turn, with the ratios pair by pair."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from statistics import median

from rich.table import Table

from bench.rig import load, memory
from bench.rig.client import OK, HttpConnection, RequestPlan, drive, get
from bench.rig.load import LoadShape
from bench.rig.service import wait_until
from bench.rig.trees import Side, Tree, running

DATABASE_BYTES = "SELECT pg_database_size(current_database())"
WAL_BYTES = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
WAITING = "SELECT count(*) FROM due"
HEALTH = "/api/v1/accounts/a0/health"
NOT_MODIFIED = 304
LIVE_PER_SECOND, LIVE_SIZE = 10, 10
END = b"\r\n"
MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Sizes:
    """``events``: of each round of batches of 100; a fifth of it in each round of single events.

    ``reads``: of each round. ``rest_seconds``: how long nothing arrives. ``live_seconds``: how long
    few events arrive.
    """

    shape: LoadShape
    rounds: int
    workers: int
    clients: int
    events: int
    reads: int
    rest_seconds: float
    live_seconds: float


FULL = Sizes(
    LoadShape(),
    4,
    workers=2,
    clients=8,
    events=40_000,
    reads=4_000,
    rest_seconds=20,
    live_seconds=10,
)
SMALLEST = Sizes(
    LoadShape(accounts=5, users=2),
    1,
    workers=1,
    clients=2,
    events=400,
    reads=20,
    rest_seconds=0.1,
    live_seconds=0.1,
)

Figures = Mapping[str, float]
"""Values by their name, which ends with the unit."""


@dataclass(frozen=True, slots=True)
class Place:
    """A side with the keys of its workspace."""

    side: Side
    write_key: str
    read_key: str


Part = Callable[[Place, Sizes, str], Figures]


def ingest(place: Place, sizes: Sizes, name: str) -> Figures:
    """Batches of 100, without the work that follows."""
    return _ingest(place, sizes, name, count=sizes.events // 100, size=100)


def singles(place: Place, sizes: Sizes, name: str) -> Figures:
    """Single events, without the work that follows."""
    return _ingest(place, sizes, name, count=sizes.events // 5, size=1)


def scored(place: Place, sizes: Sizes, name: str) -> Figures:
    """Batches of 100 with all that follows, until nothing waits for the worker."""
    wait = partial(_wait_until_scored, place)
    return _ingest(place, sizes, name, count=sizes.events // 100, size=100, then=wait)


def live(place: Place, sizes: Sizes, name: str) -> Figures:
    """Few events, as on most days: ten batches of ten a second, with all that follows."""
    count = max(round(sizes.live_seconds * LIVE_PER_SECOND), 1)
    batches = load.batches(sizes.shape, count, LIVE_SIZE, seed=name, now=datetime.now(UTC))
    connection = HttpConnection(place.side.port)
    before, began = place.side.processor_seconds(), time.perf_counter()
    for n, batch in enumerate(batches):
        time.sleep(max(began + n / LIVE_PER_SECOND - time.perf_counter(), 0))
        if (status := connection.send(load.request(place.write_key, batch))[0]) != OK:
            raise RuntimeError(f"A batch was answered with {status}.")
    connection.close()
    _wait_until_scored(place)
    used = place.side.processor_seconds() - before
    return {"CPU of an event, µs": used * MICRO / (count * LIVE_SIZE)}


def reads(place: Place, sizes: Sizes, name: str) -> Figures:
    """Read the health of the busiest account."""
    del name
    return _read(place, sizes, get(HEALTH, place.read_key), expected=OK)


def not_modified(place: Place, sizes: Sizes, name: str) -> Figures:
    """Ask for the same health when the caller has it already."""
    del name
    request = get(HEALTH, place.read_key).removesuffix(END) + b"If-None-Match: *\r\n" + END
    return _read(place, sizes, request, expected=NOT_MODIFIED)


def _wait_until_scored(place: Place) -> None:
    wait_until(lambda: place.side.number(WAITING) == 0, place.side.service.process)


def _read(place: Place, sizes: Sizes, request: bytes, *, expected: int) -> Figures:
    plan = RequestPlan(place.side.port, [request] * sizes.reads, sizes.clients)
    before = place.side.processor_seconds()
    run = drive(plan)
    used = place.side.processor_seconds() - before
    if wrong := {each.status for each in run.responses} - {expected}:
        raise RuntimeError(f"A read was answered with {min(wrong)}, not {expected}.")
    return {
        "CPU of a read, µs": used * MICRO / sizes.reads,
        "a read, µs": run.seconds * MICRO / sizes.reads,
    }


def rest(place: Place, sizes: Sizes, name: str) -> Figures:
    """Have nothing to do, with the data that is there."""
    del name
    before, began = place.side.processor_seconds(), time.perf_counter()
    time.sleep(sizes.rest_seconds)
    used = place.side.processor_seconds() - before
    share = used / (time.perf_counter() - began)
    resident = memory.resident(place.side.service.process.pid)
    return {"CPU at rest, % of a core": 100 * share, "memory of the API, MB": resident}


WITHOUT_WORKER: Mapping[str, Part] = {"ingest": ingest, "singles": singles}
WITH_WORKER: Mapping[str, Part] = {
    "live": live,
    "scored": scored,
    "reads": reads,
    "not-modified": not_modified,
    "rest": rest,
}
PARTS = (*WITHOUT_WORKER, *WITH_WORKER)


def compare(
    other: Tree, this: Tree, only: Sequence[str], sizes: Sizes
) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Return the values of both trees by the name of the figure, a pair for each round."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for parts, worker in ((WITHOUT_WORKER, False), (WITH_WORKER, True)):
        chosen = {name: part for name, part in parts.items() if not only or name in only}
        if not chosen:
            continue
        with ExitStack() as stack:
            sides = [
                stack.enter_context(running(tree, workers=sizes.workers, worker=worker))
                for tree in (other, this)
            ]
            places = [Place(side, *side.create_workspace("bench")) for side in sides]
            for place in places:
                _warm_up(place, sizes)
            for name, part in chosen.items():
                for n in range(sizes.rounds):
                    first, second = (part(place, sizes, f"{name}-{n}") for place in places)
                    for figure, value in first.items():
                        key = f"{name}: {figure}"
                        pairs.setdefault(key, []).append((value, second[figure]))
    return pairs


def build_table(
    pairs: Mapping[str, Iterable[tuple[float, float]]], other: Tree, this: Tree
) -> Table:
    """Build the table: medians of both, and minimum, median and maximum of the ratios."""
    table = Table("figure", other.name, this.name, "ratio", "from", "to")
    for name, values in pairs.items():
        each = [*values]
        ratios = [second / first if first else float("nan") for first, second in each]
        table.add_row(
            name,
            *(f"{median(pair[n] for pair in each):,.1f}" for n in (0, 1)),
            *(f"{value:.2f}" for value in (median(ratios), min(ratios), max(ratios))),
        )
    return table


def _warm_up(place: Place, sizes: Sizes) -> None:
    _ingest(place, sizes, "warm", count=max(sizes.events // 400, 1), size=100)


def _ingest(
    place: Place,
    sizes: Sizes,
    name: str,
    *,
    count: int,
    size: int,
    then: Callable[[], None] = lambda: None,
) -> Figures:
    """Send batches, and count what each event costs, in time and in bytes."""
    side, events = place.side, count * size
    batches = load.batches(sizes.shape, count, size, seed=name, now=datetime.now(UTC))
    requests = [load.request(place.write_key, batch) for batch in batches]
    queries = (DATABASE_BYTES, WAL_BYTES)
    before = [side.processor_seconds(), *map(side.number, queries)]
    run = drive(RequestPlan(side.port, requests, sizes.clients)).require_success()
    then()
    after = [side.processor_seconds(), *map(side.number, queries)]
    used, disk, wal = ((now - then_) / events for then_, now in zip(before, after, strict=True))
    return {
        "CPU of an event, µs": used * MICRO,
        "an event, µs": run.seconds * MICRO / events,
        "disk of an event, bytes": disk,
        "WAL of an event, bytes": wal,
    }
