"""Filters and saved segments become one filter; saved segments are kept, and changes audited."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import FieldError, UnprocessableError
from app.core.filters import EVERYTHING, All, Filter, FilterError, parse
from app.segments import account_queries, queries
from app.segments.account_queries import Total
from app.segments.fields import CHOICES, FIELDS
from app.segments.tables import SavedSegment
from app.workspaces.service import Change

IN_BODY = "/body/filter"


class InvalidFilterError(UnprocessableError):
    code = "invalid_filter"


def resolve(
    session: Session,
    workspace_id: str,
    raw: object = None,
    *,
    key: str | None = None,
    at: str = IN_BODY,
) -> Filter:
    """Read a filter, the saved segment of a key, or both: then both must let an account through.

    ``at`` is where the caller wrote the filter. Days may move: fix them with ``fix_days``.
    """
    parts = []
    if key is not None:
        parts.append(read(queries.get(session, workspace_id, key).filter, at=f"/segments/{key}"))
    if raw is not None:
        parts.append(read(raw, at=at))
    return parts[0] if len(parts) == 1 else All(tuple(parts)) if parts else EVERYTHING


def read(raw: object, *, at: str = IN_BODY) -> Filter:
    """Read a filter over accounts, or say what is wrong with it and where."""
    try:
        return parse(raw, FIELDS, choices=CHOICES, moving_days=True)
    except FilterError as error:
        wrong = [FieldError(at + error.pointer, str(error))]
        raise InvalidFilterError("The filter cannot be used.", errors=wrong) from None


def put(
    session: Session,
    change: Change,
    key: str,
    *,
    name: str,
    filter: Mapping[str, Any],  # noqa: A002 - what it is called everywhere
) -> SavedSegment:
    """Create or replace; saying the same again changes nothing."""
    read(filter)
    said: dict[str, Any] = {"name": name, "filter": dict(filter)}
    created = queries.ensure(session, change.workspace_id, key, **said, now=change.at)
    row = queries.get(session, change.workspace_id, key, lock=True)
    changed = row.take(said)
    if changed:
        row.version, row.updated_at = row.version + 1, change.at
    if created or changed:
        change.audit(session, "segment.created" if created else "segment.changed", key, said)
    return row


def delete(session: Session, change: Change, key: str) -> None:
    session.delete(queries.get(session, change.workspace_id, key, lock=True))
    change.audit(session, "segment.deleted", key)


def total(session: Session, row: SavedSegment, *, today: date) -> Total:
    """Count who is in a saved segment, and add up what they pay."""
    wanted = [read(row.filter)]
    [found] = account_queries.totals(session, row.workspace_id, wanted, today=today)
    return found
