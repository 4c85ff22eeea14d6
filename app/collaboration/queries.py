"""Queries of notes, tasks and sentiment."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, Select, Text, any_, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.collaboration.tables import Note, NoteVersion, Sentiment, Task
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given, keyset

NO_DUE_DAY = date.max
DUE_ORDER = func.coalesce(Task.due_on, NO_DUE_DAY)


def list_notes(
    session: Session, workspace_id: str, paging: Paging, **where: str | None
) -> RowPage[Note]:
    """Return notes, newest first. ``where``: column to its value (None: any)."""
    rows = filter_if_given(select(Note).where(Note.workspace_id == workspace_id), **where)
    return fetch_page(session, rows, Note.at, Note.id, paging=paging, descending=True)


def list_note_versions(
    session: Session, workspace_id: str, note_id: str, paging: Paging
) -> RowPage[NoteVersion]:
    """Return the earlier versions of a note, newest first."""
    rows = select(NoteVersion).filter_by(workspace_id=workspace_id, note_id=note_id)
    return fetch_page(session, rows, NoteVersion.version, paging=paging, descending=True)


def list_tasks(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    done: bool | None = None,
    due_before: date | None = None,
    **where: str | None,
) -> RowPage[Task]:
    """Return tasks by due day, those without one last. ``where``: column to its value (None: any).

    ``due_before``: only tasks that are due on an earlier day.
    """
    rows = filter_if_given(select(Task).where(Task.workspace_id == workspace_id), **where)
    if done is not None:
        rows = rows.where(Task.done_at.is_not(None) if done else Task.done_at.is_(None))
    if due_before is not None:
        rows = rows.where(Task.due_on < due_before)
    rows = keyset(
        rows, DUE_ORDER, Task.id, after=paging.position(date, str), limit=paging.fetch_limit
    )
    return paging.cut(session.scalars(rows).all(), lambda row: (row.due_on or NO_DUE_DAY, row.id))


def list_sentiments(
    session: Session, workspace_id: str, account_id: str, paging: Paging
) -> RowPage[Sentiment]:
    """Return what the owners of an account felt, newest first."""
    rows = select(Sentiment).filter_by(workspace_id=workspace_id, account_id=account_id)
    return fetch_page(session, rows, Sentiment.id, paging=paging, descending=True)


def find_sentiment(session: Session, workspace_id: str, account_id: str) -> Sentiment | None:
    """Return the newest sentiment about an account, or None."""
    rows = select(Sentiment).filter_by(workspace_id=workspace_id, account_id=account_id)
    return session.scalars(rows.order_by(Sentiment.id.desc()).limit(1)).first()


def load_notes_of(
    session: Session,
    workspace_id: str,
    table: type[Note] | type[NoteVersion],
    names: Collection[str],
) -> Sequence[Note | NoteVersion]:
    """Return the notes, or earlier versions, in which a person with one of the names took part.

    ``names``: in lower case.
    """
    participant = func.unnest(table.participants).column_valued("participant")
    takes_part = select(participant).where(func.lower(participant) == _any(names)).exists()
    rows: Select[Any] = select(table).where(table.workspace_id == workspace_id, takes_part)
    return session.scalars(rows).all()


def load_rows_with(
    session: Session, workspace_id: str, column: InstrumentedAttribute[str], words: Collection[str]
) -> Sequence[Any]:
    """Return the rows whose text in a column contains one of the words, which are in lower case."""
    table: Any = column.class_
    word = func.unnest(literal(list(words), ARRAY(Text))).column_valued("word")
    contains = select(word).where(func.strpos(func.lower(column), word) > 0).exists()
    return session.scalars(select(table).where(table.workspace_id == workspace_id, contains)).all()


def _any(texts: Collection[str]) -> Any:  # noqa: ANN401 - of one text
    return any_(literal(list(texts), ARRAY(Text)))
