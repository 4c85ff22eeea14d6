"""Routes of notes."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.queries import get_account
from app.collaboration import note_service, queries
from app.collaboration.schemas import NoteIn, NoteKind, NoteOut, NotePatch, NoteVersionOut
from app.collaboration.tables import Note
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.query_helpers import get_row
from app.core.schemas import Id, Text, problem_responses
from app.health.schemas import AccountId
from app.workspaces.auth import AccountActor, AccountIdFilter, Reader
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.resources import RowsDep

router = APIRouter(
    prefix="/api/v1",
    tags=["collaboration"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)

AuthorQuery = Annotated[
    Text | None,
    Query(
        description="The author of the note; by default the API key.", examples=["kim@example.com"]
    ),
]
KindFilter = Annotated[NoteKind | None, Query(description="Only notes of this kind.")]
AuthorFilter = Annotated[
    Text | None, Query(description="Only notes of this author.", examples=["kim@example.com"])
]


@router.post("/accounts/{account_id}/notes", status_code=201, summary="Write a note")
def create_note(
    account_id: AccountId, body: NoteIn, session: SessionDep, actor: AccountActor
) -> NoteOut:
    """Write a note about an account, or log a call, a meeting or an e-mail."""
    values = body.model_dump(exclude={"author"})
    row = note_service.create_note(session, actor, account_id, values, body.author)
    return NoteOut.model_validate(row)


@router.get("/accounts/{account_id}/notes", summary="List the notes of an account")
def list_account_notes(
    account_id: AccountId,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    kind: KindFilter = None,
    author: AuthorFilter = None,
) -> Page[NoteOut]:
    """List the notes about an account by the time of what happened, newest first."""
    get_account(session, caller.workspace_id, account_id)
    where = {"account_id": account_id, "kind": kind, "author": author}
    page = queries.list_notes(session, caller.workspace_id, paging, **where)
    return page.to_page(NoteOut.model_validate)


@router.get("/notes", summary="List notes")
def list_notes(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    account_id: AccountIdFilter = None,
    kind: KindFilter = None,
    author: AuthorFilter = None,
) -> Page[NoteOut]:
    """List the notes about all accounts by the time of what happened, newest first."""
    where = {"account_id": account_id, "kind": kind, "author": author}
    page = queries.list_notes(session, caller.workspace_id, paging, **where)
    return page.to_page(NoteOut.model_validate)


@router.get("/notes/{note_id}", summary="Get a note")
def get_note(note_id: Id, rows: RowsDep) -> NoteOut:
    """Return a note, as its author last wrote it."""
    return rows.get(Note, NoteOut, note_id)


@router.get("/notes/{note_id}/versions", summary="List the earlier versions of a note")
def list_note_versions(
    note_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[NoteVersionOut]:
    """List the versions of a note before the present one, newest first."""
    get_row(session, Note, (caller.workspace_id, note_id))
    page = queries.list_note_versions(session, caller.workspace_id, note_id, paging)
    return page.to_page(NoteVersionOut.model_validate)


@router.patch("/notes/{note_id}", summary="Change a note")
def change_note(note_id: Id, body: NotePatch, session: SessionDep, actor: AccountActor) -> NoteOut:
    """Change the fields that are sent. Only the author may; the version so far stays readable."""
    values = body.model_dump(exclude_unset=True, exclude={"author"})
    row = note_service.change_note(session, actor, note_id, values, body.author)
    return NoteOut.model_validate(row)


@router.delete("/notes/{note_id}", status_code=204, summary="Delete a note")
def delete_note(
    note_id: Id, session: SessionDep, actor: AccountActor, author: AuthorQuery = None
) -> None:
    """Delete a note with its versions. Only the author may."""
    note_service.delete_note(session, actor, note_id, author)
