"""The first event that was ever received: what was before it is unknown, and not zero.

An import of older events makes it earlier, for past days too: all figures follow.
"""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy.orm import Session

from app.core.sql import load_sql

ONBOARDING_DAYS = 120
"""An account that is older than the first event by more days may have done any step before it."""

SQL = load_sql(__file__)
FIND_FIRST_EVENT_DAY = SQL.compose("find_first_event_day", known_on=":as_of")
FIND_SOURCE_DAYS = SQL.compose("find_source_days", known_on=":as_of")


def first_event_day(known_on: str = ":as_of") -> str:
    """Return the SQL expression of the day of the first event of the workspace.

    ``known_on``: the parameter or column with the day on which it must have been known.
    """
    return SQL.fill("first_event_day", known_on=known_on)


def source_days(known_on: str = ":as_of") -> str:
    """Return the SQL query of event names and the first day of the sources that send them."""
    return SQL.fill("source_days", known_on=known_on)


def reported_from(known_on: str = ":as_of") -> str:
    """Return the SQL expression of the day before which ``:event_names`` are not reported."""
    return SQL.fill("reported_from", known_on=known_on)


def account_began_on(known_on: str = ":as_of") -> str:
    """Return the SQL expression of the day on which the account ``a`` began; null: not known."""
    return SQL.fill("account_began_on", known_on=known_on)


def find_first_event_day(session: Session, workspace_id: str, *, as_of: date) -> date | None:
    """Return the day of the first event that was known on a day; None: none was received."""
    values = {"workspace_id": workspace_id, "as_of": as_of}
    day: date | None = session.scalar(FIND_FIRST_EVENT_DAY, values)
    return day


def load_known_days(
    session: Session,
    workspace_id: str,
    event_names: Mapping[str, Collection[str]],
    *,
    as_of: date,
    first_event_on: date,
) -> dict[str, date]:
    """Return the day from which on each thing is known that some events report, by its key.

    ``event_names``: key to the names of these events. It is the first day of the sources that send
    one of them: a source that begins later than others reports nothing of what was before it. A
    thing that no source has ever reported is known since ``first_event_on``, the first event of
    all.
    """
    names = sorted({name for each in event_names.values() for name in each})
    if not names:
        return dict.fromkeys(event_names, first_event_on)
    values = {"workspace_id": workspace_id, "names": names, "as_of": as_of}
    days = {row.name: row.day for row in session.execute(FIND_SOURCE_DAYS, values)}
    return {
        key: max(first_event_on, min((days[n] for n in each if n in days), default=date.min))
        for key, each in event_names.items()
    }
