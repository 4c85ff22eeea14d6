"""Queries of sources and of stale accounts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset_ascending
from app.events.sources import statements
from app.events.tables import IngestHour, Source, StaleAccount
from app.workspaces.queries import ROTATED_ACTION
from app.workspaces.tables import ApiKey, AuditEntry

SOURCES_PER_PAGE = 100
RECENT_DAYS = 28


@dataclass(frozen=True, slots=True)
class QuietSource:
    """A source to check: it may have become silent, or active again."""

    workspace_id: str
    key_id: str
    last_event_at: datetime
    silent_since: datetime | None


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


def lock_quiet_sources(session: Session, *, now: datetime, min_gap: timedelta) -> list[QuietSource]:
    """Lock sources that may have become silent; skip those that another worker has locked."""
    values = {"now": now, "before": now - min_gap, "limit": SOURCES_PER_PAGE}
    return [QuietSource(*row) for row in session.execute(statements.LOCK_QUIET, values)]


def lock_returned_sources(session: Session, *, now: datetime) -> list[QuietSource]:
    """Lock silent sources that have sent events again, or whose key is no longer in use."""
    values = {"now": now, "limit": SOURCES_PER_PAGE}
    return [QuietSource(*row) for row in session.execute(statements.LOCK_RETURNED, values)]


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
    hours: dict[str, list[datetime]] = {key_id: [] for key_id in key_ids}
    for key_id, hour in rows:
        hours[key_id].append(hour)
    return hours


def update_source(
    session: Session, workspace_id: str, key_id: str, **columns: datetime | None
) -> None:
    session.execute(
        update(Source)
        .where(Source.workspace_id == workspace_id, Source.key_id == key_id)
        .values(**columns)
    )


def insert_stale_accounts(
    session: Session, workspace_id: str, key_id: str, *, silent_since: datetime
) -> list[str]:
    """Mark accounts as stale that only this source sent recently; return their ids."""
    values = {
        "workspace_id": workspace_id,
        "key_id": key_id,
        "silent_since": silent_since,
        "lately": silent_since - timedelta(days=RECENT_DAYS),
    }
    return list(session.scalars(statements.INSERT_STALE_ACCOUNTS, values))


def delete_stale_accounts(session: Session, workspace_id: str, key_id: str) -> list[str]:
    return list(
        session.scalars(
            delete(StaleAccount)
            .where(StaleAccount.workspace_id == workspace_id, StaleAccount.key_id == key_id)
            .returning(StaleAccount.account_id)
        )
    )


def load_stale_accounts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> set[str]:
    """Return the given accounts that are stale because their source is silent."""
    return set(
        session.scalars(
            select(StaleAccount.account_id).where(
                StaleAccount.workspace_id == workspace_id, StaleAccount.account_id.in_(account_ids)
            )
        )
    )


def delete_recovered_accounts(session: Session) -> list[tuple[str, str]]:
    """Delete stale accounts for which another source has sent events since.

    Return their workspaces and account ids.
    """
    rows = session.execute(statements.DELETE_RECOVERED_ACCOUNTS, {"days": RECENT_DAYS})
    return [(row.workspace_id, row.account_id) for row in rows]


def list_sources(session: Session, workspace_id: str, paging: Paging) -> RowPage[SourceWithKey]:
    """Return a page of sources, in the order of key ids."""
    stale = (
        select(func.count())
        .where(
            StaleAccount.workspace_id == Source.workspace_id, StaleAccount.key_id == Source.key_id
        )
        .scalar_subquery()
    )
    rotated = exists().where(
        AuditEntry.workspace_id == Source.workspace_id,
        AuditEntry.action == ROTATED_ACTION,
        AuditEntry.subject == Source.key_id,
    )
    query = (
        select(Source, ApiKey.name, ApiKey.expires_at, ApiKey.revoked_at, rotated, stale)
        .join(
            ApiKey,
            (ApiKey.workspace_id == Source.workspace_id) & (ApiKey.id == Source.key_id),
        )
        .where(Source.workspace_id == workspace_id)
    )
    query = keyset_ascending(
        query, Source.key_id, after=paging.position(str), limit=paging.fetch_limit
    )
    rows = [SourceWithKey(*row) for row in session.execute(query)]
    return RowPage(*paging.cut(rows, lambda each: each.source.key_id))
