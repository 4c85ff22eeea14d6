"""Whether each page of a long list of accounts at risk takes the same memory and time."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import httpx

from bench.at_risk_fill import fill_at_risk
from bench.results import Result
from bench.rig import memory
from bench.rig.client import HOST
from bench.rig.fill import Volume
from bench.rig.rig import Rig, Tenant, create_tenant
from bench.rig.service import Service

MAX_SLOWDOWN, MAX_MEGABYTES = 1.5, 8
PATH = "/api/v1/accounts/at-risk"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sizes:
    """``scored``: the accounts that are really scored; the others are copies of them.

    ``ends``: how many pages count as the first and as the last ones; the first ones warm up the
    service. ``own_service``: whether a new service answers each format, so that no earlier request
    has used memory in it.
    """

    accounts: int
    page: int
    ends: int
    scored: Volume
    own_service: bool


FULL = Sizes(
    accounts=100_000,
    page=1_000,
    ends=10,
    scored=Volume(100, users=5, uses=10, reached=50),
    own_service=True,
)
SMALLEST = Sizes(
    accounts=30,
    page=5,
    ends=2,
    scored=Volume(10, users=2, uses=3, reached=4),
    own_service=False,
)


@dataclass(frozen=True, slots=True)
class ListFormat:
    """A format of the list. ``parse`` returns the rows and the next cursor of a response."""

    name: str
    headers: Mapping[str, str]
    parse: Callable[[httpx.Response], tuple[Sequence[Row], str | None]]


def _parse_json(response: httpx.Response) -> tuple[Sequence[Row], str | None]:
    page = response.json()
    return page["items"], page["next_cursor"]


def _parse_csv(response: httpx.Response) -> tuple[Sequence[Row], str | None]:
    return list(csv.DictReader(io.StringIO(response.text))), response.headers.get("x-next-cursor")


FORMATS = (
    ListFormat("JSON", {}, _parse_json),
    ListFormat("CSV", {"Accept": "text/csv"}, _parse_csv),
)
SortKey = tuple[int, str]
"""The key of the order of the list: revenue at risk, highest first, and the account id."""


@dataclass(frozen=True, slots=True)
class ListRead:
    """All pages of the list. ``seconds``: of each page. ``peak``: the memory of the service in MB.

    ``ends``: as in the sizes. ``growth``: by how many MB the peak rose after the first pages.
    """

    keys: Sequence[SortKey]
    seconds: Sequence[float]
    ends: int
    peak: float
    growth: float

    @property
    def first_seconds(self) -> float:
        """The median of the first pages, without the very first one."""
        return median(self.seconds[1 : self.ends + 1])

    @property
    def last_seconds(self) -> float:
        return median(self.seconds[-self.ends :])

    @property
    def distinct_accounts(self) -> int:
        """How many accounts were listed, each once and in order; 0 if the order was wrong."""
        is_ordered = all(before < after for before, after in pairwise(self.keys))
        return len({account_id for _, account_id in self.keys}) if is_ordered else 0


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    tenant = create_tenant(rig, "at risk")
    fill_at_risk(rig, tenant, sizes.scored, sizes.accounts)
    return [
        result
        for each in FORMATS
        for result in _results(each, sizes, _read_list(rig, tenant, each, sizes))
    ]


def _service(rig: Rig, sizes: Sizes) -> AbstractContextManager[Service]:
    """Return a service of one process, which answers all pages."""
    if sizes.own_service:
        return rig.service(workers=1, worker=False)
    return nullcontext(rig.shared_service(workers=1))


def _read_list(rig: Rig, tenant: Tenant, list_format: ListFormat, sizes: Sizes) -> ListRead:
    with _service(rig, sizes) as service:
        pid = service.process.pid
        memory.reset_peak(pid)
        keys: list[SortKey] = []
        seconds: list[float] = []
        first_peak = 0.0
        for page_seconds, rows in _pages(service, tenant, list_format, sizes.page):
            keys += [(-int(row["revenue_at_risk_cents"]), row["account_id"]) for row in rows]
            seconds.append(page_seconds)
            if len(seconds) == sizes.ends:
                first_peak = memory.peak(pid)
        peak = memory.peak(pid)
    return ListRead(keys, seconds, sizes.ends, peak, peak - first_peak)


def _pages(
    service: Service, tenant: Tenant, list_format: ListFormat, limit: int
) -> Iterator[tuple[float, Sequence[Row]]]:
    """Yield the seconds and the rows of each page."""
    headers = {"Authorization": f"Bearer {tenant.read_key}", **list_format.headers}
    parameters: dict[str, str | int] = {"limit": limit}
    with httpx.Client(base_url=f"http://{HOST}:{service.port}", headers=headers) as client:
        while True:
            began = time.perf_counter()
            response = client.get(PATH, params=parameters).raise_for_status()
            seconds = time.perf_counter() - began
            rows, cursor = list_format.parse(response)
            yield seconds, rows
            if cursor is None:
                return
            parameters["cursor"] = cursor


def _results(list_format: ListFormat, sizes: Sizes, read: ListRead) -> list[Result]:
    slowdown = read.last_seconds / read.first_seconds
    return [
        Result(
            f"at risk as {list_format.name}, pages of {sizes.page:,}",
            read.distinct_accounts,
            f"{read.distinct_accounts:,} of {sizes.accounts:,} accounts",
            f"{sum(read.seconds):.1f} s, {1000 * median(read.seconds):.0f} ms a page",
            "each once, in order",
            read.distinct_accounts == len(read.keys) == sizes.accounts,
            exact=True,
        ),
        Result(
            f"time of the last {sizes.ends} pages, {list_format.name}",
            read.last_seconds,
            f"{1000 * read.last_seconds:.0f} ms",
            f"the first {1000 * read.first_seconds:.0f} ms",
            f"≤ {MAX_SLOWDOWN:.0%}",
            slowdown <= MAX_SLOWDOWN,
            slowdown,
        ),
        Result(
            f"memory after the first {sizes.ends} pages, {list_format.name}",
            read.growth,
            f"{read.growth:+.1f} MB",
            f"peak {read.peak:.0f} MB",
            f"≤ {MAX_MEGABYTES} MB",
            read.growth <= MAX_MEGABYTES,
        ),
    ]
