"""What members write about an account: notes, tasks, and how they feel about it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from app.collaboration import note_service, sentiment_service, task_service
from app.collaboration.schemas import NoteIn, NotePatch, SentimentIn, TaskIn, TaskPatch
from app.core.db import SessionDep
from app.core.errors import UnprocessableError
from app.web.accounts.list_state import PATH
from app.web.frame.page_route import PageRoute
from app.web.frame.visits import Acting, Visit

NOTE_HELP = (
    "A note needs a text of at most 10,000 characters and a time such as 2026-03-17T09:30, which is"
    " not in the future."
)
TASK_HELP = "A task needs a title of at most 500 characters, and a day such as 2026-03-31 or none."
FEELING_HELP = "Choose 1 to 5, and say why in at most 500 characters."

router = APIRouter(prefix=f"{PATH}/{{account_id}}", route_class=PageRoute, include_in_schema=False)
BodyT = TypeVar("BodyT", bound=BaseModel)


@router.post("/notes")
def write_note(account_id: str, visit: Acting, session: SessionDep) -> Response:
    """Write a note, or log a call, a meeting or an e-mail; the member is its author."""
    body = _read(NoteIn, _note_fields(visit.form), NOTE_HELP)
    values = body.model_dump(exclude={"author"})
    note_service.create_note(session, visit.actor, account_id, values, visit.person.email)
    return _back(visit, account_id, "saved")


@router.post("/notes/{note_id}")
def change_note(account_id: str, note_id: str, visit: Acting, session: SessionDep) -> Response:
    """Change an own note; its version so far is kept."""
    body = _read(NotePatch, _note_fields(visit.form), NOTE_HELP)
    values = body.model_dump(exclude_unset=True)
    note_service.change_note(session, visit.actor, note_id, values, visit.person.email)
    return _back(visit, account_id, "saved")


@router.post("/notes/{note_id}/delete")
def delete_note(account_id: str, note_id: str, visit: Acting, session: SessionDep) -> Response:
    """Delete an own note with its versions."""
    note_service.delete_note(session, visit.actor, note_id, visit.person.email)
    return _back(visit, account_id, "deleted")


@router.post("/tasks")
def create_task(account_id: str, visit: Acting, session: SessionDep) -> Response:
    body = _read(TaskIn, _task_fields(visit.form), TASK_HELP)
    values = body.model_dump(exclude={"author"})
    task_service.create_task(session, visit.actor, account_id, values, visit.person.email)
    return _back(visit, account_id, "saved")


@router.post("/tasks/{task_id}")
def change_task(account_id: str, task_id: str, visit: Acting, session: SessionDep) -> Response:
    """Finish a task, open it again, or change its title, owner and due day."""
    body = _read(TaskPatch, _task_fields(visit.form), TASK_HELP)
    values = body.model_dump(exclude_unset=True)
    task_service.change_task(session, visit.actor, task_id, values, visit.person.email)
    return _back(visit, account_id, "finished" if values.get("done") else "saved")


@router.post("/tasks/{task_id}/delete")
def delete_task(account_id: str, task_id: str, visit: Acting, session: SessionDep) -> Response:
    task_service.delete_task(session, visit.actor, task_id)
    return _back(visit, account_id, "deleted")


@router.post("/sentiment")
def state_sentiment(account_id: str, visit: Acting, session: SessionDep) -> Response:
    """State how the member feels about the account; earlier statements stay."""
    form = visit.form
    value = form.get("value", "")
    fields = {"value": int(value) if value.isdecimal() else None, "reason": _field(form, "reason")}
    body = _read(SentimentIn, fields, FEELING_HELP)
    sentiment_service.state_sentiment(
        session,
        visit.actor,
        account_id,
        value=body.value,
        reason=body.reason,
        author=visit.person.email,
    )
    return _back(visit, account_id, "saved")


def _read(model: type[BodyT], fields: Mapping[str, Any], help_text: str) -> BodyT:
    """Check fields as the API does."""
    try:
        return model.model_validate(fields)
    except ValueError:
        raise UnprocessableError(help_text) from None


def _note_fields(form: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the fields of a note. A time without a zone is in UTC, as all times of the page."""
    fields: dict[str, Any] = {"text": _field(form, "text")}
    if "kind" in form:
        fields["kind"] = form["kind"]
    if form.get("at"):
        fields["at"] = f"{form['at']}Z"
    if "participants" in form:
        names = form["participants"].replace("，", ",").split(",")  # noqa: RUF001
        fields["participants"] = [name for name in names if name.strip()]
    return fields


def _task_fields(form: Mapping[str, str]) -> Mapping[str, Any]:
    fields: dict[str, Any] = {}
    if "title" in form:
        fields["title"] = _field(form, "title")
    for name in ("owner", "due_on"):
        if name in form:
            fields[name] = _field(form, name) or None
    if "done" in form:
        fields["done"] = form["done"] == "yes"
    return fields


def _field(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()


def _back(visit: Visit, account_id: str, done: str) -> Response:
    return visit.back(done, default=f"{PATH}/{account_id}?tab=timeline")
