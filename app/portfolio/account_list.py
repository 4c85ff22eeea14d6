"""One page of a list of accounts, and the cursor to the next."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.core.filters.matching import Filter
from app.core.pagination import InvalidCursorError, Page, Paging
from app.portfolio import account_queries
from app.portfolio.account_queries import AccountRow, ListPosition
from app.portfolio.fields import CURSOR_TYPES, AccountSort
from app.portfolio.schemas import AccountListItem

SORT_ATTRIBUTES = {
    AccountSort.SCORE: "score",
    AccountSort.MRR: "mrr_cents",
    AccountSort.TREND28: "d28",
    AccountSort.CHURN_RISK: "churn_risk",
    AccountSort.REVENUE_AT_RISK: "at_stake_cents",
}
"""What the row calls what it is sorted by, where that is not the name of the order."""


@dataclass(frozen=True, slots=True)
class AccountListRequest:
    """``sort``: the name of an order, with a minus if it is reversed."""

    wanted: Filter
    sort: str
    paging: Paging

    def page(self, session: Session, workspace_id: str, today: date) -> Page[AccountListItem]:
        order = AccountSort(self.sort.removeprefix("-"))
        rows = account_queries.list_accounts(
            session,
            workspace_id,
            self.wanted,
            today=today,
            sort=order,
            descending=self.sort.startswith("-"),
            after=_place(self.paging, order),
            limit=self.paging.fetch_limit,
        )
        return self.paging.page(rows, AccountListItem.of, lambda row: _position(row, order))


def _position(row: AccountRow, order: AccountSort) -> tuple[Any, ...]:
    return (order.value, getattr(row, SORT_ATTRIBUTES.get(order, order.value)), row.account_id)


def _place(paging: Paging, order: AccountSort) -> ListPosition | None:
    position = paging.after(str, CURSOR_TYPES[order], str)
    if position is None:
        return None
    if position[0] != order.value:
        raise InvalidCursorError("This cursor is of another order.")
    return ListPosition(position[1], position[2])
