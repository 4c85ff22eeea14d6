"""API and worker processes of a stand: start, stop, kill, and read what they logged."""

import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

import orjson

from bench.rig.client import HOST
from bench.rig.service import Service, wait_until

LAUNCHER = "tests.faults.failpoints"
SERVE, WORKER = "serve", "worker"
GRACE_SECONDS = 30.0
"""In this time a process must end after SIGTERM: it gives requests and deliveries 10 s each."""

PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections."""

LOGGED_OUTAGES = frozenset(
    {"database_error", "answered_503", "starting_embedded_postgres", "library_warning"}
)
"""The log events that docs/operations.md names for a lost database."""


@dataclass(frozen=True, slots=True)
class AppProcess:
    """``kind``: serve or worker. ``port``: of the API."""

    kind: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def is_stopped(self) -> bool:
        """Whether the process does not run because of SIGSTOP."""
        state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    @property
    def _service(self) -> Service:
        return Service(self.port, self.process)

    @property
    def _handles_sigterm(self) -> bool:
        caught = Path(f"/proc/{self.process.pid}/status").read_text().partition("SigCgt:")[2]
        return bool(int(caught.split()[0], 16) >> (signal.SIGTERM - 1) & 1)

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the process and its children at once."""
        self._service.kill()

    def stop(self) -> str | None:
        """Ask the process to end. Return what is wrong with its end; None: nothing."""
        self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"{self.kind} did not end within {GRACE_SECONDS:.0f} s of SIGTERM"
        return f"{self.kind} ended with status {status} after SIGTERM" if status else None

    def wait_for_kill(self) -> None:
        """Wait until the process has killed itself."""
        wait_until(lambda: self.has_ended)

    def wait_until_ready(self) -> None:
        """Wait until the API serves, or until a worker ends in order when it is asked to."""
        if self.kind != SERVE:
            wait_until(lambda: self._handles_sigterm, self.process)
        else:
            self._service.wait_until_ready()


def start(
    kind: str, folder: Path, environment: Mapping[str, str], *, name: str, port: int
) -> AppProcess:
    """Start a process; its log is a file in the folder."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", LAUNCHER, kind],
            cwd=folder,
            env={**environment, "HEALTH_PORT": str(port)},
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
    return AppProcess(kind, process, log, port)


def pick_port() -> int:
    """Return a free port that no outgoing connection gets while the API is down."""
    while True:
        port = SystemRandom().choice(PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port


def unexpected_lines(log: Path, allowed: Collection[str]) -> Iterator[str]:
    """Yield what a log has besides the allowed events: errors, tracebacks, lines of libraries."""
    for line in log.read_text(errors="replace").splitlines():
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield f"{log.stem} logged {line!r}"
            continue
        if entry["event"] not in allowed:
            yield f"{log.stem} logged {entry['event']}: {_cause(entry)}"


def _cause(entry: Mapping[str, object]) -> str:
    """Return the last line of the traceback of a log entry, else its fields."""
    if exception := entry.get("exception"):
        return str(exception).strip().splitlines()[-1]
    fields = {name: value for name, value in entry.items() if name not in {"event", "timestamp"}}
    return orjson.dumps(fields).decode()
