"""Erase a person from what others wrote about accounts."""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from app.collaboration import queries
from app.collaboration.tables import Note, NoteVersion, Sentiment, Task

TEXTS = (Note.text, NoteVersion.text, Task.title, Sentiment.reason)
NOTES: tuple[type[Note] | type[NoteVersion], ...] = (Note, NoteVersion)
SHORTEST_WORD = 3


def erase_participants(
    session: Session, workspace_id: str, names: Collection[str], *, pseudonym: str
) -> None:
    """Replace people among the participants of notes, and in the texts of these notes.

    ``names``: their ids, e-mail addresses and names.
    """
    if not names:
        return
    lower = {name.lower() for name in names}
    pattern = _pattern(names)
    for table in NOTES:
        for row in queries.load_notes_of(session, workspace_id, table, lower):
            row.participants = [
                pseudonym if each.lower() in lower else each for each in row.participants
            ]
            row.text = pattern.sub(pseudonym, row.text)
    session.flush()


def erase_from_texts(
    session: Session, workspace_id: str, names: Collection[str], *, pseudonym: str
) -> None:
    """Replace a person in all notes, tasks and reasons of sentiment of the workspace.

    A number or a single word may mean something else: they are replaced only where the person
    took part (``erase_participants``).
    """
    words = [name for name in names if _is_distinctive(name)]
    pattern = _pattern(words)
    for column in TEXTS if words else ():
        lower = [word.lower() for word in words]
        for row in queries.load_rows_with(session, workspace_id, column, lower):
            text: Any = getattr(row, column.key)
            setattr(row, column.key, pattern.sub(pseudonym, text))
    session.flush()


def _is_distinctive(name: str) -> bool:
    """Whether a text can hardly mean anything but the person: an address, a full name, an id."""
    return len(name) >= SHORTEST_WORD and not name.isalpha() and not name.isdecimal()


def _pattern(words: Collection[str]) -> re.Pattern[str]:
    """Return the pattern of whole words; longer ones first, so that no part of them is left."""
    ordered = sorted(map(re.escape, words), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ordered)})(?!\w)", re.IGNORECASE)
