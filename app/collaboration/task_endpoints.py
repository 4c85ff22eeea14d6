"""Routes of tasks."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.accounts.queries import get_account
from app.collaboration import queries, task_service
from app.collaboration.schemas import TaskIn, TaskOut, TaskPatch
from app.collaboration.tables import Task
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Day, Id, Text, problem_responses
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


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """The optional conditions of a list of tasks."""

    owner: str | None
    done: bool | None
    due_before: date | None


async def _task_filter(
    owner: Annotated[
        Text | None, Query(description="Only tasks of this person.", examples=["kim@example.com"])
    ] = None,
    done: Annotated[
        bool | None, Query(description="True: only done ones. False: only open ones.")
    ] = None,
    due_before: Annotated[
        Day | None, Query(description="Only tasks due before this day.", examples=["2026-04-01"])
    ] = None,
) -> TaskFilter:
    return TaskFilter(owner, done, due_before)


TaskFilterDep = Annotated[TaskFilter, Depends(_task_filter)]


@router.post("/accounts/{account_id}/tasks", status_code=201, summary="Create a task")
def create_task(
    account_id: AccountId, body: TaskIn, session: SessionDep, actor: AccountActor
) -> TaskOut:
    """Create an open task on an account."""
    values = body.model_dump(exclude={"author"})
    row = task_service.create_task(session, actor, account_id, values, body.author)
    return TaskOut.model_validate(row)


@router.get("/accounts/{account_id}/tasks", summary="List the tasks of an account")
def list_account_tasks(
    account_id: AccountId,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    where: TaskFilterDep,
) -> Page[TaskOut]:
    """List the tasks of an account by due day; those without one come last."""
    get_account(session, caller.workspace_id, account_id)
    filters = asdict(where)
    page = queries.list_tasks(
        session, caller.workspace_id, paging, account_id=account_id, **filters
    )
    return page.to_page(TaskOut.model_validate)


@router.get("/tasks", summary="List tasks")
def list_tasks(
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    where: TaskFilterDep,
    account_id: AccountIdFilter = None,
) -> Page[TaskOut]:
    """List the tasks of all accounts by due day; those without one come last."""
    filters = asdict(where)
    page = queries.list_tasks(
        session, caller.workspace_id, paging, account_id=account_id, **filters
    )
    return page.to_page(TaskOut.model_validate)


@router.get("/tasks/{task_id}", summary="Get a task")
def get_task(task_id: Id, rows: RowsDep) -> TaskOut:
    """Return one task."""
    return rows.get(Task, TaskOut, task_id)


@router.patch("/tasks/{task_id}", summary="Change a task")
def change_task(task_id: Id, body: TaskPatch, session: SessionDep, actor: AccountActor) -> TaskOut:
    """Change the fields that are sent: finish the task with `done`, or open it again."""
    values = body.model_dump(exclude_unset=True, exclude={"author"})
    row = task_service.change_task(session, actor, task_id, values, body.author)
    return TaskOut.model_validate(row)


@router.delete("/tasks/{task_id}", status_code=204, summary="Delete a task")
def delete_task(task_id: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete a task. To finish it, change `done` instead."""
    task_service.delete_task(session, actor, task_id)
