"""Late binding: events that waited for their account are stored once it is known."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events import binding_queries, queries, semantic, stats_queries
from app.events.binding_queries import WaitingEvent
from app.events.queries import Origin

AT_ONCE = 1000


def attribute(sessions: SessionFactory, *, now: datetime, everything: bool = True) -> int:
    """Move waiting events whose account has become known, and count them as known today.

    Taking them out, storing and counting them is one transaction; dedupe applies. Returns how
    many were taken. ``everything``: look at all that wait, not only at those whose user or visitor
    was marked by a batch. That costs more the more of them wait, and misses nothing.
    """
    take = binding_queries.take_attributable if everything else binding_queries.take_marked
    with sessions.begin() as session:
        taken = take(session, limit=AT_ONCE)
        _store(session, taken, now)
    return len(taken)


def _store(session: Session, taken: Sequence[WaitingEvent], now: datetime) -> None:
    by_origin: dict[Origin, list[dict[str, Any]]] = {}
    for waiting in taken:
        by_origin.setdefault(waiting.origin, []).append(dict(waiting.row))
    for origin, rows in sorted(by_origin.items(), key=lambda item: item[0].workspace_id):
        today = now.date()
        verdicts = queries.ingest(session, origin, rows, counted_on=today)
        semantic.tell_bound(session, origin.workspace_id, rows, verdicts, known_on=today)
        stored = Counter(row.get("sdk") or "" for row in rows if row["n"] not in verdicts)
        told = Origin(origin.workspace_id, origin.key_id, now)
        rows_told = [{"sdk": sdk, "attributed": count} for sdk, count in sorted(stored.items())]
        stats_queries.tell(session, told, rows_told)
