"""Create, change, finish and delete tasks."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import get_account
from app.collaboration.tables import Task
from app.core.query_helpers import NO_KEY_UPDATE, get_row
from app.workspaces.service import Actor

AUDITED = ("owner", "due_on", "done")


def create_task(
    session: Session,
    actor: Actor,
    account_id: str,
    values: Mapping[str, Any],
    author: str | None = None,
) -> Task:
    """Create an open task on an account. ``values``: title, owner and due day."""
    get_account(session, actor.workspace_id, account_id)
    row = Task(
        **values,
        workspace_id=actor.workspace_id,
        id=f"task_{uuid4().hex}",
        account_id=account_id,
        author=author or actor.name,
        created_at=actor.at,
    )
    session.add(row)
    _audit(session, actor, row, "created", values)
    return row


def change_task(
    session: Session,
    actor: Actor,
    task_id: str,
    values: Mapping[str, Any],
    author: str | None = None,
) -> Task:
    """Change fields of a task; equal values change nothing.

    ``values``: title, owner, due day, and ``done``: finish the task, or open it again. ``author``:
    who does it.
    """
    row = get_row(session, Task, (actor.workspace_id, task_id), lock=NO_KEY_UPDATE)
    columns = {name: value for name, value in values.items() if name != "done"}
    done = values.get("done")
    if done is not None and done != (row.done_at is not None):
        who = author or actor.name
        columns |= {"done_at": actor.at if done else None, "done_by": who if done else None}
    changed = row.apply_changes(columns)
    if changed:
        _audit(session, actor, row, "changed", values)
    return row


def delete_task(session: Session, actor: Actor, task_id: str) -> None:
    row = get_row(session, Task, (actor.workspace_id, task_id), lock=NO_KEY_UPDATE)
    session.delete(row)
    _audit(session, actor, row, "deleted", {})


def _audit(session: Session, actor: Actor, row: Task, verb: str, values: Mapping[str, Any]) -> None:
    """Add an audit entry without the title, which would stay there after it is deleted."""
    shown = {name: values[name] for name in AUDITED if values.get(name) is not None}
    details = {"account_id": row.account_id, **shown}
    if "due_on" in details:
        details["due_on"] = details["due_on"].isoformat()
    actor.audit(session, f"task.{verb}", row.id, details)
