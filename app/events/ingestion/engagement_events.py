"""Pass semantic events to the package ``engagement``, in the transaction that stores them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.engagement import parse_events
from app.engagement.apply_events import apply_events
from app.events.ingestion import queries
from app.events.reading.canonical import CanonicalEvent
from app.workspaces.queries import get_workspace
from app.workspaces.semantic_events import events_by_name


def apply_engagement_events(
    session: Session,
    workspace_id: str,
    events: Sequence[CanonicalEvent],
    verdicts: Mapping[int, str],
    *,
    known_on: date | None,
) -> dict[int, str]:
    """Apply semantic events, except duplicates; return a warning by number of each that fails.

    An impersonated event is not counted, so it is no answer of a person and completes no step.
    """
    new = [
        (e, e.semantic)
        for e in events
        if e.semantic
        and verdicts.get(e.n) != "duplicate"
        and (e.counted_as or e.semantic not in parse_events.PERSONAL_KINDS)
    ]
    if not new:
        return {}
    keys = [(event.client_at, event.message_id) for event, _ in new if not event.account_id]
    accounts = queries.load_event_accounts(session, workspace_id, keys) if keys else {}
    engagement = [
        parse_events.EngagementEvent(
            event.n,
            kind,
            event.message_id,
            event.occurred_at,
            event.account_id or accounts.get((event.client_at, event.message_id)),
            event.user_id,
            event.properties,
            has_own_account=event.account_id is not None,
        )
        for event, kind in new
    ]
    return apply_events(session, workspace_id, engagement, known_on=known_on)


def apply_attributed_events(
    session: Session,
    workspace_id: str,
    rows: Sequence[Mapping[str, Any]],
    verdicts: Mapping[int, str],
    *,
    known_on: date,
) -> None:
    """Apply semantic events that waited, now that their accounts are known.

    Incidents need no account: they were applied when the event was received.
    """
    kinds = events_by_name(get_workspace(session, workspace_id).semantic_events)
    new = [
        (row, kinds[row["name"].lower()])
        for row in rows
        if row["kind"] == "track" and row["name"].lower() in kinds and row["n"] not in verdicts
    ]
    keys = {
        row["n"]: (datetime.fromisoformat(row["client_at"]), row["message_id"]) for row, _ in new
    }
    accounts = queries.load_event_accounts(session, workspace_id, [*keys.values()]) if new else {}
    events = [
        parse_events.EngagementEvent(
            row["n"],
            kind,
            row["message_id"],
            datetime.fromisoformat(row["occurred_at"]),
            accounts.get(keys[row["n"]]),
            row["user_id"],
            row["properties"] or {},
            has_own_account=False,
        )
        for row, kind in new
        if kind not in parse_events.INCIDENT_KINDS
        and (row["counted"] or kind not in parse_events.PERSONAL_KINDS)
    ]
    apply_events(session, workspace_id, events, known_on=known_on)
