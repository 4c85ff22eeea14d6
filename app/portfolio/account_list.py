"""Read one page of a list of accounts, with the cursor of the next page."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy.orm import Session

from app.changes.snapshots import ListSnapshot
from app.changes.sort_change_queries import stable_position
from app.core.filters.tree import Filter
from app.core.pagination import InvalidCursorError, Page, Paging
from app.portfolio import account_queries
from app.portfolio.account_pages import ListPosition
from app.portfolio.fields import CURSOR_TYPES, OTHER_SORT_NAMES, AccountSort
from app.portfolio.schemas import SORT_DESCRIPTION, SORT_PATTERN, AccountListItem

SortQuery = Annotated[str, Query(pattern=SORT_PATTERN, description=SORT_DESCRIPTION)]


def load_account_page(
    session: Session,
    workspace_id: str,
    filter_: Filter,
    sort: str,
    paging: Paging,
    *,
    now: datetime,
) -> Page[AccountListItem]:
    """Return a page of the accounts that match. ``sort`` descends if it has a leading minus.

    Each account is placed by the value that it had on the first page.
    """
    name = sort.removeprefix("-")
    order = OTHER_SORT_NAMES.get(name) or AccountSort(name)
    types = (str, CURSOR_TYPES[order], str)
    is_fixed = order is AccountSort.ACCOUNT_ID  # which never changes
    if is_fixed or paging.cursor is None:
        position, snapshot = paging.position(*types), None
    else:
        stable = stable_position(session, workspace_id, paging, *types, now=now)
        position, snapshot = stable.values, stable.snapshot
    rows = account_queries.list_accounts(
        session,
        workspace_id,
        filter_,
        today=now.date(),
        sort=order,
        descending=sort.startswith("-"),
        after=_list_position(position, order),
        snapshot=snapshot,
        limit=paging.fetch_limit,
    )
    if rows and not (is_fixed or snapshot):
        snapshot = ListSnapshot.of_row(rows[0], now)
    more = snapshot.cursor_parts() if snapshot else ()
    return paging.page(
        rows, AccountListItem.of, lambda row: (order.value, row.sort_value, row.account_id, *more)
    )


def _list_position(position: tuple[Any, ...] | None, order: AccountSort) -> ListPosition | None:
    if position is None:
        return None
    if position[0] != order.value:
        raise InvalidCursorError(
            "The cursor belongs to a list with another `sort`: repeat the `sort` of the first page."
        )
    return ListPosition(*position[1:])
