"""Read a page of accounts after a position, by the values of now or by those of a snapshot."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, Row, Select, and_, or_

from app.accounts.tables import Account
from app.core.filters.sql import Column
from app.core.part_queries import has_fewer
from app.portfolio.fields import AccountSort
from app.portfolio.revenue_at_risk_queries import parts_by_revenue_at_risk

AccountRow = Row[*tuple[Any, ...]]
AccountSelect = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ListPosition:
    """The sort value and id of the row after which a page starts."""

    value: float | str | None
    account_id: str


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """How a page is sorted, the position after which it starts and its length."""

    sort: AccountSort
    column: Column
    descending: bool
    after: ListPosition | None
    limit: int

    @property
    def by_value(self) -> ColumnElement[Any]:
        return self.column.desc() if self.descending else self.column.asc()


def parts_by_value(query: AccountSelect, order: AccountOrder) -> list[CTE]:
    """Return the parts of a page of a query, each with the first rows of its own.

    Rows with a value and rows without are two parts: an index serves the first one, and no index
    sorts null last in both directions.
    """
    sort, column, after, limit = order.sort, order.column, order.after, order.limit
    query = query.add_columns(column.label("sort_value"))
    is_ever_null = sort is not AccountSort.ACCOUNT_ID
    parts: list[CTE] = []
    if after is None or after.value is not None:
        with_value = query.where(column.is_not(None)) if is_ever_null else query
        if sort is AccountSort.REVENUE_AT_RISK and order.descending:
            position = (int(after.value or 0), after.account_id) if after else None
            parts += parts_by_revenue_at_risk(with_value, after=position, limit=limit)
        else:
            parts.append(_select_known(with_value, order).cte("known"))
        after = None
    if is_ever_null:
        without_value = query.where(column.is_(None))
        if parts:
            without_value = without_value.where(has_fewer(parts, limit))
        if after is not None:
            without_value = without_value.where(Account.account_id > after.account_id)
        parts.append(without_value.order_by(Account.account_id).limit(limit).cte("unknown"))
    return parts


def _select_known(query: AccountSelect, order: AccountOrder) -> AccountSelect:
    if order.after is not None:
        query = query.where(_is_after(order.column, order.after, descending=order.descending))
    return query.order_by(order.by_value, Account.account_id).limit(order.limit)


def select_by_past_value(query: AccountSelect, order: AccountOrder) -> AccountSelect:
    """Return a page of a query by the values at the snapshot."""
    column, after = order.column, order.after
    query = query.add_columns(column.label("sort_value"))
    if after is not None and after.value is None:
        query = query.where(column.is_(None), Account.account_id > after.account_id)
    elif after is not None:
        is_after = _is_after(column, after, descending=order.descending)
        query = query.where(or_(is_after, column.is_(None)))
    return query.order_by(order.by_value.nulls_last(), Account.account_id).limit(order.limit)


def _is_after(column: Column, after: ListPosition, *, descending: bool) -> ColumnElement[bool]:
    """Return the keyset condition; its redundant first part starts the index scan at ``after``."""
    later = column < after.value if descending else column > after.value
    same = and_(column == after.value, Account.account_id > after.account_id)
    from_position = column <= after.value if descending else column >= after.value
    return and_(from_position, or_(later, same))
