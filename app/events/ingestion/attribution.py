"""Late attribution: store waiting events once the accounts of their users are known."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.sql import load_sql
from app.events.ingestion import engagement_events, queries
from app.events.ingestion.queries import BatchOrigin

EVENTS_PER_CALL, MARKS_PER_CALL = 1000, 100

SQL = load_sql(__file__)
WaitingEvents = Sequence[Row[str, str, datetime, dict[str, Any]]]
"""For each event: workspace id, key id, receive time, and input row of the ingest statement."""


def attribute_events(sessions: SessionFactory, *, now: datetime, everything: bool = True) -> int:
    """Store waiting events whose account has become known, and count them as known today.

    Return how many events left the waiting table. Removing, storing and counting them is one
    transaction; deduplication applies. ``everything``: examine all waiting events, not only those
    whose user or visitor a batch has marked. The cost grows with the number of waiting events, but
    no event is missed.
    """
    with sessions.begin() as session:
        taken = _take_attributable(session) if everything else _take_marked(session)
        _store_attributed(session, taken, now)
    return len(taken)


def _take_attributable(session: Session) -> WaitingEvents:
    """Examine all waiting events; remove and return those whose user has an account now."""
    return session.execute(SQL.take_attributable, {"limit": EVENTS_PER_CALL}).all()


def _take_marked(session: Session) -> WaitingEvents:
    """Remove and return attributable waiting events whose user or visitor a batch has marked.

    The marks are deleted when no marked event is left.
    """
    ids = session.scalars(SQL.lock_due_attributions, {"limit": MARKS_PER_CALL}).all()
    if not ids:
        return []
    taken = session.execute(SQL.take_marked, {"limit": EVENTS_PER_CALL, "ids": ids}).all()
    if len(taken) < EVENTS_PER_CALL:
        session.execute(SQL.drop_due_attributions, {"ids": ids})
    return taken


def _store_attributed(session: Session, taken: WaitingEvents, now: datetime) -> None:
    by_origin: dict[BatchOrigin, list[dict[str, Any]]] = defaultdict(list)
    for workspace_id, key_id, received_at, row in taken:
        by_origin[BatchOrigin(workspace_id, key_id, received_at)].append(row)
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
