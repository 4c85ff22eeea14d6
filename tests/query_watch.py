"""Watch the statements of a test and fail if the plan of one may read several workspaces."""

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
"""The file that writes changed rows, each by its primary key."""

HAS_A_PLAN = re.compile(r"\s*(?:SELECT|WITH|UPDATE|DELETE|MERGE|INSERT\b.*\bSELECT)\b", re.DOTALL)
PARAMETER = r"%\(\w+\)s(?:::[\w\[\] ]+)?"
PARAMETER_LIST = re.compile(rf"{PARAMETER}(?:, {PARAMETER})+")
EMPTY_PLAN = "'One-Time Filter': 'false'"


@dataclass(frozen=True)
class Leak:
    """A statement that may read rows of several workspaces, and the function that executes it."""

    caller: str
    tables: tuple[str, ...]
    statement: str

    def __str__(self) -> str:
        return f"{self.caller} reads all of {', '.join(self.tables)}: {self.statement}"


@dataclass
class QueryWatch:
    """The statements that were checked and stay within a workspace, and those that do not."""

    checked: set[tuple[str, str]] = field(default_factory=set)
    leaks: list[Leak] = field(default_factory=list)

    def check(self, cursor: Cursor[Any], statement: str, parameters: Any) -> None:  # noqa: ANN401
        """Check the plan of an executed statement, once for each function that executes it."""
        if not HAS_A_PLAN.match(statement):
            return
        caller = find_caller(sys._getframe())  # noqa: SLF001 - the only way to find the caller
        key = (caller or "", PARAMETER_LIST.sub("...", statement))
        if caller is None or caller in CROSS_WORKSPACE_READERS or key in self.checked:
            return
        plan = explain(cursor, statement, parameters)
        if tables := unbound_tables(plan):
            self.leaks.append(Leak(caller, tuple(sorted(tables)), " ".join(statement.split())))
        elif EMPTY_PLAN not in str(plan):
            self.checked.add(key)


def explain(cursor: Cursor[Any], statement: str, parameters: Any) -> Any:  # noqa: ANN401
    with cursor.connection.cursor() as explain_cursor:
        query = f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {statement}"
        explain_cursor.execute(query.encode(), parameters, prepare=False)
        return explain_cursor.fetchall()[0][0][0]["Plan"]


def find_caller(frame: FrameType | None) -> str | None:
    """Return the innermost function of the app outside of ``app.core`` that led to a statement.

    None if a test executes it itself, or if the ORM writes rows that were read before.
    """
    caller = None
    while frame is not None:
        file = frame.f_code.co_filename
        is_test = file.startswith(TESTS) and file != __file__
        if is_test or file.endswith(ORM_FLUSH_FILE):
            return caller if is_test else None
        if file.startswith(APP):
            module = file[len(APP) : -len(".py")].replace("/", ".")
            caller = f"app.{module}.{frame.f_code.co_qualname.split('.<')[0]}"
            if not module.startswith("core."):
                return caller
        frame = frame.f_back
    return caller or "unknown"


@contextmanager
def watch_queries(watch: QueryWatch) -> Iterator[None]:
    """Check each statement executed on any connection; fail at the end if one is a leak."""

    def check(_connection: object, cursor: Any, statement: str, values: Any, *_: object) -> None:  # noqa: ANN401
        watch.check(cursor, statement, values[0] if isinstance(values, list) else values)

    watch.leaks.clear()
    event.listen(Engine, "after_cursor_execute", check)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", check)
    if watch.leaks:
        leaks = "\n".join(dict.fromkeys(map(str, watch.leaks)))
        raise AssertionError(
            f"Filter by workspace, or add the function to CROSS_WORKSPACE_READERS:\n{leaks}"
        )
