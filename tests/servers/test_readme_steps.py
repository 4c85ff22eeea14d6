"""The first steps of the README, followed with copy and paste against the running service."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from sqlalchemy import text

from tests import factories
from tests.servers.processes import ROOT, Service, Tenant, eventually, free_port
from tests.test_docs import README
from tests.test_readme import blocks

STEPS = README.partition("## First steps")[2].partition("## Documentation")[0]
COMMANDS = re.findall(r"^    ((?:curl|WEBHOOK_KEY)(?:.*\\\n)*.*)$", STEPS, re.MULTILINE)


def shell(command: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - the README's own commands
        ["/bin/sh", "-ec", command.replace(".venv/bin/python", sys.executable)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def receiver(code: str, folder: Path, port: int, secret: str) -> Iterator[Path]:
    """Run the receiver of the README as it says; yield the file of what it prints."""
    (folder / "hook.py").write_text(code)
    output = folder / "printed"
    with output.open("w") as printed:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-u", "-m", "uvicorn", "hook:app", "--port", str(port)],
            cwd=folder,
            env={**os.environ, "WEBHOOK_SECRET": secret},
            stdout=printed,
            stderr=subprocess.DEVNULL,
        )
    try:
        eventually(lambda: is_up(port))
        yield output
    finally:
        process.terminate()
        process.wait(60)


def is_up(port: int) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
    return False


def test_the_first_steps_can_be_followed_with_copy_and_paste(
    service: Service, tenant: Tenant, tmp_path: Path
) -> None:
    send, hook = blocks(README, "python")
    score, at_risk, explanation, key, endpoint = COMMANDS
    port = free_port()
    environment = {
        **os.environ,
        "HEALTH_DATA_DIR": str(service.folder),
        "SERVER": service.url,
        "WORKSPACE": tenant.workspace_id,
        "WRITE_KEY": tenant.key,
        "READ_KEY": tenant.key,
        "ACCOUNT": "acct_0001",
    }
    with service.database() as session:
        factories.account(session, "acct_0001", workspace_id=tenant.workspace_id)
        session.execute(
            text(
                "INSERT INTO due (workspace_id, account_id, priority, notify)"
                " VALUES (:workspace, 'acct_0001', 0, true)"
            ),
            {"workspace": tenant.workspace_id},
        )
        session.commit()

    (tmp_path / "send.py").write_text(send)
    shell(f".venv/bin/python {tmp_path / 'send.py'}", environment)
    eventually(lambda: tenant.counted() == 1)
    assert json.loads(shell(score, environment))["account_id"] == "acct_0001"
    assert json.loads(shell(at_risk, environment))["items"] is not None
    assert "level" in json.loads(shell(explanation, environment))

    made = shell(
        f"{key}\n{endpoint.replace(':9000', f':{port}')}\necho\necho $WEBHOOK_KEY", environment
    )
    created, webhook_key = made.strip().splitlines()
    answer = json.loads(created)
    [test] = re.findall(r"`(curl -s -X POST .*/test)`", STEPS)
    with receiver(hook, tmp_path, port, answer["secret"]) as printed:
        sent = shell(
            test.replace("/ID/", f"/{answer['id']}/"), environment | {"WEBHOOK_KEY": webhook_key}
        )
        eventually(lambda: "endpoint.test" in printed.read_text())
    assert json.loads(sent)["message_id"] in printed.read_text()
