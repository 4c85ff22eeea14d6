"""The route that traces one event: receipt, verdict, stored row, account, score."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.core.db import SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.schemas import NO_NUL, problem_responses
from app.events.sources import trace_queries as events
from app.events.sources.trace_queries import StoredEvent
from app.events.tables import UnattributedEvent
from app.health.definition.scorecard_queries import get_active_scorecard
from app.health.tables import HealthScore
from app.lifecycle import queries
from app.lifecycle.event_trace import NewestScore, score_inclusion
from app.lifecycle.schemas import EventTrace, TracedEvent, TracedScore
from app.workspaces.auth import Reader

router = APIRouter(prefix="/api/v1", tags=["data"], route_class=DeclaredRoute)


@router.get("/ingest/trace", summary="Trace an event", responses=problem_responses(401, 403, 422))
def trace_event(
    session: SessionDep,
    caller: Reader,
    message_id: Annotated[
        str, Query(min_length=1, max_length=300, pattern=NO_NUL, examples=["msg-1"])
    ],
) -> EventTrace:
    """Return the verdict, the stored row, the account and the score of an event."""
    workspace_id = caller.workspace_id
    stored = events.list_stored_events(session, workspace_id, message_id)
    accounts = {event.account_id for event in stored if event.account_id}
    scores = queries.load_scores(session, workspace_id, accounts)
    window_days = get_active_scorecard(session, workspace_id)[1].window_days if scores else 0
    waiting = events.list_waiting_events(session, workspace_id, message_id)
    quarantined = events.list_quarantined_events(session, workspace_id, message_id)
    traced = [
        *(_trace_stored(session, workspace_id, event, scores, window_days) for event in stored),
        *(_trace_unattributed(row) for row in waiting),
        *(
            TracedEvent.of(
                row,
                verdict="quarantined",
                quarantine_id=f"q_{row.number}",
                quarantine_status=row.status,
            )
            for row in quarantined
        ),
    ]
    traced.sort(key=lambda event: event.received_at)
    return EventTrace(message_id=message_id, found=len(traced), events=traced)


def _trace_stored(
    session: Session,
    workspace_id: str,
    event: StoredEvent,
    scores: Mapping[str, HealthScore],
    window_days: int,
) -> TracedEvent:
    score = None
    if event.account_id:
        in_usage = events.is_in_usage(session, workspace_id, event)
        score = _trace_score(scores.get(event.account_id), event, window_days, in_usage=in_usage)
    account_by = event.account_by
    return TracedEvent.of(event, verdict="accepted", account_found_by=account_by, score=score)


def _trace_score(
    row: HealthScore | None, event: StoredEvent, window_days: int, *, in_usage: bool
) -> TracedScore:
    score = None
    if row is not None and row.as_of is not None and row.data_through is not None:
        score = NewestScore(row.as_of, row.data_through, row.status == "stale", window_days)
    state = score_inclusion(
        score,
        in_usage=in_usage,
        day=event.day,
        known_on=event.known_on,
        received_at=event.received_at,
    )
    if row is None or score is None:
        return TracedScore(state=state)
    window_from = score.window_start
    return TracedScore.from_row(row, state=state, value=row.score, window_from=window_from)


def _trace_unattributed(row: UnattributedEvent) -> TracedEvent:
    values = {name: row.row.get(name) for name in ("sdk", "occurred_at", "kind", "name", "day")}
    return TracedEvent.of(row, verdict="unattributed", **values)
