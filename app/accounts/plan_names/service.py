"""Refuse a plan that names product features which do not exist."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import FieldError, UnprocessableError
from app.core.json_pointer import pointer_part
from app.core.sql import load_sql

SQL = load_sql(__file__)
OTHER_LIMITS = frozenset({"users", "end_customers"})
"""Limits that are not the key of a product feature."""
MAX_ERRORS = 20


def check_plan(session: Session, workspace_id: str, plan: Mapping[str, Any]) -> None:
    """Raise ``UnprocessableError`` if a plan names product features that do not exist.

    While none is configured, the names of events that were received count as product features.
    """
    named = list(_names(plan))
    if not named:
        return
    values = {"workspace_id": workspace_id}
    configured = session.execute(SQL.product_features, values).all()
    keys_by_event = {event: key for key, events in configured for event in events}
    known = {key for key, _ in configured} or {*session.scalars(SQL.event_names, values)}
    errors = [
        FieldError(pointer, _advice(name, known | limits, keys_by_event))
        for pointer, name, limits in named
        if name not in known | limits
    ]
    if errors:
        raise UnprocessableError(
            "The plan names product features that do not exist: see `errors`.",
            errors=errors[:MAX_ERRORS],
            code="unknown_product_feature",
        )


def _names(plan: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield the place of each name, the name, and the names that are allowed there besides."""
    for place, name in enumerate(plan["product_features"]):
        yield f"/body/product_features/{place}", name, frozenset()
    for name in plan["price_shares"]:
        yield f"/body/price_shares/{pointer_part(name)}", name, frozenset()
    for name in plan["limits"]:
        yield f"/body/limits/{pointer_part(name)}", name, OTHER_LIMITS


def _advice(name: str, known: Collection[str], keys_by_event: Mapping[str, str]) -> str:
    by_lower = {each.lower(): each for each in sorted(known, reverse=True)}
    close = get_close_matches(name.lower(), by_lower, n=3)
    meant = [keys_by_event[name]] if name in keys_by_event else [by_lower[each] for each in close]
    if meant:
        return f"{name!r} is no product feature; did you mean {' or '.join(map(repr, meant))}?"
    return (
        f"{name!r} is no product feature. Create it with PUT /api/v1/product-features, or send its"
        " events first."
    )
