"""Apply semantic events in the transaction that stores them. Their order does not matter."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.refresh_queue import mark_due
from app.core.sql import load_sql
from app.engagement.parse_events import (
    UNKNOWN,
    WITHOUT_ACCOUNT,
    BadPropertyError,
    EngagementEvent,
    StatementRow,
    parse_event,
)

RowsByStatement = Mapping[str, Sequence[StatementRow]]

SQL = load_sql(__file__)

STATEMENTS = (
    *("completion", "ticket", "moment", "response", "feedback", "resolution", "goal"),
    *("incident", "affected", "incident_end", "apology"),
)
"""Names of the statements in order of execution: referenced rows before the rows that refer."""

RETURNING_ACCOUNTS = {"affected", "apology"}
"""Statements that return the accounts that they changed: their events need not name an account."""

ACCOUNTS_AFTER = (
    ("moment", "ticket_id", SQL.summarize_tickets),
    ("incident_end", "incident_id", SQL.incident_accounts),
)
"""Name of a statement, its column with an object's id, and what follows to get the accounts."""

REFERENCES: Mapping[str, tuple[str, TextClause]] = {
    "resolution": ("feedback_id", SQL.feedback_ids),
    "incident_end": ("incident_id", SQL.incident_ids),
    "apology": ("incident_id", SQL.incident_ids),
}
"""Name of a statement to the column of an object that must exist, and the query of its ids."""


def apply_events(
    session: Session, workspace_id: str, events: Iterable[EngagementEvent], *, known_on: date | None
) -> dict[int, str]:
    """Write the rows that events describe; return event number to warning for incomplete events.

    ``known_on`` None: the events are history; each is known on its own day, and no account is
    queued for scoring.
    """
    warnings: dict[int, str] = {}
    parsed: list[StatementRow] = []
    for event in sorted(events, key=attrgetter("at", "message_id")):
        if event.account_id is None and event.kind not in WITHOUT_ACCOUNT:
            continue  # it is applied when its account is known
        try:
            parsed += parse_event(event)
        except BadPropertyError as error:
            warnings[event.n] = error.code
    rows = _by_statement(parsed)
    _resolve_old_ids(session, workspace_id, rows)
    touched = _execute(session, workspace_id, rows, known_on)
    if known_on is not None:
        named = {row.values["account_id"] for row in parsed}
        mark_due(session, workspace_id, touched - named)
    return warnings | _warn_of_unknown(session, workspace_id, rows)


def apply_rows(
    session: Session, workspace_id: str, rows: Iterable[StatementRow], *, known_on: date
) -> None:
    """Write rows of an API call as rows of events are. No account is queued for scoring."""
    _execute(session, workspace_id, _by_statement(rows), known_on)


def _by_statement(rows: Iterable[StatementRow]) -> RowsByStatement:
    by_statement: defaultdict[str, list[StatementRow]] = defaultdict(list)
    for row in rows:
        by_statement[row.statement].append(row)
    return by_statement


def _execute(
    session: Session, workspace_id: str, rows: RowsByStatement, known_on: date | None
) -> set[str]:
    """Write the rows; return the accounts of their tickets and incidents, named or not."""
    touched: set[str | None] = set()
    for name in STATEMENTS:
        if group := rows.get(name):
            values = {"workspace_id": workspace_id, "rows": _rows_json(group, known_on)}
            result = session.execute(getattr(SQL, name), values)
            touched |= set(result.scalars()) if name in RETURNING_ACCOUNTS else set()
    for name, key, statement in ACCOUNTS_AFTER:
        if group := rows.get(name):
            ids = {"workspace_id": workspace_id, "ids": _sorted_ids(group, key)}
            touched |= set(session.scalars(statement, ids))
    return {each for each in touched if each is not None}


def _rows_json(rows: Sequence[StatementRow], known_on: date | None) -> str:
    return orjson.dumps(
        [{**row.values, "known_on": known_on or row.values["at"].date()} for row in rows]
    ).decode()


def _sorted_ids(rows: Sequence[StatementRow], key: str) -> list[str]:
    return sorted({row.values[key] for row in rows})


def _resolve_old_ids(session: Session, workspace_id: str, rows: RowsByStatement) -> None:
    """Replace old ids in lists of accounts. The event's own account id is current already."""
    with_lists = [*rows.get("affected", ()), *rows.get("apology", ())]
    named = {each for row in with_lists for each in row.values["account_ids"]}
    current = aliases.current_ids(session, workspace_id, sorted(named)) if named else {}
    for row in with_lists if current else ():
        ids: list[Any] = row.values["account_ids"]
        ids[:] = [current.get(each, each) for each in ids]


def _warn_of_unknown(session: Session, workspace_id: str, rows: RowsByStatement) -> dict[int, str]:
    """Return a warning for each row that refers to an object which does not exist."""
    warnings: dict[int, str] = {}
    for name, (key, statement) in REFERENCES.items():
        if group := rows.get(name):
            values = {"workspace_id": workspace_id, "ids": _sorted_ids(group, key)}
            existing = set(session.scalars(statement, values))
            warnings |= {row.n: UNKNOWN for row in group if row.values[key] not in existing}
    return warnings
