"""Write, change and delete notes. Only the author changes a note; earlier versions stay."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import get_account
from app.collaboration.tables import Note, NoteVersion
from app.core.errors import FieldError, ForbiddenError, UnprocessableError
from app.core.query_helpers import NO_KEY_UPDATE, get_row
from app.workspaces.service import Actor

VERSIONED = ("version", "kind", "text", "at", "participants")


class OtherAuthorError(ForbiddenError):
    code = "other_author"
    default_detail = "Only its author can change or delete a note: write a note of your own."


def create_note(
    session: Session,
    actor: Actor,
    account_id: str,
    values: Mapping[str, Any],
    author: str | None = None,
) -> Note:
    """Write a note about an account. ``values``: kind, text, at (None: now) and participants."""
    get_account(session, actor.workspace_id, account_id)
    at = values["at"] or actor.at
    _check_time(at, actor.at)
    row = Note(
        **{**values, "at": at},
        workspace_id=actor.workspace_id,
        id=f"note_{uuid4().hex}",
        account_id=account_id,
        author=author or actor.name,
        version=1,
        created_at=actor.at,
    )
    session.add(row)
    _audit(session, actor, row, "created")
    return row


def change_note(
    session: Session,
    actor: Actor,
    note_id: str,
    values: Mapping[str, Any],
    author: str | None = None,
) -> Note:
    """Change fields of a note and store its version so far; equal values change nothing."""
    row = _lock_own(session, actor, note_id, author)
    _check_time(values.get("at", row.at), actor.at)
    before = {name: getattr(row, name) for name in VERSIONED}
    changed = row.apply_changes(values)
    if changed:
        key = {"workspace_id": row.workspace_id, "note_id": row.id}
        session.add(NoteVersion(**key, **before, replaced_at=actor.at))
        row.version, row.edited_at = row.version + 1, actor.at
        _audit(session, actor, row, "changed", fields=sorted(changed))
    return row


def delete_note(session: Session, actor: Actor, note_id: str, author: str | None = None) -> None:
    """Delete a note with all its versions."""
    row = _lock_own(session, actor, note_id, author)
    session.delete(row)
    _audit(session, actor, row, "deleted")


def _lock_own(session: Session, actor: Actor, note_id: str, author: str | None) -> Note:
    row = get_row(session, Note, (actor.workspace_id, note_id), lock=NO_KEY_UPDATE)
    if row.author != (author or actor.name):
        raise OtherAuthorError
    return row


def _check_time(at: datetime, now: datetime) -> None:
    if at > now:
        error = FieldError("/body/at", "The time is in the future: write a task instead.")
        raise UnprocessableError("The note has an invalid `at`.", errors=[error])


def _audit(session: Session, actor: Actor, row: Note, verb: str, **more: object) -> None:
    """Add an audit entry without the text, which would stay there after it is deleted."""
    details = {"account_id": row.account_id, "author": row.author, **more}
    actor.audit(session, f"note.{verb}", row.id, details)
