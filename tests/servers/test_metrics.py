"""Metrics of processes that run apart."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from tests.servers.processes import ROOT, Service, eventually, free_port


@contextmanager
def separate_worker(service: Service, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "HEALTH_DATABASE_URL": EmbeddedPostgres(service.folder).url,
        "HEALTH_ENCRYPTION_KEY": (service.folder / "encryption.key").read_text(),
        "HEALTH_METRICS_PORT": str(port),
    }
    command = [sys.executable, "-m", "app", "worker"]
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=errors)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def metric_names(port: int) -> set[str]:
    with suppress(httpx.TransportError):
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
        return {family.name for family in text_string_to_metric_families(page)}
    return set()


def test_a_separate_worker_serves_its_metrics_and_ends_on_sigterm(
    service: Service, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "second.log"
    with separate_worker(service, port, tmp_path / "first.log") as process:
        eventually(lambda: metric_names(port))
        names = metric_names(port)

        with separate_worker(service, port, log) as second:
            assert second.wait(60) == 1

    [line] = log.read_text().splitlines()
    assert {"health_refresh_seconds", "health_queue_oldest_seconds", "health_build_info"} <= names
    assert {"health_database_connections_in_use", "health_webhook_seconds"} <= names
    assert process.returncode == 0
    assert line.startswith(f"error: 127.0.0.1:{port} cannot be served (Address already in use)")
    assert "HEALTH_METRICS_PORT" in line


def connections_limit(service: Service) -> float:
    page = httpx.get(f"{service.url}/metrics", timeout=60).text
    [value] = [
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "health_database_connections_limit"
    ]
    return float(value)


def test_the_api_adds_up_the_metrics_of_its_processes(service: Service) -> None:
    """A training that the worker runs meanwhile has connections of its own until it ends."""
    limit = 1 + 2 * 8 + 5  # serve, API, worker

    eventually(lambda: connections_limit(service) == limit)
