"""Hears what the product asks of the database in a test, and has the plan of each statement."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from psycopg import Cursor
from sqlalchemy import Engine, event

from tests.architecture_lists import CROSS_WORKSPACE_READERS
from tests.plan_scans import unbound_tables

TESTS = f"{Path(__file__).parent}/"
APP = f"{Path(__file__).parent.parent / 'app'}/"
ORM_FLUSH_FILE = "sqlalchemy/orm/unitofwork.py"
"""Where changed rows are written, each by its key."""

HAS_A_PLAN = re.compile(r"\s*(?:SELECT|WITH|UPDATE|DELETE|MERGE|INSERT\b.*\bSELECT)\b", re.DOTALL)
PARAMETER = r"%\(\w+\)s(?:::[\w\[\] ]+)?"
PARAMETER_LIST = re.compile(rf"{PARAMETER}(?:, {PARAMETER})+")
EMPTY_PLAN = "'One-Time Filter': 'false'"


@dataclass(frozen=True)
class Leak:
    """A statement that may read rows of several workspaces, and the function that asks it."""

    asker: str
    tables: tuple[str, ...]
    statement: str

    def __str__(self) -> str:
        return f"{self.asker} reads all of {', '.join(self.tables)}: {self.statement}"


@dataclass
class QueryWatch:
    """The statements that are known to keep to a workspace, and those that do not."""

    judged: set[tuple[str, str]] = field(default_factory=set)
    leaks: list[Leak] = field(default_factory=list)

    def note(self, cursor: Cursor[Any], statement: str, parameters: Any) -> None:  # noqa: ANN401
        """Judge a statement that was executed, once for each function that asks it."""
        if not HAS_A_PLAN.match(statement):
            return
        asker = find_caller(sys._getframe())  # noqa: SLF001 - there is no other way to the caller
        asked = (asker or "", PARAMETER_LIST.sub("...", statement))
        if asker is None or asker in CROSS_WORKSPACE_READERS or asked in self.judged:
            return
        plan = explain(cursor, statement, parameters)
        if tables := unbound_tables(plan):
            self.leaks.append(Leak(asker, tuple(sorted(tables)), " ".join(statement.split())))
        elif EMPTY_PLAN not in str(plan):
            self.judged.add(asked)


def explain(cursor: Cursor[Any], statement: str, parameters: Any) -> Any:  # noqa: ANN401
    with cursor.connection.cursor() as beside:
        asked = f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {statement}"
        beside.execute(asked.encode(), parameters, prepare=False)
        return beside.fetchall()[0][0][0]["Plan"]


def find_caller(frame: FrameType | None) -> str | None:
    """Name the function of the product that asks, rather than one that helps all packages.

    None if a test asks itself, or if rows are written that were read before.
    """
    found = None
    while frame is not None:
        file = frame.f_code.co_filename
        is_of_a_test = file.startswith(TESTS) and file != __file__
        if is_of_a_test or file.endswith(ORM_FLUSH_FILE):
            return found if is_of_a_test else None
        if file.startswith(APP):
            module = file[len(APP) : -len(".py")].replace("/", ".")
            found = f"app.{module}.{frame.f_code.co_qualname.split('.<')[0]}"
            if not module.startswith("core."):
                return found
        frame = frame.f_back
    return found or "nobody"


@contextmanager
def watch_queries(watch: QueryWatch) -> Iterator[None]:
    """Have what is executed on any connection judged, and fail if something of it leaks."""

    def note(_connection: object, cursor: Any, statement: str, asked: Any, *_: object) -> None:  # noqa: ANN401
        watch.note(cursor, statement, asked[0] if isinstance(asked, list) else asked)

    watch.leaks.clear()
    event.listen(Engine, "after_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    if watch.leaks:
        told = "\n".join(dict.fromkeys(map(str, watch.leaks)))
        raise AssertionError(f"Name the workspace, or the asker in READ_ACROSS:\n{told}")
