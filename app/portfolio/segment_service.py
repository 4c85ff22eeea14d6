"""Resolve filters and saved segments to one filter; change saved segments, with audit entries."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.core.errors import FieldError, UnprocessableError
from app.core.filters.parser import FilterError, parse_filter
from app.core.filters.tree import MATCH_ALL, And, Filter
from app.core.query_helpers import get_row
from app.portfolio.fields import CHOICES, FIELDS
from app.portfolio.tables import SavedSegment
from app.workspaces.resources import put_row
from app.workspaces.service import Actor

BODY_POINTER, QUERY_POINTER = "/body/filter", "/query/filter"


class InvalidFilterError(UnprocessableError):
    code = "invalid_filter"
    default_detail = "The filter is invalid: see `errors`."


def resolve_filter(
    session: Session,
    workspace_id: str,
    raw: object = None,
    *,
    key: str | None = None,
    at: str = BODY_POINTER,
) -> Filter:
    """Parse a filter (``raw``), the saved segment ``key``, or both: an account must match both.

    ``at`` is the JSON pointer of the filter in the request, for errors. Relative days are not yet
    resolved: call ``resolve_relative_days``.
    """
    parts = []
    if key is not None:
        segment = get_row(session, SavedSegment, (workspace_id, key), "segment")
        parts.append(parse_account_filter(segment.filter, at=f"/segments/{key}"))
    if raw is not None:
        parts.append(parse_account_filter(raw, at=at))
    return parts[0] if len(parts) == 1 else And(tuple(parts)) if parts else MATCH_ALL


def resolve_filter_query(
    session: Session, workspace_id: str, text: str | None, key: str | None
) -> Filter:
    """Resolve the query parameters ``filter``, which is JSON, and ``segment_key``."""
    try:
        raw = None if text is None else orjson.loads(text)
    except ValueError:
        errors = [FieldError(QUERY_POINTER, 'Must be JSON, such as {"segment": "smb"}.')]
        raise InvalidFilterError(errors=errors) from None
    return resolve_filter(session, workspace_id, raw, key=key, at=QUERY_POINTER)


def parse_account_filter(raw: object, *, at: str = BODY_POINTER) -> Filter:
    """Parse a filter of accounts; raise InvalidFilterError with a pointer if it is invalid."""
    try:
        return parse_filter(raw, FIELDS, choices=CHOICES, relative_days=True)
    except FilterError as error:
        errors = [FieldError(at + error.pointer, str(error))]
        raise InvalidFilterError(errors=errors) from None


def put_segment(
    session: Session, actor: Actor, key: str, columns: Mapping[str, Any]
) -> SavedSegment:
    """Create or replace a saved segment. Equal values change nothing and are not audited."""
    parse_account_filter(columns["filter"])
    initial = {"created_at": actor.at, "updated_at": actor.at}
    row, created, changed = put_row(
        session, actor, SavedSegment, key, columns, kind="segment", initial=initial
    )
    if changed and not created:
        row.version, row.updated_at = row.version + 1, actor.at
    return row
