"""Pages of the lists: by own id, of one account or of all."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep
from app.core.pagination import Page, Paging, PagingDep, RowPage
from app.core.schemas import ResponseModel
from app.engagement import row_queries
from app.engagement.row_queries import Kept
from app.workspaces.auth import AccountIdFilter, Reader

Shown = TypeVar("Shown", bound=ResponseModel)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which page of a list is asked for, and of which account."""

    session: Session
    workspace_id: str
    account_id: str | None
    paging: Paging

    def rows(self, table: type[Kept], **where: object) -> RowPage[Kept]:
        if self.account_id:
            where["account_id"] = self.account_id
        return row_queries.listed(self.session, self.workspace_id, table, self.paging, where=where)

    def page(self, table: type[Kept], shown: type[Shown], **where: object) -> Page[Shown]:
        return self.rows(table, **where).to_page(shown.model_validate)


def whole(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Listing:
    return Listing(session, caller.workspace_id, None, paging)


def of_account(
    session: ReadSessionDep, caller: Reader, paging: PagingDep, account_id: AccountIdFilter = None
) -> Listing:
    return Listing(session, caller.workspace_id, account_id, paging)


WholeDep = Annotated[Listing, Depends(whole, scope="function")]
ListingDep = Annotated[Listing, Depends(of_account, scope="function")]
