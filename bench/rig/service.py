"""The service as processes: start it as its users do, wait until it is ready, stop or kill it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.rig.client import HOST, OK, HttpConnection, get

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
SERVE = ("-m", "app", "serve")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. ``process`` leads a process group of its own."""

    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill every process of the service at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_until_ready(self) -> None:
        connection = HttpConnection(self.port)
        wait_until(lambda: connection.send(get("/health/ready"))[0] == OK, self.process)
        connection.close()


def start_service(
    folder: Path,
    environment: Mapping[str, str],
    *,
    workers: int,
    worker: bool,
    command: tuple[str, ...] = SERVE,
    python: str = sys.executable,
) -> Service:
    """Start the service and wait until it is ready.

    ``workers``: processes that answer requests. ``worker``: whether a worker process runs beside
    them. ``command``: the arguments of ``python``.
    """
    port = _free_port()
    settings = {
        "HEALTH_PORT": str(port),
        "HEALTH_WORKERS": str(workers),
        "HEALTH_EMBED_WORKER": str(int(worker)),
    }
    process = subprocess.Popen(  # noqa: S603 - our own command
        [python, *command],
        env={**environment, **settings},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    service = Service(port, process)
    try:
        service.wait_until_ready()
    except (TimeoutError, ChildProcessError):
        service.kill()
        raise
    return service


def wait_until(condition: Callable[[], bool], *processes: subprocess.Popen[bytes]) -> None:
    """Poll a condition until it is true. Raise if one of the processes ends before."""
    give_up_at = time.monotonic() + READY_SECONDS
    while not condition():
        if ended := [process for process in processes if process.poll() is not None]:
            raise ChildProcessError(f"A process ended with status {ended[0].returncode}.")
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"The condition was not true within {READY_SECONDS:.0f} s.")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])
