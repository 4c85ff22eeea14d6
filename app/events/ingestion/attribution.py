"""Late binding: events that waited for their account are stored once it is known."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events import stats_queries
from app.events.ingestion import attribution_queries, engagement_events, queries
from app.events.ingestion.attribution_queries import WaitingEvent
from app.events.ingestion.queries import BatchOrigin

EVENTS_PER_CALL = 1000


def attribute_events(sessions: SessionFactory, *, now: datetime, everything: bool = True) -> int:
    """Move waiting events whose account has become known, and count them as known today.

    Taking them out, storing and counting them is one transaction; dedupe applies. Returns how
    many were taken. ``everything``: look at all that wait, not only at those whose user or visitor
    was marked by a batch. That costs more the more of them wait, and misses nothing.
    """
    take = (
        attribution_queries.take_attributable_events
        if everything
        else attribution_queries.take_marked_events
    )
    with sessions.begin() as session:
        taken = take(session, limit=EVENTS_PER_CALL)
        _store_attributed(session, taken, now)
    return len(taken)


def _store_attributed(session: Session, taken: Sequence[WaitingEvent], now: datetime) -> None:
    by_origin: dict[BatchOrigin, list[dict[str, Any]]] = {}
    for waiting in taken:
        by_origin.setdefault(waiting.origin, []).append(dict(waiting.row))
    for origin, rows in sorted(by_origin.items(), key=lambda item: item[0].workspace_id):
        today = now.date()
        verdicts = queries.insert_events(session, origin, rows, counted_on=today)
        engagement_events.apply_attributed_events(
            session, origin.workspace_id, rows, verdicts, known_on=today
        )
        stored = Counter(row.get("sdk") or "" for row in rows if row["n"] not in verdicts)
        told = BatchOrigin(origin.workspace_id, origin.key_id, now)
        rows_told = [{"sdk": sdk, "attributed": count} for sdk, count in sorted(stored.items())]
        stats_queries.insert_tallies(session, told, rows_told)
