"""Architecture rules that no linter checks: what each kind of file may do."""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.tables import metadata
from tests.architecture_lists import CROSS_WORKSPACE_QUERIES, PURE_FILES

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"


CLOCK_FILES = {"core/clock.py", "worker.py", "serving.py"}
"""Files that may read the clock, beside endpoints and the command line."""

IMPURE_MODULES = {
    *("sqlalchemy", "psycopg", "fastapi", "starlette", "httpx", "asyncio", "alembic", "uvicorn"),
}


CLOCK_CALLS = {"now", "today", "utcnow"}


def files() -> list[str]:
    return sorted(str(path.relative_to(APP)) for path in APP.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def called(file: str) -> set[str]:
    """Return the names of all functions and methods that a file calls."""
    calls = (node.func for node in ast.walk(tree(APP / file)) if isinstance(node, ast.Call))
    names = (getattr(call, "attr", getattr(call, "id", "")) for call in calls if not in_sql(call))
    return set(names)


def in_sql(call: ast.expr) -> bool:
    """Whether a call is one of SQLAlchemy's ``func``, which the database executes."""
    return isinstance(call, ast.Attribute) and getattr(call.value, "id", "") == "func"


@cache
def imported(file: str) -> set[str]:
    """Return all modules that a file imports and all imported names, which may be modules."""
    found = set()
    for node in ast.walk(tree(APP / file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@cache
def file_of(module: str) -> str | None:
    """Return the file of a module of the app; the file of a package is its ``__init__``."""
    path = ROOT / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if module.startswith("app.") and candidate.exists():
            return str(candidate.relative_to(APP))
    return None


def reaches(file: str) -> dict[str, str]:
    """Map every module that a file imports, also indirectly, to the file that imports it."""
    found: dict[str, str] = {}
    waiting, seen = [file], {file}
    while waiting:
        current = waiting.pop()
        for module in imported(current):
            found.setdefault(module, current)
            source = file_of(module)
            if source is not None and source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


def impurities(file: str) -> dict[str, str]:
    """Map each impure module that a file imports, also indirectly, to the file that imports it."""
    found = reaches(file)
    return {name: found[name] for name in found if name.split(".")[0] in IMPURE_MODULES}


@pytest.mark.parametrize("file", files())
def test_only_query_files_select(file: str) -> None:
    if not file.endswith("queries.py"):
        assert "select" not in called(file)


@pytest.mark.parametrize("file", files())
def test_only_one_file_commits_or_rolls_back(file: str) -> None:
    if file != "core/db.py":
        assert not called(file) & {"commit", "rollback"}


@pytest.mark.parametrize("file", files())
def test_only_endpoints_and_processes_read_the_clock(file: str) -> None:
    is_process = file.startswith("cli/") or file in CLOCK_FILES
    if not (is_process or file.endswith("endpoints.py")):
        assert not called(file) & CLOCK_CALLS


@pytest.mark.parametrize("file", sorted(PURE_FILES))
def test_a_pure_file_needs_no_database_no_web_and_no_clock(file: str) -> None:
    assert impurities(file) == {}
    assert not called(file) & CLOCK_CALLS


def test_every_file_that_is_pure_is_listed() -> None:
    """A file without impure imports is either listed or contains only declarations."""
    pure = {f for f in files() if Path(f).name != "__init__.py" and not impurities(f)}
    declare = ("errors.py", "settings.py", "schemas.py", "__main__.py")
    edges = {f for f in pure if f.startswith(("core/", "cli/", "imports/"))}

    assert set(files()) >= PURE_FILES
    assert pure - edges - {f for f in pure if f.endswith(declare)} == PURE_FILES


def queries() -> Iterator[tuple[str, list[inspect.Parameter]]]:
    """Yield every public function of every query file with its parameters."""
    for file in files():
        if not file.endswith("queries.py"):
            continue
        module = import_module("app." + file.removesuffix(".py").replace("/", "."))
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield (
                    f"{module.__name__}.{name}",
                    list(inspect.signature(function).parameters.values()),
                )


QUERIES = dict(queries())


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - CROSS_WORKSPACE_QUERIES.keys()))
def test_the_second_argument_of_every_query_is_the_workspace(name: str) -> None:
    session, workspace, *_ = [*QUERIES[name], None, None]

    assert session is not None
    assert (session.name, session.annotation) == ("session", Session)
    assert workspace is not None
    assert (workspace.name, workspace.annotation) == ("workspace_id", str)


@pytest.mark.parametrize("name", sorted(CROSS_WORKSPACE_QUERIES))
def test_every_exception_is_still_needed(name: str) -> None:
    names = [parameter.name for parameter in QUERIES[name]]

    assert names[:2] != ["session", "workspace_id"], "it keeps the rule: remove it from the list"


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_every_table_belongs_to_a_workspace(table: Table) -> None:
    if table.name != "workspace":
        assert not table.columns["workspace_id"].nullable
