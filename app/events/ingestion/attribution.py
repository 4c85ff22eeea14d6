"""Late attribution: store events that waited for their account once it is known."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.ingestion import attribution_queries, engagement_events, queries
from app.events.ingestion.attribution_queries import WaitingEvent
from app.events.ingestion.queries import BatchOrigin

EVENTS_PER_CALL = 1000


def attribute_events(sessions: SessionFactory, *, now: datetime, everything: bool = True) -> int:
    """Store waiting events whose account has become known, and count them as known today.

    Return how many events left the waiting table. Removing, storing and counting them is one
    transaction; deduplication applies. ``everything``: examine all waiting events, not only those
    whose user or visitor a batch has marked. The cost grows with the number of waiting events, but
    no event is missed.
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
    for event in taken:
        by_origin.setdefault(event.origin, []).append(dict(event.row))
    for origin, rows in sorted(by_origin.items(), key=lambda item: item[0].workspace_id):
        today = now.date()
        verdicts = queries.insert_events(session, origin, rows, known_on=today)
        engagement_events.apply_attributed_events(
            session, origin.workspace_id, rows, verdicts, known_on=today
        )
        stored = Counter(row.get("sdk") or "" for row in rows if row["n"] not in verdicts)
        tallies = [{"sdk": sdk, "attributed": count} for sdk, count in sorted(stored.items())]
        tally_origin = BatchOrigin(origin.workspace_id, origin.key_id, now)
        queries.insert_tallies(session, tally_origin, tallies)
