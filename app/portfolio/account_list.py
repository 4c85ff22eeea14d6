"""Read one page of a list of accounts, with the cursor of the next page."""

from datetime import date
from typing import Annotated

from fastapi import Query
from sqlalchemy.orm import Session

from app.core.filters.tree import Filter
from app.core.pagination import InvalidCursorError, Page, Paging
from app.portfolio import account_queries
from app.portfolio.fields import CURSOR_TYPES, OTHER_SORT_NAMES, AccountSort
from app.portfolio.schemas import SORT_DESCRIPTION, SORT_PATTERN, AccountListItem

SortQuery = Annotated[str, Query(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)]


def load_account_page(
    session: Session, workspace_id: str, filter_: Filter, sort: str, paging: Paging, *, today: date
) -> Page[AccountListItem]:
    """Return a page of the accounts that match. ``sort`` descends if it has a leading minus."""
    name = sort.removeprefix("-")
    order = OTHER_SORT_NAMES.get(name) or AccountSort(name)
    rows = account_queries.list_accounts(
        session,
        workspace_id,
        filter_,
        today=today,
        sort=order,
        descending=sort.startswith("-"),
        after=_list_position(paging, order),
        limit=paging.fetch_limit,
    )
    return paging.page(
        rows, AccountListItem.of, lambda row: (order.value, row.sort_value, row.account_id)
    )


def _list_position(paging: Paging, order: AccountSort) -> account_queries.ListPosition | None:
    position = paging.position(str, CURSOR_TYPES[order], str)
    if position is None:
        return None
    if position[0] != order.value:
        raise InvalidCursorError(
            "The cursor belongs to a list with another `sort`: repeat the `sort` of the first page."
        )
    return account_queries.ListPosition(*position[1:])
