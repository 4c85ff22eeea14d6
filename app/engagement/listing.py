"""Read one page of a list, ordered by the objects' own ids: of one account or of all."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends
from sqlalchemy.orm import Session

from app.core.db import ReadSessionDep
from app.core.pagination import Page, Paging, PagingDep, RowPage
from app.core.schemas import ResponseModel
from app.engagement import row_queries
from app.engagement.row_queries import RowType
from app.workspaces.auth import AccountIdFilter, Reader

OutModel = TypeVar("OutModel", bound=ResponseModel)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A request for one page of a list. ``account_id`` None: of all accounts."""

    session: Session
    workspace_id: str
    account_id: str | None
    paging: Paging

    def rows(self, table: type[RowType], **where: object) -> RowPage[RowType]:
        if self.account_id:
            where["account_id"] = self.account_id
        return row_queries.list_rows(
            self.session, self.workspace_id, table, self.paging, where=where
        )

    def page(self, table: type[RowType], model: type[OutModel], **where: object) -> Page[OutModel]:
        return self.rows(table, **where).to_page(model.model_validate)


def list_request(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> ListRequest:
    return ListRequest(session, caller.workspace_id, None, paging)


def account_list_request(
    session: ReadSessionDep, caller: Reader, paging: PagingDep, account_id: AccountIdFilter = None
) -> ListRequest:
    return ListRequest(session, caller.workspace_id, account_id, paging)


ListDep = Annotated[ListRequest, Depends(list_request, scope="function")]
AccountListDep = Annotated[ListRequest, Depends(account_list_request, scope="function")]
