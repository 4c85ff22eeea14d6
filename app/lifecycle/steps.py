"""Building blocks of steps. A step does one page: a worker may stop after any page and go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, TextClause
from sqlalchemy.orm import Session

from app.lifecycle import statements
from app.lifecycle.tables import IdChange

ROWS_PER_PAGE = 20_000
START_TIME, START_ACCOUNT = "-infinity", ""
MORE = "more"
"""The position of a step that has more pages and needs no position to continue."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The number of rows of a page and the position of the next page; None if it was the last."""

    rows: int
    next: str | None = None


Step = Callable[[Session, IdChange, str | None], StepResult]


def execute(session: Session, statement: TextClause, values: Mapping[str, Any]) -> int:
    """Execute a statement and return the number of changed rows."""
    result: CursorResult[Any] = session.execute(statement, values)  # type: ignore[assignment]
    return result.rowcount


def remove_in_pages(statement: TextClause, *, counts: bool = False) -> Callable[..., StepResult]:
    """Return a step that repeats a statement which removes up to ``:limit`` rows of a table.

    ``counts``: the statement returns the number of rows, instead of the row count of the driver.
    """

    def step(session: Session, values: Mapping[str, Any]) -> StepResult:
        limited = {**values, "limit": ROWS_PER_PAGE}
        if counts:
            rows = int(session.scalar(statement, limited) or 0)
        else:
            rows = execute(session, statement, limited)
        return StepResult(rows, MORE if rows >= ROWS_PER_PAGE else None)

    return step


def run_window(
    session: Session,
    window_end: TextClause,
    statement: TextClause,
    values: Mapping[str, Any],
    after: str,
) -> StepResult:
    """Run a statement on the keys between ``after`` and the result of the query ``window_end``."""
    window = {
        "workspace_id": values["workspace_id"],
        "after": after,
        "limit": ROWS_PER_PAGE,
    }
    upto = session.scalar(window_end, window)
    if upto is None:
        return StepResult(0)
    end = upto if isinstance(upto, str) else upto.isoformat()
    return StepResult(execute(session, statement, {**values, "after": after, "upto": end}), end)


def run_event_window(
    session: Session, statement: TextClause, values: Mapping[str, Any], position: str | None
) -> StepResult:
    """Run a statement on the next window of event times."""
    return run_window(
        session, statements.NEXT_EVENT_WINDOW, statement, values, position or START_TIME
    )


def set_fence(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Set the fence: the next page waits until every transaction that began before it is over."""
    change.fenced_at = session.execute(statements.DATABASE_TIME).scalar_one()
    return StepResult(0)
