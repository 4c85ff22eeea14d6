"""Whether each page of a long list of accounts at risk takes the same memory and time."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import httpx

from app.bench import memory
from app.bench.at_risk_fill import fill_at_risk
from app.bench.client import HOST
from app.bench.results import Result
from app.bench.server import Rig, Service, Tenant, database, service, tenant

ACCOUNTS, PAGE = 100_000, 1_000
ENDS = 10
"""How many pages are the first, and the last: the first warm the service up."""
MOST_SLOWER, MOST_MEGABYTES = 1.5, 8

CSV = {"Accept": "text/csv"}
PATH = "/api/v1/accounts/at-risk"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to ask for the list; ``read`` takes rows and the next cursor out of an answer."""

    name: str
    headers: Mapping[str, str]
    read: Callable[[httpx.Response], tuple[Sequence[Row], str | None]]


def _json(answer: httpx.Response) -> tuple[Sequence[Row], str | None]:
    page = answer.json()
    return page["items"], page["next_cursor"]


def _csv(answer: httpx.Response) -> tuple[Sequence[Row], str | None]:
    return list(csv.DictReader(io.StringIO(answer.text))), answer.headers.get("x-next-cursor")


KINDS = (Kind("JSON", {}, _json), Kind("CSV", CSV, _csv))
Place = tuple[int, str]
"""What the list is in order of: revenue at risk, the most first, and the id."""


@dataclass(frozen=True, slots=True)
class Walk:
    """``grown``: by how many MB the peak of the service rose after the first pages."""

    places: Sequence[Place]
    seconds: Sequence[float]
    peak: float
    grown: float

    @property
    def slower(self) -> float:
        """The time of a last page against that of one of the first, without the very first."""
        return median(self.seconds[-ENDS:]) / median(self.seconds[1 : ENDS + 1])

    @property
    def once(self) -> int:
        """How many accounts came, each once and in its place."""
        ordered = all(before < after for before, after in pairwise(self.places))
        return len({account_id for _, account_id in self.places}) if ordered else 0


def run() -> list[Result]:
    with database() as rig:
        owner = tenant(rig, "at risk")
        fill_at_risk(rig, owner, ACCOUNTS)
        return [result for kind in KINDS for result in _results(kind, _walked(rig, owner, kind))]


def _walked(rig: Rig, owner: Tenant, kind: Kind) -> Walk:
    """Page through the list with a service of its own, one process that answers all pages."""
    with service(rig, workers=1) as server:
        memory.forget_peak(server.process.pid)
        places, seconds, first = [], [], 0.0
        for took, rows in _pages(server, owner, kind):
            places += [(-int(row["revenue_at_risk_cents"]), row["account_id"]) for row in rows]
            seconds.append(took)
            if len(seconds) == ENDS:
                first = memory.peak(server.process.pid)
        peak = memory.peak(server.process.pid)
    return Walk(places, seconds, peak, peak - first)


def _pages(server: Service, owner: Tenant, kind: Kind) -> Iterator[tuple[float, Sequence[Row]]]:
    headers = {"Authorization": f"Bearer {owner.read_key}", **kind.headers}
    asked: dict[str, str | int] = {"limit": PAGE}
    with httpx.Client(base_url=f"http://{HOST}:{server.port}", headers=headers) as client:
        while True:
            began = time.perf_counter()
            answer = client.get(PATH, params=asked).raise_for_status()
            took = time.perf_counter() - began
            rows, cursor = kind.read(answer)
            yield took, rows
            if cursor is None:
                return
            asked["cursor"] = cursor


def _results(kind: Kind, walk: Walk) -> list[Result]:
    return [
        Result(
            f"at risk as {kind.name}, pages of {PAGE:,}",
            f"{walk.once:,} of {ACCOUNTS:,} accounts",
            f"{sum(walk.seconds):.1f} s, {1000 * median(walk.seconds):.0f} ms a page",
            "each once, in order",
            walk.once == len(walk.places) == ACCOUNTS,
        ),
        Result(
            f"time of the last {ENDS} pages, {kind.name}",
            f"{1000 * median(walk.seconds[-ENDS:]):.0f} ms",
            f"the first {1000 * median(walk.seconds[1 : ENDS + 1]):.0f} ms",
            f"≤ {MOST_SLOWER:.0%}",
            walk.slower <= MOST_SLOWER,
            ratio=walk.slower,
        ),
        Result(
            f"memory after the first {ENDS} pages, {kind.name}",
            f"{walk.grown:+.1f} MB",
            f"peak {walk.peak:.0f} MB",
            f"≤ {MOST_MEGABYTES} MB",
            walk.grown <= MOST_MEGABYTES,
        ),
    ]
