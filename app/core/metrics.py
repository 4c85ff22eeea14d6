"""The metrics that processes count; ``app/probes.py`` adds those that the database knows."""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

MULTIPROCESS_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

START_TIME_FIELD = 19
"""The place of ``starttime`` behind the name of the process; see ``man proc_pid_stat``."""


def process_identity(pid: int) -> str:
    """Return the id and the start time of a running process; "" if there is none.

    The system gives ids again: after the end of a process its id names another one, or a thread.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return f"{pid}-{after_name[START_TIME_FIELD]}"


if MULTIPROCESS_DIR_VARIABLE in os.environ:
    own_identity = cache(process_identity)
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
        lambda: own_identity(os.getpid())
    )

REQUESTS = Counter("health_requests_total", "HTTP requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("health_request_seconds", "Time to answer.", ["route"])
EVENTS = Counter("health_events_total", "Events received, by result.", ["result"])
QUARANTINED = Counter("health_quarantined_total", "Events quarantined, by reason.", ["code"])
REFRESHED = Counter("health_refreshed_accounts_total", "Accounts scored by the worker.")
REFRESH_SECONDS = Histogram("health_refresh_seconds", "Time to score one set of due accounts.")
PARKED = Counter("health_parked_accounts_total", "Accounts parked after repeated failures.")
WEBHOOK_ATTEMPTS = Counter(
    "health_webhook_attempts_total", "Attempts to deliver a message, by result.", ["result"]
)
WEBHOOK_SECONDS = Histogram("health_webhook_seconds", "Time of one delivery attempt.")
STALE_DELIVERY_RESULTS = Counter(
    "health_webhook_stale_settles_total",
    "Delivery results refused because another worker had claimed the delivery.",
)
DELIVERY_ERRORS = Counter(
    "health_webhook_worker_errors_total",
    "Unexpected errors of the delivery thread, which goes on after a pause.",
)


CONNECTIONS_IN_USE = Gauge(
    "health_database_connections_in_use",
    "Connections of the pools that are in use.",
    multiprocess_mode="livesum",
)
CONNECTIONS_LIMIT = Gauge(
    "health_database_connections_limit",
    "Connections that the pools may open.",
    multiprocess_mode="livesum",
)


class ProcessesCollector(Collector):
    """The metrics of all processes that share the folder, without the gauges of ended ones."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        for file in Path(self._folder).glob("gauge_live*.db"):
            identity = file.stem.rpartition("_")[2]
            if identity != process_identity(int(identity.partition("-")[0])):
                mark_process_dead(identity, self._folder)  # type: ignore[no-untyped-call]
        found: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        return found


def create_registry(collector: Collector) -> CollectorRegistry:
    """Return all metrics: those of the processes of this service, and those of a collector."""
    registry = CollectorRegistry()
    folder = os.environ.get(MULTIPROCESS_DIR_VARIABLE)
    registry.register(ProcessesCollector(folder) if folder else REGISTRY)
    registry.register(collector)
    return registry
