"""Queries of sources, stale accounts, ingest statistics and waiting events."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset, same_account
from app.core.sql import load_sql
from app.events.tables import IngestHour, Source, StaleAccount, UnattributedEvent
from app.workspaces.queries import ROTATED_ACTION
from app.workspaces.tables import ApiKey, AuditEntry

SOURCES_PER_PAGE, TALLIES_PER_PAGE = 100, 10_000
RECENT_DAYS = 28

SQL = load_sql(__file__)
SourceToCheck = Row[str, str, datetime, datetime | None]
"""``workspace_id``, ``key_id``, ``last_event_at``, ``silent_since`` of a source."""


@dataclass(frozen=True, slots=True)
class SourceWithKey:
    """A source with its API key, and the number of accounts that are stale because of it."""

    source: Source
    name: str
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated: bool
    stale_accounts: int

    def is_retired(self, now: datetime) -> bool:
        """Whether its key is no longer in use: no events are expected from it."""
        ended = self.revoked_at or (self.expires_at and self.expires_at <= now)
        return bool(ended) or self.rotated


SILENT_SINCE = (
    select(func.max(Source.silent_since))
    .join(
        StaleAccount,
        and_(
            Source.workspace_id == StaleAccount.workspace_id, Source.key_id == StaleAccount.key_id
        ),
    )
    .where(same_account(StaleAccount, Account))
    .correlate(Account)
    .scalar_subquery()
    .label("silent_since")
)
"""Since when the sources of a stale account are silent: the last event of any of them."""


def lock_quiet_sources(
    session: Session, *, now: datetime, min_gap: timedelta
) -> Sequence[SourceToCheck]:
    """Lock sources that may have become silent; skip those that another worker has locked."""
    values = {"now": now, "before": now - min_gap, "limit": SOURCES_PER_PAGE}
    return session.execute(SQL.lock_quiet, values).all()


def lock_returned_sources(session: Session, *, now: datetime) -> Sequence[SourceToCheck]:
    """Lock silent sources that have sent events again, or whose key is no longer in use."""
    return session.execute(SQL.lock_returned, {"now": now, "limit": SOURCES_PER_PAGE}).all()


def load_active_hours(
    session: Session, workspace_id: str, key_ids: Sequence[str], *, since: datetime
) -> Mapping[str, Sequence[datetime]]:
    """Return by key the hours in which it sent accepted events, oldest first."""
    rows = session.execute(
        select(IngestHour.key_id, IngestHour.hour)
        .where(
            IngestHour.workspace_id == workspace_id,
            IngestHour.key_id.in_(key_ids),
            IngestHour.hour >= since,
            IngestHour.accepted > 0,
        )
        .distinct()
        .order_by(IngestHour.key_id, IngestHour.hour)
    )
    hours = defaultdict[str, list[datetime]](list)
    for key_id, hour in rows:
        hours[key_id].append(hour)
    return hours


def update_source(
    session: Session, workspace_id: str, key_id: str, **columns: datetime | None
) -> None:
    source = update(Source).filter_by(workspace_id=workspace_id, key_id=key_id)
    session.execute(source.values(**columns))


def insert_stale_accounts(
    session: Session, workspace_id: str, key_id: str, *, silent_since: datetime
) -> list[str]:
    """Mark accounts as stale and return their ids.

    These are the accounts with recent events from this source, and with no event from any source
    after ``silent_since``.
    """
    values = {
        "workspace_id": workspace_id,
        "key_id": key_id,
        "silent_since": silent_since,
        "lately": silent_since - timedelta(days=RECENT_DAYS),
    }
    return list(session.scalars(SQL.insert_stale_accounts, values))


def delete_stale_accounts(session: Session, workspace_id: str, key_id: str) -> list[str]:
    stale = delete(StaleAccount).filter_by(workspace_id=workspace_id, key_id=key_id)
    return list(session.scalars(stale.returning(StaleAccount.account_id)))


def load_stale_accounts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> set[str]:
    """Return the given accounts that are stale because their source is silent."""
    stale = select(StaleAccount.account_id).filter_by(workspace_id=workspace_id)
    return set(session.scalars(stale.where(StaleAccount.account_id.in_(account_ids))))


def delete_recovered_accounts(session: Session) -> Sequence[Row[str, str]]:
    """Delete stale accounts for which another source has sent events since their own fell silent.

    Return their workspace ids and account ids.
    """
    return session.execute(SQL.delete_recovered_accounts, {"days": RECENT_DAYS}).all()


def list_sources(session: Session, workspace_id: str, paging: Paging) -> RowPage[SourceWithKey]:
    """Return a page of sources, in the order of key ids."""
    stale = (
        select(func.count())
        .where(StaleAccount.workspace_id == workspace_id, StaleAccount.key_id == Source.key_id)
        .scalar_subquery()
    )
    rotated = exists().where(
        AuditEntry.workspace_id == workspace_id,
        AuditEntry.action == ROTATED_ACTION,
        AuditEntry.subject == Source.key_id,
    )
    query = (
        select(Source, ApiKey.name, ApiKey.expires_at, ApiKey.revoked_at, rotated, stale)
        .join(ApiKey, (ApiKey.workspace_id == Source.workspace_id) & (ApiKey.id == Source.key_id))
        .where(Source.workspace_id == workspace_id)
    )
    query = keyset(query, Source.key_id, after=paging.position(str), limit=paging.fetch_limit)
    rows = [SourceWithKey(*row) for row in session.execute(query)]
    return paging.cut(rows, lambda each: each.source.key_id)


def aggregate_tallies(session: Session) -> int:
    """Add a page of tallies to the counts of their hours; return the number of tallies."""
    return int(session.scalar(SQL.aggregate_tallies, {"limit": TALLIES_PER_PAGE}) or 0)


def drop_old_hours(session: Session, *, before: datetime) -> None:
    session.execute(delete(IngestHour).where(IngestHour.hour < before))


def list_daily_counts(
    session: Session, workspace_id: str, *, since: datetime, until: datetime, key_id: str | None
) -> Sequence[Row[Any]]:
    """Return the counts of each key, SDK, day and code or hint, in this order.

    They are exact: tallies that the worker has not aggregated yet are included.
    """
    values = {"workspace_id": workspace_id, "since": since, "until": until, "key_id": key_id}
    return session.execute(SQL.daily_counts, values).all()


def list_waiting_counts(
    session: Session, workspace_id: str, *, limit: int
) -> Sequence[Row[str, str | None, int, datetime]]:
    """Count events that wait for their account, by key and SDK, the largest count first."""
    sdk = UnattributedEvent.row["sdk"].astext.label("sdk")
    events = func.count().label("events")
    oldest = func.min(UnattributedEvent.received_at).label("oldest_received_at")
    return session.execute(
        select(UnattributedEvent.key_id, sdk, events, oldest)
        .where(UnattributedEvent.workspace_id == workspace_id)
        .group_by(UnattributedEvent.key_id, sdk)
        .order_by(events.desc(), UnattributedEvent.key_id, sdk)
        .limit(limit)
    ).all()


def count_waiting_events(session: Session, workspace_id: str) -> Row[int, datetime | None]:
    """Return the number of waiting events, and the receive time of the oldest."""
    waiting = select(func.count(), func.min(UnattributedEvent.received_at))
    return session.execute(waiting.where(UnattributedEvent.workspace_id == workspace_id)).one()
