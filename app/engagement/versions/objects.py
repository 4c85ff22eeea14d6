"""The present version of survey responses, feedback, goals and incidents, and API calls on them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.query_helpers import find_row, table_noun
from app.engagement.tables import PRESENT, VersionTable
from app.engagement.versions.facts import Fact, FactKind, ObjectKind, instant_text
from app.engagement.versions.record_facts import (
    ObjectKey,
    lock_objects,
    next_fact_time,
    record_facts,
)
from app.workspaces.service import Actor

VersionT = TypeVar("VersionT", bound=VersionTable)


def get_present(
    session: Session, table: type[VersionT], workspace_id: str, key: str, *, lock: bool = False
) -> VersionT:
    """Return the present version of an object, or raise ``NotFoundError``.

    ``lock`` locks the version and reloads it.
    """
    row = find_row(session, table, (workspace_id, key, PRESENT), lock=lock)
    if row is None:
        raise NotFoundError(table_noun(table), key)
    return row


def lock_present(
    session: Session, actor: Actor, table: type[VersionT], key: str
) -> VersionT | None:
    """Lock an object, whether it exists or not; return its present version."""
    lock_objects(session, actor.workspace_id, {(ObjectKind(table.__tablename__), key): None})
    return find_row(session, table, (actor.workspace_id, key, PRESENT), lock=True)


def require_present(session: Session, actor: Actor, table: type[VersionT], key: str) -> VersionT:
    """Lock an object and return its present version, or raise ``NotFoundError``."""
    lock_objects(session, actor.workspace_id, {(ObjectKind(table.__tablename__), key): None})
    return get_present(session, table, actor.workspace_id, key, lock=True)


def record(
    session: Session,
    actor: Actor,
    table: type[VersionT],
    key: str,
    kind: FactKind,
    *,
    fields: Mapping[str, Any],
) -> VersionT:
    """Record an API call about a locked object, and return the new present version.

    The call is newer than every fact so far. ``account_id`` and ``user_id`` are fields too.
    """
    at = next_time(session, actor, table, key)
    fact = api_fact(actor, (ObjectKind(table.__tablename__), key), kind, at, fields)
    record_facts(session, actor.workspace_id, [fact])
    return get_present(session, table, actor.workspace_id, key, lock=True)


def next_time(session: Session, actor: Actor, table: type[VersionTable], key: str) -> datetime:
    """Return the own time of the next API call about a locked object."""
    object_key = (ObjectKind(table.__tablename__), key)
    return next_fact_time(session, actor.workspace_id, object_key, actor.at)


def api_fact(
    actor: Actor, key: ObjectKey, kind: FactKind, at: datetime, fields: Mapping[str, Any]
) -> Fact:
    """Make the fact of an API call about an object."""
    return Fact(
        *key,
        kind,
        at,
        actor.at.date(),
        fields.get("account_id", ""),
        fields.get("user_id"),
        {k: _json_value(v) for k, v in fields.items() if k not in {"account_id", "user_id"}},
    )


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value
