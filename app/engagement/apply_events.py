"""Apply semantic events in the transaction that stores them. Their order does not matter."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from app.engagement.versions.facts import EVENT_FACTS, event_facts
from app.engagement.versions.record_facts import record_facts

RowsByStatement = Mapping[str, Sequence[StatementRow]]

SQL = load_sql(__file__)

STATEMENTS = ("completion", "ticket", "moment")
"""Names of the statements in order of execution. All other rows of events are facts."""

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
    existing = _resolve_account_lists(session, workspace_id, rows)
    touched = _execute(session, workspace_id, rows, known_on)
    facts = [
        fact
        for row in parsed
        if row.statement in EVENT_FACTS
        for fact in event_facts(row, known_on, existing)
    ]
    touched |= record_facts(session, workspace_id, facts)
    if known_on is not None:
        named = {row.values["account_id"] for row in parsed}
        mark_due(session, workspace_id, touched - named)
    return warnings | _warn_of_unknown(session, workspace_id, rows)


def apply_rows(
    session: Session, workspace_id: str, rows: Iterable[StatementRow], *, known_on: date
) -> None:
    """Write the rows of an API call on a ticket. No account is queued for scoring."""
    _execute(session, workspace_id, _by_statement(rows), known_on)


def _by_statement(rows: Iterable[StatementRow]) -> RowsByStatement:
    by_statement: defaultdict[str, list[StatementRow]] = defaultdict(list)
    for row in rows:
        by_statement[row.statement].append(row)
    return by_statement


def _execute(
    session: Session, workspace_id: str, rows: RowsByStatement, known_on: date | None
) -> set[str]:
    """Write the rows; return the accounts of their tickets, named or not."""
    for name in STATEMENTS:
        if group := rows.get(name):
            values = {"workspace_id": workspace_id, "rows": _rows_json(group, known_on)}
            session.execute(getattr(SQL, name), values)
    ids = _sorted_ids(rows.get("moment", ()), "ticket_id")
    summarized = {"workspace_id": workspace_id, "ids": ids}
    accounts = session.scalars(SQL.summarize_tickets, summarized) if ids else ()
    return {each for each in accounts if each is not None}


def _rows_json(rows: Sequence[StatementRow], known_on: date | None) -> str:
    return orjson.dumps(
        [{**row.values, "known_on": known_on or row.values["at"].date()} for row in rows]
    ).decode()


def _sorted_ids(rows: Sequence[StatementRow], key: str) -> list[str]:
    return sorted({row.values[key] for row in rows})


def _resolve_account_lists(
    session: Session, workspace_id: str, rows: RowsByStatement
) -> Collection[str]:
    """Replace old ids in lists of accounts; return which accounts of the lists exist."""
    with_lists = [*rows.get("affected", ()), *rows.get("apology", ())]
    named = {each for row in with_lists for each in row.values["account_ids"]}
    if not named:
        return ()
    current = aliases.current_ids(session, workspace_id, sorted(named))
    for row in with_lists if current else ():
        ids: list[Any] = row.values["account_ids"]
        ids[:] = [current.get(each, each) for each in ids]
    accounts = sorted({each for row in with_lists for each in row.values["account_ids"]})
    return existing_accounts(session, workspace_id, accounts)


def existing_accounts(session: Session, workspace_id: str, ids: Sequence[str]) -> set[str]:
    """Return which of the accounts exist."""
    values = {"workspace_id": workspace_id, "ids": list(ids)}
    return set(session.scalars(SQL.existing_accounts, values))


def _warn_of_unknown(session: Session, workspace_id: str, rows: RowsByStatement) -> dict[int, str]:
    """Return a warning for each row that refers to an object which does not exist."""
    warnings: dict[int, str] = {}
    for name, (key, statement) in REFERENCES.items():
        if group := rows.get(name):
            values = {"workspace_id": workspace_id, "ids": _sorted_ids(group, key)}
            existing = set(session.scalars(statement, values))
            warnings |= {row.n: UNKNOWN for row in group if row.values[key] not in existing}
    return warnings
