"""The first event that was ever received: what was before it is unknown, and not zero.

An import of older events makes it earlier, for past days too: all figures follow.
"""

from datetime import date

from sqlalchemy.orm import Session

from app.core.sql import load_sql

ONBOARDING_DAYS = 120
"""An account that is older than the first event by more days may have done any step before it."""

SQL = load_sql(__file__)
FIND_FIRST_EVENT_DAY = SQL.compose("find_first_event_day", known_on=":as_of")


def first_event_day(known_on: str = ":as_of") -> str:
    """Return the SQL expression of the day of the first event of the workspace.

    ``known_on``: the parameter or column with the day on which it must have been known.
    """
    return SQL.fill("first_event_day", known_on=known_on)


def account_began_on(known_on: str = ":as_of") -> str:
    """Return the SQL expression of the day on which the account ``a`` began; null: not known."""
    return SQL.fill("account_began_on", known_on=known_on)


def find_first_event_day(session: Session, workspace_id: str, *, as_of: date) -> date | None:
    """Return the day of the first event that was known on a day; None: none was received."""
    values = {"workspace_id": workspace_id, "as_of": as_of}
    day: date | None = session.scalar(FIND_FIRST_EVENT_DAY, values)
    return day
