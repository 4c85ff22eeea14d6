"""The private PostgreSQL is restarted when it is killed, also by process 1 of a container."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from tests.servers.processes import eventually

SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER``: the process inherits orphans, as process 1 does."""

PROGRAM = f"""
import ctypes, sys
from pathlib import Path

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from tests.servers.processes import eventually
assert ctypes.CDLL(None).prctl({SUBREAPER}, 1, 0, 0, 0) == 0
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    server.watch()
    print(server.cluster, flush=True)
    sys.stdin.readline()
"""


def postmaster(cluster: Path) -> int:
    return int((cluster / "postmaster.pid").read_text().splitlines()[0])


def test_a_killed_server_is_reaped_and_started_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        cluster = Path(next(line for line in lines if line.startswith("/")).strip())
        first = postmaster(cluster)

        lock = tmp_path / "postgres.lock"
        lock.unlink()
        lock.mkdir()  # it cannot be opened: the first tries to restart fail
        os.kill(first, signal.SIGKILL)
        killed_at = monotonic()
        eventually(lambda: monotonic() > killed_at + 2)
        lock.rmdir()
        eventually(lambda: is_ready_again(cluster, first))

        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(100) == 0


def test_a_killed_server_starts_again_although_its_id_is_that_of_another_process(
    tmp_path: Path,
) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        killed = postmaster(server.cluster)
        children = Path(f"/proc/{killed}/task/{killed}/children").read_text().split()
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in children))
    pid_file = server.cluster / "postmaster.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        pid_file.write_text(pid_file.read_text().replace(str(killed), str(other.pid), 1))

        with EmbeddedPostgres(tmp_path) as server:
            assert postmaster(server.cluster) != other.pid
            assert is_ready_again(server.cluster, killed)
        assert other.poll() is None
        other.communicate(b"\n")


def is_ready_again(cluster: Path, first: int) -> bool:
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:  # it is removed and written anew
        return False
    return len(lines) > 1 and int(lines[0]) != first and lines[-1].strip() == "ready"
