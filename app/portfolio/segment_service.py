"""Resolve filters and saved segments to one filter; change saved segments, with audit entries."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import FieldError, UnprocessableError
from app.core.filters.parser import FilterError, parse_filter
from app.core.filters.tree import MATCH_ALL, And, Filter
from app.portfolio import account_queries, segment_queries
from app.portfolio.account_queries import AccountTotal
from app.portfolio.fields import CHOICES, FIELDS
from app.portfolio.tables import SavedSegment
from app.workspaces.service import Actor

FILTER_POINTER = "/body/filter"


class InvalidFilterError(UnprocessableError):
    code = "invalid_filter"


def resolve_filter(
    session: Session,
    workspace_id: str,
    raw: object = None,
    *,
    key: str | None = None,
    at: str = FILTER_POINTER,
) -> Filter:
    """Parse a filter, the saved segment of a key, or both (an account must then match both).

    ``at`` is the JSON pointer of the filter in the request, for errors. Relative days stay: resolve
    them with ``resolve_relative_days``.
    """
    parts = []
    if key is not None:
        segment = segment_queries.get_segment(session, workspace_id, key)
        parts.append(parse_account_filter(segment.filter, at=f"/segments/{key}"))
    if raw is not None:
        parts.append(parse_account_filter(raw, at=at))
    return parts[0] if len(parts) == 1 else And(tuple(parts)) if parts else MATCH_ALL


def parse_account_filter(raw: object, *, at: str = FILTER_POINTER) -> Filter:
    """Parse a filter of accounts; raise InvalidFilterError with a pointer if it is invalid."""
    try:
        return parse_filter(raw, FIELDS, choices=CHOICES, relative_days=True)
    except FilterError as error:
        errors = [FieldError(at + error.pointer, str(error))]
        raise InvalidFilterError("The filter is invalid: see `errors`.", errors=errors) from None


def put_segment(
    session: Session,
    actor: Actor,
    key: str,
    *,
    name: str,
    filter: Mapping[str, Any],  # noqa: A002 - the name of the column
) -> SavedSegment:
    """Create or replace a saved segment. Equal values change nothing and are not audited."""
    parse_account_filter(filter)
    values: dict[str, Any] = {"name": name, "filter": dict(filter)}
    created = segment_queries.insert_segment_if_missing(
        session, actor.workspace_id, key, **values, now=actor.at
    )
    row = segment_queries.get_segment(session, actor.workspace_id, key, lock=True)
    changed = row.apply_changes(values)
    if changed:
        row.version, row.updated_at = row.version + 1, actor.at
    if created or changed:
        actor.audit(session, "segment.created" if created else "segment.changed", key, values)
    return row


def delete_segment(session: Session, actor: Actor, key: str) -> None:
    session.delete(segment_queries.get_segment(session, actor.workspace_id, key, lock=True))
    actor.audit(session, "segment.deleted", key)


def load_segment_total(session: Session, row: SavedSegment, *, today: date) -> AccountTotal:
    """Return the total of the accounts that match a saved segment now."""
    filters = [parse_account_filter(row.filter)]
    [total] = account_queries.load_totals(session, row.workspace_id, filters, today=today)
    return total
