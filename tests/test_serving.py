"""Checks at the start of ``serve``."""

import socket
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import serving
from app.core.settings import Settings
from app.serving import PortTakenError, worker_process
from tests.servers.processes import eventually, free_port


def at(port: int) -> Settings:
    return Settings(_env_file=None, host="127.0.0.1", port=port)


def test_a_port_in_use_is_detected_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port} cannot be served"):
            serving.expect_free_ports(at(port))

    serving.expect_free_ports(at(port))


def test_a_port_for_metrics_in_use_is_detected_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = at(free_port()).model_copy(update={"metrics_port": port})
        with pytest.raises(PortTakenError, match="set HEALTH_METRICS_PORT to another port"):
            serving.expect_free_ports(settings)


def test_an_address_of_another_machine_is_no_fault_of_the_port() -> None:
    """192.0.2.0/24 is reserved for documentation: no machine has such an address."""
    settings = at(free_port()).model_copy(update={"host": "192.0.2.1"})

    with pytest.raises(PortTakenError, match="set HEALTH_HOST to an address of this machine"):
        serving.expect_free_ports(settings)


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:8100"), ("::1", "http://[::1]:8100")],
)
def test_the_address_can_be_pasted_into_a_browser(host: str, address: str) -> None:
    settings = at(8100).model_copy(update={"host": host})

    assert serving.web_address(settings) == address


def test_a_worker_that_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, program = tmp_path / "started", tmp_path / "program"
    monkeypatch.setattr(sys, "executable", str(program))  # it is missing at first
    with capture_logs() as lines, worker_process(enabled=True):
        eventually(lambda: [each["event"] for each in lines] == ["worker_not_started"])
        new = tmp_path / "new"
        new.write_text(f"#!/bin/sh\ntouch {started}\nexec sleep 60\n")
        new.chmod(0o755)
        new.rename(program)
        eventually(started.exists)
