"""The gauges of a process of the service count as long as it runs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.metrics import MULTIPROCESS_DIR_VARIABLE, ProcessesCollector

LIMIT = 8
OPENS_CONNECTIONS = f"""
from app.core.metrics import CONNECTIONS_LIMIT
CONNECTIONS_LIMIT.inc({LIMIT})
print(flush=True)
input()
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has set a gauge and waits for a line."""
    command = [sys.executable, "-c", OPENS_CONNECTIONS]
    environment = {**os.environ, MULTIPROCESS_DIR_VARIABLE: str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) as process:  # noqa: S603
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def limit(folder: Path) -> float:
    families = ProcessesCollector(str(folder)).collect()
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "health_database_connections_limit"
    )


def test_only_running_processes_count(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    assert limit(tmp_path) == LIMIT

    process.communicate(b"\n")
    assert limit(tmp_path) == 0
    assert not list(tmp_path.glob("gauge_live*"))


def test_an_ended_process_does_not_count_once_its_id_is_given_again(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    process.communicate(b"\n")
    [stored] = tmp_path.glob("gauge_livesum_*")
    given_again = stored.name.replace(str(process.pid), str(os.getpid()), 1)
    stored.rename(tmp_path / given_again)

    assert limit(tmp_path) == 0
