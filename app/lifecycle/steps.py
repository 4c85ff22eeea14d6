"""What all steps have in common: each does one page, short enough to stop and go on anywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, TextClause
from sqlalchemy.orm import Session

from app.lifecycle import statements
from app.lifecycle.tables import IdChange

ROWS_PER_PAGE = 20_000
START_TIME, START_ACCOUNT = "-infinity", ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """How many rows a page was about, and where the next one begins; None: there is none."""

    rows: int
    next: str | None = None


Step = Callable[[Session, IdChange, str | None], StepResult]


def execute(session: Session, statement: TextClause, values: Mapping[str, Any]) -> int:
    """Execute a statement; return how many rows it changed."""
    done: CursorResult[Any] = session.execute(statement, values)  # type: ignore[assignment]
    return done.rowcount


def remove_in_pages(statement: TextClause, *, counts: bool = False) -> Callable[..., StepResult]:
    """Make a page of a statement that takes rows out until fewer than a page come.

    ``counts``: it answers with their number.
    """

    def page(session: Session, values: Mapping[str, Any]) -> StepResult:
        limited = {**values, "limit": ROWS_PER_PAGE}
        if counts:
            rows = int(session.scalar(statement, limited) or 0)
        else:
            rows = execute(session, statement, limited)
        return StepResult(rows, "on" if rows >= ROWS_PER_PAGE else None)

    return page


def run_window(
    session: Session,
    following: TextClause,
    statement: TextClause,
    values: Mapping[str, Any],
    after: str,
) -> StepResult:
    """Run a statement on the next stretch of a long key; ``following`` says where that ends."""
    asked = {
        "workspace_id": values["workspace_id"],
        "after": after,
        "limit": ROWS_PER_PAGE,
    }
    upto = session.scalar(following, asked)
    if upto is None:
        return StepResult(0)
    end = upto if isinstance(upto, str) else upto.isoformat()
    return StepResult(execute(session, statement, {**values, "after": after, "upto": end}), end)


def run_event_window(
    session: Session, statement: TextClause, values: Mapping[str, Any], position: str | None
) -> StepResult:
    return run_window(
        session, statements.NEXT_EVENT_WINDOW, statement, values, position or START_TIME
    )


def set_fence(session: Session, change: IdChange, _: str | None) -> StepResult:
    """Draw a line: the next page waits until all that began before it is over."""
    change.fenced_at = session.execute(statements.DATABASE_TIME).scalar_one()
    return StepResult(0)
