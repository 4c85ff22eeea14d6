"""Filters and saved segments become one filter; saved segments are kept, and changes audited."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import FieldError, UnprocessableError
from app.core.filters.matching import MATCH_ALL, And, Filter, FilterError, parse_filter
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
    """Read a filter, the saved segment of a key, or both: then both must let an account through.

    ``at`` is where the caller wrote the filter. Days may move: fix them with ``fix_days``.
    """
    parts = []
    if key is not None:
        parts.append(
            parse_account_filter(
                segment_queries.get_segment(session, workspace_id, key).filter,
                at=f"/segments/{key}",
            )
        )
    if raw is not None:
        parts.append(parse_account_filter(raw, at=at))
    return parts[0] if len(parts) == 1 else And(tuple(parts)) if parts else MATCH_ALL


def parse_account_filter(raw: object, *, at: str = FILTER_POINTER) -> Filter:
    """Read a filter over accounts, or say what is wrong with it and where."""
    try:
        return parse_filter(raw, FIELDS, choices=CHOICES, moving_days=True)
    except FilterError as error:
        wrong = [FieldError(at + error.pointer, str(error))]
        raise InvalidFilterError("The filter cannot be used.", errors=wrong) from None


def put_segment(
    session: Session,
    change: Actor,
    key: str,
    *,
    name: str,
    filter: Mapping[str, Any],  # noqa: A002 - what it is called everywhere
) -> SavedSegment:
    """Create or replace; saying the same again changes nothing."""
    parse_account_filter(filter)
    said: dict[str, Any] = {"name": name, "filter": dict(filter)}
    created = segment_queries.insert_segment_if_missing(
        session, change.workspace_id, key, **said, now=change.at
    )
    row = segment_queries.get_segment(session, change.workspace_id, key, lock=True)
    changed = row.apply_changes(said)
    if changed:
        row.version, row.updated_at = row.version + 1, change.at
    if created or changed:
        change.audit(session, "segment.created" if created else "segment.changed", key, said)
    return row


def delete_segment(session: Session, change: Actor, key: str) -> None:
    session.delete(segment_queries.get_segment(session, change.workspace_id, key, lock=True))
    change.audit(session, "segment.deleted", key)


def load_segment_total(session: Session, row: SavedSegment, *, today: date) -> AccountTotal:
    """Count who is in a saved segment, and add up what they pay."""
    wanted = [parse_account_filter(row.filter)]
    [found] = account_queries.load_totals(session, row.workspace_id, wanted, today=today)
    return found
