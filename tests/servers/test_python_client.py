"""The Python client and its README, against the running service."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from customer_health import Client

from app.changes import queries
from app.changes.queries import NewChange
from tests.servers.processes import ROOT, Service, Tenant, eventually
from tests.servers.sdk_proxy import proxy
from tests.test_readme import blocks

FOLDER = ROOT / "clients" / "python"
BASICS, FOLLOWER = blocks((FOLDER / "README.md").read_text(), "python")


def run(code: str, tenant: Tenant, folder: Path) -> str:
    environment = {"API_KEY": tenant.key, "SERVER": tenant.service.url}
    done = subprocess.run(  # noqa: S603 - the example of the README
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": str(FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_the_readme_works(tenant: Tenant, tmp_path: Path) -> None:
    printed = run(BASICS, tenant, tmp_path)

    assert printed.splitlines() == [
        "acme unknown",
        "not_found No account unknown-account in this workspace.",
    ]


def has_changes(api: Client, cursor: str | None) -> bool:
    """Whether the feed goes on: a change is returned when all older transactions have ended."""
    return len(api.list_changes(cursor=cursor)["items"]) > 0


def test_the_follower_of_the_readme_copies_all_scores(tenant: Tenant, tmp_path: Path) -> None:
    cursor = None
    with Client(tenant.key, tenant.service.url) as api:
        for scores in ({"first": 20.5, "second": 31.0}, {"first": 22.0, "second": 31.0}):
            with tenant.service.database() as session:
                changes = [NewChange("score", id_, {"value": scores[id_]}) for id_ in scores]
                queries.record_changes(session, tenant.workspace_id, changes, now=datetime.now(UTC))
                session.commit()
            eventually(partial(has_changes, api, cursor))
            run(f"import os\nfrom customer_health import Client\n{FOLLOWER}", tenant, tmp_path)
            with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
                assert dict(copied.execute("SELECT account_id, value FROM score")) == scores
                [[cursor]] = copied.execute("SELECT cursor FROM checkpoint")

        [after] = api.follow_changes(cursor)
    assert after["items"] == []


def test_posts_whose_answers_are_lost_are_carried_out_once(
    service: Service, tenant: Tenant
) -> None:
    with Client(tenant.key, service.url) as api:
        api.put_account("acme", {"name": "Acme"})
        waits: list[float] = []
        with (
            proxy(service, refuse=1, hang_up=3) as between,
            Client(tenant.key, between.url, sleep=waits.append) as behind,
        ):
            created = behind.create_task("acme", {"title": "Call them"})

        tasks = [each["id"] for each in api.list_account_tasks("acme")]

    assert tasks == [created["id"]]
    assert waits[0] == 1
    assert between.answered == [201, 201, 201]
