from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import TRAITS
from app.accounts.tables import Account, Subscription
from app.core.query_helpers import advisory_lock, same_account
from app.events.ingestion import attribution_statements, statements
from app.events.ingestion.event_names import MAX_EVENT_NAMES
from app.events.reading.identities import AccountRow, Identities, UserRow
from app.events.tables import (
    Event,
    EventName,
    StaleAccount,
    UnattributedEvent,
)


@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """Whose key brought a batch, and when."""

    workspace_id: str
    key_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """What is known of an account's price before a group call is believed."""

    has_other_source: bool
    traits_at: datetime
    starts: frozenset[date]

    def is_newer_than(self, said_at: datetime) -> bool:
        """Whether a later call has told already what holds from this day on."""
        return said_at < self.traits_at and said_at.date() in self.starts


def insert_events(
    session: Session,
    origin: BatchOrigin,
    rows: Sequence[Mapping[str, Any]],
    *,
    counted_on: date | None,
    aliases: bool = True,
    aside: Sequence[Mapping[str, Any]] | None = None,
    only_use: bool = False,
) -> dict[int, str]:
    """Store and count events; return the verdict of those not accepted as new, by number.

    ``counted_on``: since when the rows are known; None for history, known on each row's own day.
    ``aliases``: whether accounts of users may stand under an old id. ``aside``: what else came in
    the batch, by SDK and code, to be told with it in the statistics; None: nothing is told.
    ``only_use``: whether the batch says nothing but what was used.

    Verdicts: ``duplicate``; ``unattributed`` (stored, waits for its account).
    """
    plain = all(row["account_id"] and not row.get("untimed") for row in rows)
    values: dict[str, Any] = {
        "workspace_id": origin.workspace_id,
        "key_id": origin.key_id,
        "received_at": origin.received_at,
        "received_on": counted_on,
        "historical": counted_on is None,
        "only_use": only_use,
        "rows": orjson.dumps(rows).decode(),
    }
    if aside:
        values["aside"] = orjson.dumps(aside).decode()
    statement = statements.ingest_statement(
        plain=plain, aliases=aliases, told=aside is not None, aside=bool(aside)
    )
    found = session.execute(statement, values)
    return {row[0]: row[1] for row in found}


def upsert_identities(
    session: Session, workspace_id: str, identities: Identities, *, counted_on: date | None
) -> None:
    """Write accounts, users and aliases, each in key order; what was said last stands."""
    for statement, rows, values in (
        (statements.UPSERT_ACCOUNTS, [_account_json(row) for row in identities.accounts], {}),
        (statements.UPSERT_USERS, [_user_json(row) for row in identities.users], {}),
        (statements.ADD_ALIASES, identities.aliases, {"received_on": counted_on}),
    ):
        if rows:
            said = {"workspace_id": workspace_id, "rows": orjson.dumps(rows).decode()}
            session.execute(statement, said | values)
    if identities.users:
        user_ids = [row.user_id for row in identities.users]
        session.execute(
            attribution_statements.MARK_DUE_BINDINGS,
            {"workspace_id": workspace_id, "user_ids": user_ids},
        )


def load_known_prices(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, KnownPrice]:
    """Tell for accounts who has said a price, and from which days on."""
    found = session.execute(
        select(
            Account.account_id,
            func.coalesce(func.bool_or(Subscription.source != TRAITS), False),
            Account.traits_at,
            func.array_agg(Subscription.starts_on),
        )
        .outerjoin(Subscription, same_account(Subscription, Account))
        .where(Account.workspace_id == workspace_id, Account.account_id.in_(account_ids))
        .group_by(Account.account_id, Account.traits_at)
    )
    return {row[0]: KnownPrice(row[1], row[2], frozenset(row[3])) for row in found}


def _account_json(row: AccountRow) -> dict[str, Any]:
    said = {"account_id": row.account_id, "traits": row.traits, "traits_at": row.traits_at}
    return row.columns | said


def _user_json(row: UserRow) -> dict[str, Any]:
    said = asdict(row)
    return {**said.pop("columns"), **said}


def load_fingerprints(
    session: Session, workspace_id: str, keys: Sequence[tuple[datetime, str]]
) -> dict[tuple[datetime, str], int]:
    """Return the content hashes of stored events, to tell a retry from a reused id."""
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
    """Return whose stored events are, where somebody is known: by client time and message id."""
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
    """Register event names (name to whether it is a view) as far as the limit allows.

    One writer at a time in a workspace, so that the limit is exact. Returns all that are known.
    """
    advisory_lock(session, "event names", workspace_id)
    known = list_event_names(session, workspace_id)
    new = sorted(set(names) - known)[: max(MAX_EVENT_NAMES - len(known), 0)]
    if new:
        session.execute(
            insert(EventName).on_conflict_do_nothing(),
            [
                {
                    "workspace_id": workspace_id,
                    "name": name,
                    "is_view": names[name],
                    "first_seen_at": now,
                }
                for name in new
            ],
        )
    return known | set(new)


def drop_old_unattributed(session: Session, *, before: datetime) -> None:
    session.execute(delete(UnattributedEvent).where(UnattributedEvent.received_at < before))


def find_stale_accounts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> set[str]:
    """Return those accounts that lived on a source which has fallen silent."""
    return set(
        session.scalars(
            select(StaleAccount.account_id).where(
                StaleAccount.workspace_id == workspace_id, StaleAccount.account_id.in_(account_ids)
            )
        )
    )
