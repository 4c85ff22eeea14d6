"""Parts of the steps of an id change. A call does one page; any worker can do the next one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, TextClause, inspect
from sqlalchemy.orm import Session

from app.core.db import Table
from app.core.sql import load_sql
from app.lifecycle.tables import IdChange

SQL = load_sql(__file__)

ROWS_PER_PAGE = 20_000
START_TIME = "-infinity"
MORE = "more"
"""The position of a step that has more pages and needs no position to continue."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The number of rows of a page and the position of the next page; None if it was the last."""

    rows: int
    next: str | None = None


Step = Callable[[Session, IdChange, str | None], StepResult]


def key_columns(table: type[Table]) -> list[str]:
    return [column.name for column in inspect(table).primary_key]


@cache
def delete_page(table: type[Table]) -> TextClause:
    """Return the statement that deletes up to ``:limit`` rows of the accounts ``:ids``."""
    key = ", ".join(key_columns(table))
    return SQL.compose("delete_page", table=table.__tablename__, key=key)


def execute(session: Session, statement: TextClause, values: Mapping[str, Any]) -> int:
    """Execute a statement and return the number of changed rows."""
    result: CursorResult[Any] = session.execute(statement, values)  # type: ignore[assignment]
    return result.rowcount


def remove_page(
    session: Session, statement: TextClause, values: Mapping[str, Any], *, counts: bool = False
) -> StepResult:
    """Execute a statement that deletes or moves up to ``:limit`` rows of a table: one page.

    ``counts``: the statement returns the number of rows, instead of the row count of the driver.
    """
    limited = {**values, "limit": ROWS_PER_PAGE}
    rows = session.scalar(statement, limited) if counts else execute(session, statement, limited)
    return StepResult(rows, MORE if rows >= ROWS_PER_PAGE else None)


def run_window(
    session: Session,
    window_end: TextClause,
    statement: TextClause,
    values: Mapping[str, Any],
    after: str,
) -> StepResult:
    """Run a statement on the keys between ``after`` and the result of the query ``window_end``."""
    window = {**values, "after": after}
    upto = session.scalar(window_end, {**window, "limit": ROWS_PER_PAGE})
    if upto is None:
        return StepResult(0)
    end = upto if isinstance(upto, str) else upto.isoformat()
    return StepResult(execute(session, statement, {**window, "upto": end}), end)


def run_event_window(
    session: Session, statement: TextClause, values: Mapping[str, Any], position: str | None
) -> StepResult:
    """Run a statement on the next window of event times."""
    return run_window(session, SQL.next_event_window, statement, values, position or START_TIME)


def set_fence(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Set the fence: the next page waits until every transaction that began before it is over."""
    change.fenced_at = session.execute(SQL.database_time).scalar_one()
    return StepResult(0)
