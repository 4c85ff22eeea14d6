"""What all steps have in common: each does one page, short enough to stop and go on anywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, TextClause
from sqlalchemy.orm import Session

from app.lifecycle import statements
from app.lifecycle.tables import IdChange

ROWS_AT_ONCE = 20_000
FIRST_TIME, FIRST_ACCOUNT = "-infinity", ""


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows a page was about, and where the next one begins; None: there is none."""

    rows: int
    next: str | None = None


Step = Callable[[Session, IdChange, str | None], Page]


def run(session: Session, statement: TextClause, values: Mapping[str, Any]) -> int:
    """Execute a statement; return how many rows it changed."""
    done: CursorResult[Any] = session.execute(statement, values)  # type: ignore[assignment]
    return done.rowcount


def emptying(statement: TextClause, *, counts: bool = False) -> Callable[..., Page]:
    """Make a page of a statement that takes rows out until fewer than a page come.

    ``counts``: it answers with their number.
    """

    def page(session: Session, values: Mapping[str, Any]) -> Page:
        limited = {**values, "limit": ROWS_AT_ONCE}
        if counts:
            rows = int(session.scalar(statement, limited) or 0)
        else:
            rows = run(session, statement, limited)
        return Page(rows, "on" if rows >= ROWS_AT_ONCE else None)

    return page


def in_windows(
    session: Session,
    following: TextClause,
    statement: TextClause,
    values: Mapping[str, Any],
    after: str,
) -> Page:
    """Run a statement on the next stretch of a long key; ``following`` says where that ends."""
    asked = {
        "workspace_id": values["workspace_id"],
        "after": after,
        "limit": ROWS_AT_ONCE,
    }
    upto = session.scalar(following, asked)
    if upto is None:
        return Page(0)
    end = upto if isinstance(upto, str) else upto.isoformat()
    return Page(run(session, statement, {**values, "after": after, "upto": end}), end)


def through_events(
    session: Session, statement: TextClause, values: Mapping[str, Any], position: str | None
) -> Page:
    return in_windows(session, statements.NEXT_EVENTS, statement, values, position or FIRST_TIME)


def settle(session: Session, change: IdChange, _: str | None) -> Page:
    """Draw a line: the next page waits until all that began before it is over."""
    change.fenced_at = session.execute(statements.DATABASE_TIME).scalar_one()
    return Page(0)
