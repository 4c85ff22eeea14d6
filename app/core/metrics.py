"""All metrics of ``/metrics``."""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter("health_requests_total", "HTTP requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("health_request_seconds", "Time to answer.", ["route"])
EVENTS = Counter("health_events_total", "Events received, by result.", ["result"])
QUARANTINED = Counter("health_quarantined_total", "Events quarantined, by reason.", ["code"])
REFRESHED = Counter("health_refreshed_accounts_total", "Accounts scored by the worker.")
REFRESH_SECONDS = Histogram("health_refresh_seconds", "Time to score one batch of accounts.")
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


def exposition() -> bytes:
    """Return the metrics of all processes of this service in the Prometheus text format."""
    if MULTIPROCESS_DIR_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
