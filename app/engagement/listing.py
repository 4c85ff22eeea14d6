"""Pages of the lists: by own id, of one account or of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from app.accounts import aliases
from app.core.db import ReadSessionDep
from app.core.pagination import CursorText, Limit, Page, decode_cursor, page_of
from app.core.schemas import Id, Out
from app.engagement import row_queries
from app.engagement.row_queries import Kept
from app.workspaces.auth import Reader

Shown = TypeVar("Shown", bound=Out)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which page of a list is asked for, and of which account."""

    session: Session
    workspace_id: str
    account_id: str | None
    limit: int
    cursor: str | None

    def rows(self, table: type[Kept], **where: object) -> tuple[Sequence[Kept], str | None]:
        after = decode_cursor(self.cursor, str)
        found = row_queries.listed(
            self.session,
            self.workspace_id,
            table,
            where=where | ({"account_id": self.account_id} if self.account_id else {}),
            after=after[0] if after else None,
            limit=self.limit + 1,
        )
        key = inspect(table).primary_key[1].name
        return page_of(found, self.limit, lambda row: (getattr(row, key),))

    def page(self, table: type[Kept], shown: type[Shown], **where: object) -> Page[Shown]:
        rows, next_cursor = self.rows(table, **where)
        return Page(items=[shown.model_validate(row) for row in rows], next_cursor=next_cursor)


def whole(
    session: ReadSessionDep, caller: Reader, limit: Limit = 100, cursor: CursorText = None
) -> Listing:
    return Listing(session, caller.workspace_id, None, limit, cursor)


def of_account(
    session: ReadSessionDep,
    caller: Reader,
    account_id: Annotated[Id | None, Query(description="Only those of this account.")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Listing:
    if account_id is not None:
        account_id = aliases.current_id(session, caller.workspace_id, account_id)
    return Listing(session, caller.workspace_id, account_id, limit, cursor)


WholeDep = Annotated[Listing, Depends(whole, scope="function")]
ListingDep = Annotated[Listing, Depends(of_account, scope="function")]
