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
from app.engagement import write_statements as statements
from app.engagement.parse_events import (
    UNKNOWN,
    WITHOUT_ACCOUNT,
    BadPropertyError,
    EngagementEvent,
    StatementRow,
    parse_event,
)

RowsByStatement = Mapping[str, Sequence[StatementRow]]

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
"""In order of execution: rows that others refer to come first."""

RETURNING_ACCOUNTS = {"affected", "apology"}
"""Statements that return the accounts they touched, which no event need name."""

REFERENCES: Mapping[str, tuple[str, TextClause]] = {
    "resolution": ("feedback_id", statements.FEEDBACK_IDS),
    "incident_end": ("incident_id", statements.INCIDENT_IDS),
    "apology": ("incident_id", statements.INCIDENT_IDS),
}
"""Rows that refer to an object which another event must have created."""


def apply_events(
    session: Session,
    workspace_id: str,
    events: Iterable[EngagementEvent],
    *,
    known_on: date | None,
) -> dict[int, str]:
    """Write what events describe; return a warning, by number, for those that are incomplete.

    ``known_on`` None: the events are history; each is known on its own day, and no account is
    queued for scoring.
    """
    warnings: dict[int, str] = {}
    rows: dict[str, list[StatementRow]] = defaultdict(list)
    for event in sorted(events, key=attrgetter("at", "message_id")):
        if event.account_id is None and event.kind not in WITHOUT_ACCOUNT:
            continue  # it is applied when its account is known
        try:
            for row in parse_event(event):
                rows[row.statement].append(row)
        except BadPropertyError as error:
            warnings[event.n] = error.code
    _resolve_old_ids(session, workspace_id, rows)
    touched = _execute(session, workspace_id, rows, known_on)
    if known_on is not None:
        named = {row.values["account_id"] for group in rows.values() for row in group}
        mark_due(session, workspace_id, touched - named)
    return warnings | _warn_of_unknown(session, workspace_id, rows)


def apply_rows(
    session: Session, workspace_id: str, rows: Iterable[StatementRow], *, known_on: date
) -> None:
    """Write rows of an API call as events would. No account is queued for scoring."""
    by_statement: dict[str, list[StatementRow]] = defaultdict(list)
    for row in rows:
        by_statement[row.statement].append(row)
    _execute(session, workspace_id, by_statement, known_on)


def _execute(
    session: Session, workspace_id: str, rows: RowsByStatement, known_on: date | None
) -> set[str]:
    """Return the accounts of tickets and incidents: events need not name them."""
    touched: set[str | None] = set()
    for name, statement in STATEMENTS.items():
        if group := rows.get(name):
            values = {"workspace_id": workspace_id, "rows": _rows_json(group, known_on)}
            result = session.execute(statement, values)
            touched |= set(result.scalars()) if name in RETURNING_ACCOUNTS else set()
    for name, key, statement in (
        ("moment", "ticket_id", statements.SUMMARIZE_TICKETS),
        ("incident_end", "incident_id", statements.INCIDENT_ACCOUNTS),
    ):
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
