"""Load a page of the timeline of an account."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ProductFeature
from app.accounts.queries import get_account
from app.core.languages import Language
from app.core.pagination import Page, Paging
from app.core.row_queries import load_names
from app.reports.review.queries import load_user_names
from app.reports.timeline import queries
from app.reports.timeline.kinds import EntryKind
from app.reports.timeline.schemas import TimelineEntry
from app.reports.timeline.sentences import entry_sentence
from app.signals.signal import EvidenceNames


def load_page(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    kinds: Collection[EntryKind],
    paging: Paging,
    now: datetime,
    language: Language,
) -> Page[TimelineEntry]:
    """Load one page, newest first: at most four statements. ``kinds``: empty for all."""
    get_account(session, workspace_id, account_id)
    return load_entries(
        session, workspace_id, account_id, kinds=kinds, paging=paging, now=now, language=language
    )


def load_entries(
    session: Session,
    workspace_id: str,
    account_id: str,
    *,
    kinds: Collection[EntryKind],
    paging: Paging,
    now: datetime,
    language: Language,
) -> Page[TimelineEntry]:
    """Load one page of an account that exists: at most three statements."""
    rows = queries.list_entries(
        session,
        workspace_id,
        account_id,
        kinds=kinds or list(EntryKind),
        after=paging.position(datetime, str) or (now, queries.LAST_KEY),
        today=now.date(),
        limit=paging.fetch_limit,
    )
    names = _load_names(session, workspace_id, rows)
    return paging.page(
        rows,
        lambda row: TimelineEntry.from_row(
            row, sentence=_sentence(row, names, language), author=row.fact.get("author")
        ),
        lambda row: (row.at, row.key),
    )


def _sentence(row: Row[Any], names: EvidenceNames, language: Language) -> str:
    return entry_sentence(EntryKind(row.kind), row.event, row.fact, names, language)


def _load_names(session: Session, workspace_id: str, rows: Sequence[Row[Any]]) -> EvidenceNames:
    """Return the names that the sentences of signals need."""
    evidence = [row.fact["evidence"] for row in rows if row.kind == EntryKind.SIGNAL]
    people = {each["user_id"] for each in evidence if "user_id" in each}
    features = load_names(session, workspace_id, ProductFeature) if evidence else {}
    users = load_user_names(session, workspace_id, people) if people else {}
    return EvidenceNames(features, users)
