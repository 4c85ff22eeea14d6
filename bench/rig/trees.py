"""Source trees of the service: this one, or one of a revision with an environment of its own."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

import app
from app.core.errors import UnprocessableError
from bench.rig.processor_time import processor_seconds
from bench.rig.service import Service, start_service

ROOT = Path(app.__path__[0]).parent
CACHE = ROOT / ".data" / "trees"
"""Trees of revisions stay here: their environments take a minute to install."""

SOCKET_LINE, PORT_LINE = 4, 3
"""Lines of PostgreSQL's ``postmaster.pid``, after the process id."""


class UnknownRevisionError(UnprocessableError):
    """The repository does not know the revision."""


@dataclass(frozen=True, slots=True)
class Tree:
    """``python``: the interpreter with the packages that the tree pins."""

    name: str
    folder: Path
    python: str


THIS = Tree("this", ROOT, sys.executable)


def tree_of(revision: str) -> Tree:
    """Return the tree of a revision of this repository, with the packages that it pins."""
    git = ("git", "-C", str(ROOT))
    found = subprocess.run(  # noqa: S603 - the revision is one argument, and no option
        [*git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise UnknownRevisionError(f"{revision!r} is no commit of this repository.")
    commit = found.stdout.strip()
    folder = CACHE / commit
    if not (folder / ".venv" / ".runtime").exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(  # noqa: S603
            [*git, "archive", commit], capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)  # noqa: S603, S607
        subprocess.run(  # noqa: S603
            ["make", "-C", str(folder), ".venv/.runtime"],  # noqa: S607
            stdout=subprocess.DEVNULL,
            check=True,
        )
    return Tree(commit[:7], folder, str(folder / ".venv" / "bin" / "python"))


@dataclass(frozen=True)
class Side:
    """The running service of a tree, with a database of its own in ``folder``."""

    tree: Tree
    folder: Path
    service: Service

    @property
    def port(self) -> int:
        return self.service.port

    def processor_seconds(self) -> float:
        """Return what the service and its database have used so far, ended processes too."""
        return processor_seconds([self.service.process.pid, int(self._postmaster[0])])

    def number(self, query: str) -> int:
        """Return the number that a query selects; 0 for null."""
        lines = self._postmaster
        with psycopg.connect(
            host=lines[SOCKET_LINE], port=lines[PORT_LINE], user="postgres", dbname="postgres"
        ) as connection:
            row = connection.execute(query.encode()).fetchone()
            return int(row[0] or 0) if row else 0

    def create_workspace(self, name: str) -> tuple[str, str]:
        """Create a workspace by the command line; return its write key and its read key."""
        output = subprocess.run(  # noqa: S603 - a command of the service
            [self.tree.python, "-m", "app", "workspace", "create", name],
            env=environment(self.tree, self.folder),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        write, read = re.findall(r"key: (\S+)", output)
        return write, read

    @cached_property
    def _postmaster(self) -> list[str]:
        return (self.folder / "postgres" / "postmaster.pid").read_text().splitlines()


def environment(tree: Tree, folder: Path) -> dict[str, str]:
    """Return the environment of the service: it takes nothing over from that of the caller."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(tree.folder),
        "HEALTH_DATA_DIR": str(folder),
        "HEALTH_LOG_LEVEL": "error",
    }


@contextmanager
def running(tree: Tree, *, workers: int, worker: bool) -> Iterator[Side]:
    """Run the service of a tree on an empty database."""
    with tempfile.TemporaryDirectory(prefix="health-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        service = start_service(
            folder, environment(tree, folder), workers=workers, worker=worker, python=tree.python
        )
        try:
            yield Side(tree, folder, service)
        finally:
            service.stop()
