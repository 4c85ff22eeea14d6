"""Each row is imported once, whichever process is killed during the import."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from tests.servers.processes import ROOT, Tenant, eventually

ROWS = 30_000
PAGES_BETWEEN = 5_000


def events() -> bytes:
    """Return a file of events of which every thousandth is invalid."""
    lines = ["event,timestamp,account_id,user_id"]
    lines += [
        f"E{n % 7},{'never' if n % 1000 == 0 else 1767261600 + 60 * n},a{n % 40},u{n % 90}"
        for n in range(ROWS)
    ]
    return "\n".join(lines).encode()


def command(tenant: Tenant, file: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "HEALTH_DATABASE_URL": EmbeddedPostgres(tenant.service.folder).url}
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "app", "import", "events", str(file), "-w", tenant.workspace_id],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def imports(tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    """Return the imports only: the worker also enqueues jobs of other kinds after an import."""
    rows = tenant.read(
        "SELECT state, progress FROM job"
        " WHERE workspace_id = :workspace_id AND kind IN ('import', 'local_import')"
    )
    return [(state, progress) for state, progress in rows]


def rows_done(tenant: Tenant) -> int:
    return max((progress["rows"] for _, progress in imports(tenant)), default=0)


def assert_all_rows_imported_once(tenant: Tenant) -> None:
    [(state, progress)] = imports(tenant)
    assert (state, progress["rows"], progress["duplicates"]) == ("done", ROWS, 0)
    assert (progress["stored"], progress["rejected"]) == (ROWS - 30, 30)
    assert tenant.counted() == len(tenant.stored()) == ROWS - 30


def test_a_command_that_is_killed_repeatedly_resumes(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(events())

    for kill in range(3):
        process = command(tenant, file)
        eventually(lambda: rows_done(tenant) > kill * PAGES_BETWEEN)  # noqa: B023 - called at once
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert command(tenant, file).wait() == 1, "there were bad rows"

    assert_all_rows_imported_once(tenant)


def test_a_worker_imports_an_uploaded_file(tenant: Tenant) -> None:
    with tenant.client() as client:
        started = client.post("/api/v1/imports", params={"kind": "events"}, content=events())
        assert started.status_code == 202
        path = f"/api/v1/imports/{started.json()['id']}"
        eventually(lambda: client.get(path).json()["state"] == "done")

    assert_all_rows_imported_once(tenant)
