"""Semantic events do what they say, in the transaction that stores them. Any order, any number."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.queries import mark_due
from app.engagement import write_statements as statements
from app.engagement.parse_events import (
    UNKNOWN,
    WITHOUT_ACCOUNT,
    BadPropertyError,
    EngagementEvent,
    StatementRow,
    parse_event,
)

STATEMENTS: Mapping[str, TextClause] = {
    "completion": statements.COMPLETION,
    "ticket": statements.TICKET,
    "moment": statements.MOMENT,
    "response": statements.RESPONSE,
    "feedback": statements.FEEDBACK,
    "resolution": statements.RESOLUTION,
    "goal": statements.GOAL,
    "incident": statements.INCIDENT,
    "affected": statements.AFFECTED,
    "incident_end": statements.INCIDENT_END,
    "apology": statements.APOLOGY,
}
"""In this order: what must be there before something can be said of it comes first."""

RETURNING_ACCOUNTS = {"affected", "apology"}
"""What tells whose it was: accounts that no event need have named."""

REFERENCES: Mapping[str, tuple[str, TextClause]] = {
    "resolution": ("feedback_id", statements.FEEDBACK_IDS),
    "incident_end": ("incident_id", statements.INCIDENT_IDS),
    "apology": ("incident_id", statements.INCIDENT_IDS),
}
"""What says something of a thing that another event must have told of."""


def apply_events(
    session: Session, workspace_id: str, events: Iterable[EngagementEvent], *, known_on: date | None
) -> dict[int, str]:
    """Write what events tell; return a warning for those that could not do it, by number.

    ``known_on`` None: for history, which is known on its own day, and makes no account due.
    """
    warnings: dict[int, str] = {}
    found: dict[str, list[StatementRow]] = {}
    for event in sorted(events, key=attrgetter("at", "message_id")):
        if event.account_id is None and event.told not in WITHOUT_ACCOUNT:
            continue  # it waits, and comes again when its account is known
        try:
            for row in parse_event(event):
                found.setdefault(row.statement, []).append(row)
        except BadPropertyError as error:
            warnings[event.n] = error.code
    _resolve_old_ids(session, workspace_id, found)
    touched = _execute(session, workspace_id, found, known_on)
    if known_on is not None:
        named = {row.values["account_id"] for told in found.values() for row in told}
        mark_due(session, workspace_id, touched - named)
    return warnings | _warn_of_unknown(session, workspace_id, found)


def apply_rows(
    session: Session, workspace_id: str, told: Iterable[StatementRow], *, known_on: date
) -> None:
    """Write what the API says as events would; nobody is made due."""
    found: dict[str, list[StatementRow]] = {}
    for row in told:
        found.setdefault(row.statement, []).append(row)
    _execute(session, workspace_id, found, known_on)


def _execute(
    session: Session,
    workspace_id: str,
    found: Mapping[str, Sequence[StatementRow]],
    known_on: date | None,
) -> set[str]:
    """Return the accounts of tickets and incidents: those that no event names are not due yet."""
    touched: set[str | None] = set()
    for name, statement in STATEMENTS.items():
        if told := found.get(name):
            values = {"workspace_id": workspace_id, "rows": _rows_json(told, known_on)}
            done = session.execute(statement, values)
            touched |= set(done.scalars()) if name in RETURNING_ACCOUNTS else set()
    for name, key, statement in (
        ("moment", "ticket_id", statements.SUMMARIZE_TICKETS),
        ("incident_end", "incident_id", statements.INCIDENT_ACCOUNTS),
    ):
        if told := found.get(name):
            asked = {"workspace_id": workspace_id, "ids": _sorted_ids(told, key)}
            touched |= set(session.scalars(statement, asked))
    return {each for each in touched if each is not None}


def _rows_json(told: Sequence[StatementRow], known_on: date | None) -> str:
    return orjson.dumps(
        [{**row.values, "known_on": known_on or row.values["at"].date()} for row in told]
    ).decode()


def _sorted_ids(told: Sequence[StatementRow], key: str) -> list[str]:
    return sorted({row.values[key] for row in told})


def _resolve_old_ids(
    session: Session, workspace_id: str, found: Mapping[str, list[StatementRow]]
) -> None:
    """Let old ids in lists of accounts lead to the accounts; an event's own id does already."""
    told = [*found.get("affected", ()), *found.get("apology", ())]
    named = {each for row in told for each in row.values["account_ids"]}
    current = aliases.current_ids(session, workspace_id, sorted(named)) if named else {}
    for row in told if current else ():
        ids: list[Any] = row.values["account_ids"]
        ids[:] = [current.get(each, each) for each in ids]


def _warn_of_unknown(
    session: Session, workspace_id: str, found: Mapping[str, Sequence[StatementRow]]
) -> dict[int, str]:
    """Find what says something of a thing that nobody told of."""
    warnings: dict[int, str] = {}
    for name, (key, statement) in REFERENCES.items():
        if told := found.get(name):
            values = {"workspace_id": workspace_id, "ids": _sorted_ids(told, key)}
            known = set(session.scalars(statement, values))
            warnings |= {row.n: UNKNOWN for row in told if row.values[key] not in known}
    return warnings
