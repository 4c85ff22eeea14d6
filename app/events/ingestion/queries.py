"""Queries of ingestion: store events, identities and event names, and load what they depend on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TextClause, delete, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from app.accounts.past_fields import keep_before_changes
from app.accounts.tables import User
from app.accounts.traits import ROW_TIME
from app.core.query_helpers import advisory_lock
from app.core.sql import load_sql
from app.events.ingestion.event_names import MAX_EVENT_NAMES
from app.events.reading.identities import AccountTraitsRow, Identities, UserTraitsRow
from app.events.tables import Event, EventName, IngestTally, SourceEventName, UnattributedEvent

SQL = load_sql(__file__, row_time=ROW_TIME.format(row="x"))
PLAIN_PARTS = {
    "account": "r.account_id",
    "account_by": "CAST(NULL AS text)",
    "unless_known": "",
    "store_waiting": "SELECT client_at, message_id FROM input WHERE false",
    "mark_new_users": "",
}
"""Parts of the ingest statement for a batch in which no account must be looked up."""


@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """The API key that sent a batch, its workspace, and the receive time."""

    workspace_id: str
    key_id: str
    received_at: datetime


def insert_events(
    session: Session,
    origin: BatchOrigin,
    rows: Sequence[Mapping[str, Any]],
    *,
    known_on: date | None,
    aliases: bool = True,
    excluded: Sequence[Mapping[str, Any]] | None = None,
    only_use: bool = False,
) -> dict[int, str]:
    """Store and count events; return the verdict of those not stored as new, by event number.

    Verdicts: ``duplicate``; ``unattributed`` (stored, and waits for its account).
    ``known_on``: the day on which the rows became known; None for history, known on its own day.
    ``aliases``: whether the account of a user may be stored under an old id.
    ``excluded``: counts by SDK and code of the events of the batch that are not among the rows, and
    of hints, for the statistics; None: the batch does not count in the statistics.
    ``only_use``: whether the batch has no identity calls, B2B events or semantic events.
    """
    plain = all(row["account_id"] and not row.get("untimed") for row in rows)
    values: dict[str, Any] = {
        "workspace_id": origin.workspace_id,
        "key_id": origin.key_id,
        "received_at": origin.received_at,
        "received_on": known_on,
        "historical": known_on is None,
        "only_use": only_use,
        "rows": orjson.dumps(rows).decode(),
    }
    if excluded:
        values["aside"] = orjson.dumps(excluded).decode()
    statement = _ingest_statement(
        plain=plain, aliases=aliases, tally=excluded is not None, excluded=bool(excluded)
    )
    return {row[0]: row[1] for row in session.execute(statement, values)}


@cache
def _ingest_statement(*, plain: bool, aliases: bool, tally: bool, excluded: bool) -> TextClause:
    """Build the statement. ``plain``: every event names its account and its time.

    A plain batch needs no lookup in the partitions of ``event``; with many partitions such a
    lookup is slow. ``aliases``: accounts of users may be stored under an old id. ``tally``: count
    the batch in the statistics; ``excluded``: include the events that are not among the rows.
    """
    parts = dict(PLAIN_PARTS) if plain else {}
    if not aliases:
        parts["member_account"] = "u.account_id"
    if not tally:
        parts["count_batch"] = ""
    if not excluded:
        parts["count_excluded"] = ""
    return SQL.compose("ingest", **parts)


def insert_tallies(
    session: Session, origin: BatchOrigin, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add counts that no ingest statement writes, such as replayed events, by counter name."""
    columns = {"workspace_id": origin.workspace_id, "key_id": origin.key_id, "code": ""}
    if rows:
        rows = [{**columns, "at": origin.received_at, **row} for row in rows]
        session.execute(insert(IngestTally), rows)


def quarantine_events(
    session: Session, origin: BatchOrigin, rows: Sequence[Mapping[str, Any]], *, historical: bool
) -> dict[str, int]:
    """Quarantine events; return their numbers by fingerprint.

    Content that is already in the quarantine is counted, and not stored again.
    """
    values = {"historical": historical, "rows": orjson.dumps(rows).decode(), **asdict(origin)}
    return {row[0]: row[1] for row in session.execute(SQL.quarantine_events, values)}


def upsert_identities(
    session: Session,
    workspace_id: str,
    identities: Identities,
    *,
    known_on: date | None,
    today: date,
) -> None:
    """Write accounts, users and aliases, each in key order. The newest values win.

    Users for whom events wait are marked as due for attribution.
    """
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "received_on": known_on,
        "today": today,
    }
    stated = (
        (row.account_id, {name: row.columns.get(name) for name in row.field_times})
        for row in identities.accounts
    )
    keep_before_changes(session, workspace_id, stated, today=today)
    for statement, rows in (
        (SQL.upsert_accounts, [_traits_json(row) for row in identities.accounts]),
        (SQL.upsert_users, [_traits_json(row) for row in identities.users]),
        (SQL.add_aliases, identities.aliases),
    ):
        if rows:
            session.execute(statement, values | {"rows": orjson.dumps(rows).decode()})
    if identities.users:
        user_ids = [row.user_id for row in identities.users]
        session.execute(SQL.mark_due_attributions, values | {"user_ids": user_ids})


def _traits_json(row: AccountTraitsRow | UserTraitsRow) -> dict[str, Any]:
    values = {each.name: getattr(row, each.name) for each in fields(row)}
    return {**values.pop("columns"), **values}


def list_known_users(session: Session, workspace_id: str, user_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are users."""
    rows = select(User.user_id).where(User.workspace_id == workspace_id, User.user_id.in_(user_ids))
    return set(session.scalars(rows))


def load_fingerprints(
    session: Session, workspace_id: str, keys: Sequence[tuple[datetime, str]]
) -> dict[tuple[datetime, str], int]:
    """Return content hashes by client time and message id, to tell retries from reused ids."""
    stored: dict[tuple[datetime, str], int] = {}
    for table in (Event, UnattributedEvent):
        rows = session.execute(
            select(table.client_at, table.message_id, table.fingerprint).where(
                table.workspace_id == workspace_id,
                tuple_(table.client_at, table.message_id).in_(keys),
            )
        )
        stored |= {(client_at, message_id): value for client_at, message_id, value in rows}
    return stored


def load_event_accounts(
    session: Session, workspace_id: str, keys: Sequence[tuple[datetime, str]]
) -> dict[tuple[datetime, str], str]:
    """Return the accounts of stored events by client time and message id, where known."""
    rows = session.execute(
        select(Event.client_at, Event.message_id, Event.account_id).where(
            Event.workspace_id == workspace_id,
            tuple_(Event.client_at, Event.message_id).in_(keys),
        )
    )
    return {(row[0], row[1]): row[2] for row in rows if row[2]}


def list_event_names(session: Session, workspace_id: str) -> set[str]:
    return set(
        session.scalars(select(EventName.name).where(EventName.workspace_id == workspace_id))
    )


def insert_event_names(
    session: Session, workspace_id: str, names: Mapping[str, bool], *, now: datetime
) -> set[str]:
    """Register event names up to the limit; return all registered names.

    ``names``: each name with whether it is a view of a page or screen. An advisory lock admits one
    writer at a time in a workspace, so that the limit is exact.
    """
    advisory_lock(session, "event names", workspace_id)
    known = list_event_names(session, workspace_id)
    new = sorted(set(names) - known)[: max(MAX_EVENT_NAMES - len(known), 0)]
    if new:
        columns = {"workspace_id": workspace_id, "first_seen_at": now}
        rows = [{**columns, "name": name, "is_view": names[name]} for name in new]
        session.execute(postgresql.insert(EventName).on_conflict_do_nothing(), rows)
    return known | set(new)


def load_first_days(session: Session, workspace_id: str, key_id: str) -> dict[str, date]:
    """Return the first day of each event name that a source sends."""
    rows = session.execute(
        select(SourceEventName.name, SourceEventName.first_day).filter_by(
            workspace_id=workspace_id, key_id=key_id
        )
    )
    return {row.name: row.first_day for row in rows}


def write_first_days(
    session: Session, workspace_id: str, key_id: str, days: Mapping[str, date]
) -> None:
    """Store the first days of event names of a source, in key order. An earlier day stays."""
    source = {"workspace_id": workspace_id, "key_id": key_id}
    rows = [{**source, "name": name, "first_day": days[name]} for name in sorted(days)]
    new = postgresql.insert(SourceEventName)
    earliest = func.least(SourceEventName.first_day, new.excluded.first_day)
    key = ("workspace_id", "key_id", "name")
    session.execute(
        new.on_conflict_do_update(index_elements=key, set_={"first_day": earliest}), rows
    )


def drop_old_unattributed(session: Session, *, before: datetime) -> None:
    session.execute(delete(UnattributedEvent).where(UnattributedEvent.received_at < before))
