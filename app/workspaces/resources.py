"""One way to get, list, put and delete the rows that clients manage under a key of their own.

A route that reads takes ``RowsDep``, one that lists takes ``RowListDep`` (or ``AccountRowListDep``,
with the query parameter ``account_id``), one that writes takes an actor::

    @router.get("/plans/{key}", summary="Get a plan")
    def get_plan(key: Id, rows: RowsDep) -> PlanOut:
        return rows.get(Plan, PlanOut, key)

    @router.get("/plans", summary="List plans")
    def list_plans(rows: RowListDep) -> Page[PlanOut]:
        return rows.page(Plan, PlanOut)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep, Table
from app.core.pagination import Page, Paging, PagingDep, RowPage
from app.core.query_helpers import NO_KEY_UPDATE, RowT, get_row
from app.core.row_queries import ensure_row, list_rows
from app.core.schemas import ResponseModel
from app.workspaces.auth import AccountIdFilter, Reader
from app.workspaces.service import Actor

OutModel = TypeVar("OutModel", bound=ResponseModel)


@dataclass(frozen=True, slots=True)
class Rows:
    """Read access to the rows of the caller's workspace."""

    session: Session
    workspace_id: str

    def get(self, table: type[Table], model: type[OutModel], *key: object) -> OutModel:
        """Return the row of a key, or raise ``NotFoundError``."""
        return model.model_validate(get_row(self.session, table, (self.workspace_id, *key)))


@dataclass(frozen=True, slots=True)
class RowList(Rows):
    """The requested page of a list. ``account_id`` None: of all accounts."""

    paging: Paging
    account_id: str | None = None

    def rows(self, table: type[RowT], **where: object) -> RowPage[RowT]:
        """Return the page, ordered by key. ``where``: see ``list_rows``."""
        if self.account_id:
            where["account_id"] = self.account_id
        return list_rows(self.session, self.workspace_id, table, self.paging, **where)

    def page(self, table: type[Table], model: type[OutModel], **where: object) -> Page[OutModel]:
        return self.rows(table, **where).to_page(model.model_validate)


async def _rows(session: ReadSessionDep, caller: Reader) -> Rows:
    return Rows(session, caller.workspace_id)


async def _row_list(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> RowList:
    return RowList(session, caller.workspace_id, paging)


async def _account_row_list(
    session: ReadSessionDep, caller: Reader, paging: PagingDep, account_id: AccountIdFilter = None
) -> RowList:
    return RowList(session, caller.workspace_id, paging, account_id)


RowsDep = Annotated[Rows, Depends(_rows, scope="function")]
RowListDep = Annotated[RowList, Depends(_row_list, scope="function")]
AccountRowListDep = Annotated[RowList, Depends(_account_row_list, scope="function")]


def put_row(
    session: Session,
    actor: Actor,
    table: type[RowT],
    key: str,
    columns: Mapping[str, Any],
    *,
    kind: str | None = None,
    initial: Mapping[str, Any] | None = None,
) -> tuple[RowT, bool, Mapping[str, Any]]:
    """Create or replace a row. Return it, whether it is new, and the columns that changed.

    A new row reports all columns as changed. An equal row reports none and is not audited.
    ``kind``: the noun in errors and audit entries; None: the table's name. ``initial``: columns
    that are set only when the row is created.
    """
    created = ensure_row(session, actor.workspace_id, table, key, **columns, **(initial or {}))
    row = get_row(session, table, (actor.workspace_id, key), kind, lock=NO_KEY_UPDATE)
    changed = columns if created else row.apply_changes(columns)
    if changed:
        verb = "created" if created else "changed"
        actor.audit(session, f"{kind or table.__tablename__}.{verb}", key, columns)
    return row, created, changed


def delete_row(
    session: Session, actor: Actor, table: type[Table], key: str, *, kind: str | None = None
) -> None:
    """Delete a row, or raise ``NotFoundError``. The deletion is audited."""
    session.delete(get_row(session, table, (actor.workspace_id, key), kind, lock=NO_KEY_UPDATE))
    actor.audit(session, f"{kind or table.__tablename__}.deleted", key)
