"""Everything that ``/metrics`` tells, in one place."""

import os

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter("health_requests_total", "HTTP requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("health_request_seconds", "Time to answer.", ["route"])
EVENTS = Counter("health_events_total", "Events received, by what became of them.", ["result"])
QUARANTINED = Counter("health_quarantined_total", "Events put aside, by reason.", ["code"])
REFRESHED = Counter("health_refreshed_accounts_total", "Accounts scored by the worker.")
REFRESH_SECONDS = Histogram("health_refresh_seconds", "Time to score one set of accounts.")
PARKED = Counter("health_parked_accounts_total", "Accounts given up after failing alone.")
WEBHOOK_ATTEMPTS = Counter(
    "health_webhook_attempts_total",
    "Attempts to deliver a message, by what came of it.",
    ["result"],
)
WEBHOOK_SECONDS = Histogram("health_webhook_seconds", "Time of one attempt.")
STALE_DELIVERY_RESULTS = Counter(
    "health_webhook_stale_settles_total", "Outcomes refused: somebody else held the delivery."
)


def exposition() -> bytes:
    """Write the metrics of all processes of this service, in Prometheus' text format."""
    if MULTIPROCESS_DIR_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
