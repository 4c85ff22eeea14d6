"""Read one page of a list of accounts, with the cursor of the next page."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy.orm import Session

from app.core.filters.tree import Filter
from app.core.pagination import InvalidCursorError, Page, Paging
from app.portfolio import account_queries
from app.portfolio.account_queries import AccountRow, ListPosition
from app.portfolio.fields import CURSOR_TYPES, AccountSort
from app.portfolio.schemas import SORT_DESCRIPTION, SORT_PATTERN, AccountListItem

SORT_ATTRIBUTES = {
    AccountSort.SCORE: "score",
    AccountSort.MRR: "mrr_cents",
    AccountSort.TREND28: "d28",
    AccountSort.CHURN_RISK: "churn_risk",
    AccountSort.REVENUE_AT_RISK: "at_stake_cents",
}
"""The row attribute of a sort order whose name differs."""

SortQuery = Annotated[str, Query(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)]


@dataclass(frozen=True, slots=True)
class AccountListRequest:
    """A page of accounts. ``sort`` is the name of an order, with a minus if it is descending."""

    filter: Filter
    sort: str
    paging: Paging

    def page(self, session: Session, workspace_id: str, today: date) -> Page[AccountListItem]:
        order = AccountSort(self.sort.removeprefix("-"))
        rows = account_queries.list_accounts(
            session,
            workspace_id,
            self.filter,
            today=today,
            sort=order,
            descending=self.sort.startswith("-"),
            after=_list_position(self.paging, order),
            limit=self.paging.fetch_limit,
        )
        return self.paging.page(rows, AccountListItem.of, lambda row: _cursor_values(row, order))


def _cursor_values(row: AccountRow, order: AccountSort) -> tuple[Any, ...]:
    return (order.value, getattr(row, SORT_ATTRIBUTES.get(order, order.value)), row.account_id)


def _list_position(paging: Paging, order: AccountSort) -> ListPosition | None:
    position = paging.position(str, CURSOR_TYPES[order], str)
    if position is None:
        return None
    if position[0] != order.value:
        raise InvalidCursorError("The cursor belongs to a list with another `sort`.")
    return ListPosition(position[1], position[2])
