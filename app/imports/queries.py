"""Queries for imports, and upserts of imported rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    func,
    inspect,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from app.accounts.subscription_service import TRAITS
from app.accounts.tables import Account, Subscription, User
from app.accounts.traits import ANY_VALUE, TIME_PICTURE
from app.core.db import Table
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page
from app.imports.errors import RowError
from app.imports.tables import ImportChunk, ImportFile, ImportPeriod, ImportRowError
from app.jobs.tables import Job

ImportedTable = TypeVar("ImportedTable", bound=Table)
Rows = Sequence[Mapping[str, Any]]

MAX_STORED_ERRORS = 10_000
MAX_NOTED_LINES = 11
"""So many lines of one period are known by number: a line that contradicts names ten others."""
MERGED_COLUMNS = {"traits", "feature_exceptions", "field_times"}
FILE_OF_JOB = and_(ImportFile.workspace_id == Job.workspace_id, ImportFile.import_id == Job.id)


class NotedDays(NamedTuple):
    """What is noted of a period: its end, and the first line that states it."""

    ends_on: date | None
    is_unnamed: bool
    first_line: int


def upsert_rows(
    session: Session,
    workspace_id: str,
    table: type[ImportedTable],
    rows: Rows,
    *,
    today: date | None = None,
) -> None:
    """Create rows or replace their given columns. All rows must have the same columns.

    Traits and feature exceptions are merged by name; null removes a name. ``today``: from when on
    a changed ``excluded`` of accounts and users counts.
    """
    if not rows:
        return
    key = [column.name for column in inspect(table).primary_key]
    new = insert(table)
    columns = {name: _new_value(new, table, name) for name in rows[0] if name not in key}
    if today is not None and "excluded" in columns and issubclass(table, Account | User):
        columns |= table.note_exclusion(columns["excluded"], today)
    session.execute(
        new.on_conflict_do_update(index_elements=key, set_=columns)
        if columns
        else new.on_conflict_do_nothing(),
        [{"workspace_id": workspace_id, **row} for row in rows],
    )


def _new_value(new: Insert, table: type[Table], name: str) -> ColumnElement[Any]:
    if name in MERGED_COLUMNS:
        before = getattr(table, name)
        if name == "field_times":
            before = case((before == {}, _row_time(table)), else_=before)
        return func.jsonb_strip_nulls(before.op("||")(new.excluded[name]))
    if table is User and name == "account_since":
        moved = User.account_id.is_distinct_from(new.excluded.account_id)
        return case((moved, new.excluded.account_since), else_=User.account_since)
    return new.excluded[name]


def _row_time(table: Any) -> ColumnElement[Any]:  # noqa: ANN401 - accounts or users
    """Return the times of a row of an earlier release: its fields are as old as the row."""
    time = func.to_char(func.timezone("UTC", table.traits_at), TIME_PICTURE)
    return func.jsonb_build_object(ANY_VALUE, time)


def list_subscription_versions(
    session: Session, workspace_id: str, subscriptions: Collection[tuple[str, str]]
) -> Sequence[Subscription]:
    """Return all stored periods of subscriptions, given by account and subscription."""
    key = tuple_(Subscription.account_id, Subscription.subscription_id)
    rows = select(Subscription).where(Subscription.workspace_id == workspace_id)
    return session.scalars(
        rows.where(key.in_(subscriptions)).execution_options(populate_existing=True)
    ).all()


def delete_subscription_versions(
    session: Session, workspace_id: str, keys: Collection[tuple[str, str, date, date]]
) -> None:
    """Delete stored periods by account, subscription, first day and known day."""
    key = tuple_(
        Subscription.account_id,
        Subscription.subscription_id,
        Subscription.starts_on,
        Subscription.known_on,
    )
    if keys:
        rows = delete(Subscription).where(Subscription.workspace_id == workspace_id, key.in_(keys))
        session.execute(rows, execution_options={"synchronize_session": False})


def list_trait_accounts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[str]:
    """Return those of the accounts that have terms from ``group`` calls, in key order."""
    rows = (
        select(Subscription.account_id)
        .distinct()
        .where(
            Subscription.workspace_id == workspace_id,
            Subscription.account_id.in_(account_ids),
            Subscription.source == TRAITS,
        )
    )
    return session.scalars(rows.order_by(Subscription.account_id)).all()


def lock_accounts(session: Session, workspace_id: str, account_ids: Collection[str]) -> None:
    """Lock accounts in key order: one writer at a time changes their subscriptions."""
    rows = select(Account.account_id).where(
        Account.workspace_id == workspace_id, Account.account_id.in_(account_ids)
    )
    session.execute(rows.order_by(Account.account_id).with_for_update(key_share=True))


def insert_missing_accounts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> None:
    rows = [{"account_id": account_id} for account_id in sorted(account_ids)]
    upsert_rows(session, workspace_id, Account, rows)


def find_latest_import(
    session: Session, workspace_id: str, signature: str, *, kind: str
) -> Job | None:
    """Return the latest import with this signature, or None."""
    jobs = select(Job).where(Job.workspace_id == workspace_id, Job.kind == kind)
    imports = jobs.join(ImportFile, FILE_OF_JOB).where(ImportFile.signature == signature)
    return session.scalar(imports.order_by(Job.id.desc()).limit(1))


def find_chunk(
    session: Session, workspace_id: str, import_id: str, offset: int
) -> ImportChunk | None:
    """Return the chunk of an uploaded file that contains an offset, or the last one before it."""
    chunks = select(ImportChunk).filter_by(workspace_id=workspace_id, import_id=import_id)
    earlier = chunks.where(ImportChunk.start <= offset)
    return session.scalar(earlier.order_by(ImportChunk.start.desc()).limit(1))


def delete_chunks(session: Session, workspace_id: str, import_id: str) -> None:
    of_import = {"workspace_id": workspace_id, "import_id": import_id}
    session.execute(delete(ImportChunk).filter_by(**of_import))


def note_periods(session: Session, workspace_id: str, rows: Rows) -> None:
    """Add what a page states to what is noted of its periods. ``rows``: in key order."""
    if not rows:
        return
    new = insert(ImportPeriod)
    noted, added = ImportPeriod, new.excluded
    changes = {
        "lines": noted.lines.concat(added.lines)[1:MAX_NOTED_LINES],
        "line_count": noted.line_count + added.line_count,
        "is_contradicted": noted.is_contradicted
        | added.is_contradicted
        | (noted.terms != added.terms),
        "is_unnamed": noted.is_unnamed | added.is_unnamed,
    }
    session.execute(
        new.on_conflict_do_update(index_elements=inspect(ImportPeriod).primary_key, set_=changes),
        [{"workspace_id": workspace_id, **row} for row in rows],
    )


def list_noted_periods(
    session: Session, workspace_id: str, import_id: str, keys: Collection[bytes]
) -> Sequence[ImportPeriod]:
    of_import = {"workspace_id": workspace_id, "import_id": import_id}
    rows = select(ImportPeriod).filter_by(**of_import).where(ImportPeriod.key.in_(keys))
    return session.scalars(rows.execution_options(populate_existing=True)).all()


def list_noted_of_subscriptions(
    session: Session, workspace_id: str, import_id: str, subscriptions: Collection[bytes]
) -> Sequence[tuple[bytes, date, date, NotedDays]]:
    """Return subscription, first day, known day and notes of all periods of subscriptions.

    Subscriptions are given by their hashes. Contradicted periods are left out. Rows and not
    entities: a page reads several times as many as it has lines.
    """
    noted = ImportPeriod
    rows = select(
        noted.subscription,
        noted.starts_on,
        noted.known_on,
        noted.ends_on,
        noted.is_unnamed,
        noted.lines[1],
    ).where(
        noted.workspace_id == workspace_id,
        noted.import_id == import_id,
        noted.subscription.in_(subscriptions),
        ~noted.is_contradicted,
    )
    return [
        (subscription, starts_on, known_on, NotedDays(*note))
        for subscription, starts_on, known_on, *note in session.execute(rows)
    ]


def delete_noted_periods(session: Session, workspace_id: str, import_id: str) -> None:
    of_import = {"workspace_id": workspace_id, "import_id": import_id}
    rows = delete(ImportPeriod).filter_by(**of_import)
    session.execute(rows, execution_options={"synchronize_session": False})


def clear_lookups(session: Session, workspace_id: str, import_id: str) -> None:
    """Delete the look-up tables of an ended import: they contain ids and e-mail addresses.

    A job that the session has loaded keeps its settings as they were.
    """
    job = update(Job).filter_by(workspace_id=workspace_id, id=import_id)
    without = job.values(config=Job.config.op("||")({"lookups": {}}))
    session.execute(without, execution_options={"synchronize_session": False})


def list_errors(
    session: Session, workspace_id: str, import_id: str, paging: Paging
) -> RowPage[ImportRowError]:
    """Return a page of row errors, in the order of the file."""
    errors = select(ImportRowError).filter_by(workspace_id=workspace_id, import_id=import_id)
    return fetch_page(session, errors, ImportRowError.number, paging=paging)


def lock_unsettled_imports(session: Session) -> Sequence[Job]:
    """Lock and return imports that have ended but were not finished (see ``ImportFile``)."""
    ended = select(Job).join(ImportFile, FILE_OF_JOB).where(Job.finished_at.is_not(None))
    unsettled = ended.where(ImportFile.finished_at.is_(None))
    return session.scalars(unsettled.with_for_update(of=ImportFile, skip_locked=True)).all()


def mark_settled(session: Session, workspace_id: str, import_id: str, *, now: datetime) -> None:
    file = update(ImportFile).filter_by(workspace_id=workspace_id, import_id=import_id)
    session.execute(file.values(finished_at=now))


def insert_errors(
    session: Session, workspace_id: str, import_id: str, before: int, errors: Sequence[RowError]
) -> None:
    """Write row errors after the first ``before`` ones, up to ``MAX_STORED_ERRORS`` in all."""
    of_import = {"workspace_id": workspace_id, "import_id": import_id}
    rows = [
        {**of_import, "number": number, **asdict(error)}
        for number, error in enumerate(errors, start=before + 1)
        if number <= MAX_STORED_ERRORS
    ]
    if rows:
        session.execute(insert(ImportRowError), rows)


def disable_synchronous_commit(session: Session) -> None:
    """Commit without waiting for the disk. A crash loses a page and its checkpoint together."""
    session.execute(text("SET LOCAL synchronous_commit = off"))
