"""Sources that fall silent and come back. What an account's score rests on is marked as old."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import mark_due
from app.core.db import SessionFactory, transaction
from app.events import silence, source_queries, stats_queries
from app.events.source_queries import Quiet
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage

log = structlog.get_logger()


def fold(sessions: SessionFactory) -> int:
    """Add what batches have told to their hours, page by page; returns how much was taken."""
    taken = 0
    while True:
        with transaction(sessions) as session:
            page = stats_queries.fold(session)
        taken += page
        if page < stats_queries.FOLD_AT_ONCE:  # while batches come there is always some more
            return taken


def watch(sessions: SessionFactory, *, now: datetime) -> None:
    """Notice which sources fell silent and which are back. Accounts are made due silently."""
    fold(sessions)
    with transaction(sessions) as session:
        for source in source_queries.lock_returned(session, now=now):
            _return(session, source, now)
    with transaction(sessions) as session:
        for source in source_queries.lock_quiet(session, now=now, shortest=silence.SHORTEST):
            _look(session, source, now)
    with transaction(sessions) as session:
        revived = defaultdict(list)
        for workspace_id, account_id in source_queries.drop_revived(session):
            revived[workspace_id].append(account_id)
        for workspace_id, account_ids in sorted(revived.items()):
            _make_due(session, workspace_id, account_ids)


def _look(session: Session, source: Quiet, now: datetime) -> None:
    workspace_id, key_id = source.workspace_id, source.key_id
    hours = source_queries.hours_with_events(
        session, workspace_id, [key_id], since=source.last_event_at - silence.WATCHED
    )
    silent_from = silence.rhythm(hours[key_id]).silent_from(source.last_event_at)
    if silent_from is None or silent_from > now:
        check_at = silent_from or now + silence.SHORTEST
        source_queries.change_source(session, workspace_id, key_id, check_at=check_at)
        return
    since = source.last_event_at
    source_queries.change_source(session, workspace_id, key_id, silent_since=since, noticed_at=now)
    stale = source_queries.add_stale_accounts(session, workspace_id, key_id, silent_since=since)
    _make_due(session, workspace_id, stale)
    _tell(session, "data.stopped", source, silent_since=since, accounts=len(stale), now=now)
    log.warning("source_silent", workspace=workspace_id, key=key_id, since=since.isoformat())


def _return(session: Session, source: Quiet, now: datetime) -> None:
    source_queries.change_source(
        session,
        source.workspace_id,
        source.key_id,
        silent_since=None,
        noticed_at=None,
        resumed_at=source.last_event_at,
    )
    lived = source_queries.drop_stale_accounts(session, source.workspace_id, source.key_id)
    _make_due(session, source.workspace_id, lived)
    since = source.silent_since
    if since is None or source.last_event_at <= since:
        return  # nothing has come: its key is no longer in use
    _tell(session, "data.resumed", source, silent_since=since, accounts=len(lived), now=now)
    log.info("source_back", workspace=source.workspace_id, key=source.key_id)


def _tell(
    session: Session,
    kind: str,
    source: Quiet,
    *,
    silent_since: datetime,
    accounts: int,
    now: datetime,
) -> None:
    """One message for each change of a source, in the transaction of the change."""
    data = {
        "link": "/api/v1/sources",
        "key_id": source.key_id,
        "silent_since": silent_since,
        "last_event_at": source.last_event_at,
        "accounts": accounts,
    }
    outbox.publish(session, source.workspace_id, [NewMessage(kind, data)], now=now)


def _make_due(session: Session, workspace_id: str, account_ids: Collection[str]) -> None:
    if account_ids:
        mark_due(session, workspace_id, sorted(account_ids), priority=Priority.SILENT, notify=False)
