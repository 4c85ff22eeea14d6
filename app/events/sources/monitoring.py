"""Detect sources that become silent or active again, and update which accounts are stale."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_due
from app.core.db import SessionFactory, transaction
from app.core.logs import get_logger
from app.events.sources import queries, silence_detection
from app.events.sources.queries import SourceToCheck
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage

log = get_logger()


def aggregate_stats(sessions: SessionFactory) -> int:
    """Add the counts of batches to their hours, page by page; return the number of batches."""
    moved = 0
    while True:
        with transaction(sessions) as session:
            page = queries.aggregate_tallies(session)
        moved += page
        if page < queries.TALLIES_PER_PAGE:  # new tallies arrive while batches are ingested
            return moved


def watch_sources(sessions: SessionFactory, *, now: datetime) -> None:
    """Detect sources that became silent or active again.

    Their accounts become due for a refresh, without notification.
    """
    aggregate_stats(sessions)
    with transaction(sessions) as session:
        for source in queries.lock_returned_sources(session, now=now):
            _resume_source(session, source, now)
    with transaction(sessions) as session:
        for source in queries.lock_quiet_sources(
            session, now=now, min_gap=silence_detection.MIN_ALLOWED_GAP
        ):
            _check_quiet_source(session, source, now)
    with transaction(sessions) as session:
        recovered = defaultdict(list)
        for workspace_id, account_id in queries.delete_recovered_accounts(session):
            recovered[workspace_id].append(account_id)
        for workspace_id, account_ids in sorted(recovered.items()):
            _mark_due(session, workspace_id, account_ids)


def _check_quiet_source(session: Session, source: SourceToCheck, now: datetime) -> None:
    workspace_id, key_id = source.workspace_id, source.key_id
    hours = queries.load_active_hours(
        session,
        workspace_id,
        [key_id],
        since=source.last_event_at - silence_detection.OBSERVED_PERIOD,
    )
    silent_from = silence_detection.detect_rhythm(hours[key_id]).silent_from(source.last_event_at)
    if silent_from is None or silent_from > now:
        check_at = silent_from or now + silence_detection.MIN_ALLOWED_GAP
        queries.update_source(session, workspace_id, key_id, check_at=check_at)
        return
    since = source.last_event_at
    queries.update_source(session, workspace_id, key_id, silent_since=since, noticed_at=now)
    stale = queries.insert_stale_accounts(session, workspace_id, key_id, silent_since=since)
    _mark_due(session, workspace_id, stale)
    _publish_message(session, "data.stopped", source, since, stale, now=now)
    log.warning("source_stopped", workspace=workspace_id, key=key_id, since=since.isoformat())


def _resume_source(session: Session, source: SourceToCheck, now: datetime) -> None:
    workspace_id, key_id, last_event_at = source.workspace_id, source.key_id, source.last_event_at
    cleared = {"silent_since": None, "noticed_at": None}
    queries.update_source(session, workspace_id, key_id, **cleared, resumed_at=last_event_at)
    recovered = queries.delete_stale_accounts(session, workspace_id, key_id)
    _mark_due(session, workspace_id, recovered)
    since = source.silent_since
    if since is None or last_event_at <= since:
        return  # no new event: its key is no longer in use
    _publish_message(session, "data.resumed", source, since, recovered, now=now)
    log.info("source_resumed", workspace=workspace_id, key=key_id)


def _publish_message(
    session: Session,
    kind: str,
    source: SourceToCheck,
    silent_since: datetime,
    account_ids: Collection[str],
    *,
    now: datetime,
) -> None:
    """Publish one message for each change of a source, in the transaction of the change."""
    data = {
        "link": "/api/v1/sources",
        "key_id": source.key_id,
        "silent_since": silent_since,
        "last_event_at": source.last_event_at,
        "accounts": len(account_ids),
    }
    outbox.publish(session, source.workspace_id, [NewMessage(kind, data)], now=now)


def _mark_due(session: Session, workspace_id: str, account_ids: Collection[str]) -> None:
    if account_ids:
        mark_due(session, workspace_id, sorted(account_ids), priority=Priority.SILENT, notify=False)
