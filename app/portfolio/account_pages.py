"""Read a page of accounts after a position, by the values of now or by those of a snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.filters.sql import Column
from app.portfolio.fields import AccountSort
from app.portfolio.revenue_at_risk_queries import list_by_revenue_at_risk

AccountRow = Row[*tuple[Any, ...]]


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


def list_by_value(
    session: Session, query: Select[*tuple[Any, ...]], order: AccountOrder
) -> list[AccountRow]:
    """Return a page of a query.

    Rows with a value and rows without are two queries: an index serves the first one, and no index
    sorts null last in both directions.
    """
    sort, column, after, limit = order.sort, order.column, order.after, order.limit
    query = query.add_columns(column.label("sort_value"))
    rows: list[AccountRow] = []
    is_ever_null = sort is not AccountSort.ACCOUNT_ID
    if after is None or after.value is not None:
        with_value = query.where(column.is_not(None)) if is_ever_null else query
        if sort is AccountSort.REVENUE_AT_RISK and order.descending:
            position = (int(after.value or 0), after.account_id) if after else None
            rows += list_by_revenue_at_risk(session, with_value, after=position, limit=limit)
        else:
            rows += _list_known(session, with_value, order)
        after = None
    if len(rows) < limit and is_ever_null:
        without_value = query.where(column.is_(None))
        if after is not None:
            without_value = without_value.where(Account.account_id > after.account_id)
        ordered = without_value.order_by(Account.account_id)
        rows += session.execute(ordered.limit(limit - len(rows)))
    return rows


def _list_known(
    session: Session, query: Select[*tuple[Any, ...]], order: AccountOrder
) -> Sequence[AccountRow]:
    if order.after is not None:
        query = query.where(_is_after(order.column, order.after, descending=order.descending))
    ordered = query.order_by(order.by_value, Account.account_id)
    return session.execute(ordered.limit(order.limit)).all()


def list_by_past_value(
    session: Session, query: Select[*tuple[Any, ...]], order: AccountOrder
) -> Sequence[AccountRow]:
    """Return a page of a query by the values at the snapshot."""
    column, after = order.column, order.after
    query = query.add_columns(column.label("sort_value"))
    if after is not None and after.value is None:
        query = query.where(column.is_(None), Account.account_id > after.account_id)
    elif after is not None:
        is_after = _is_after(column, after, descending=order.descending)
        query = query.where(or_(is_after, column.is_(None)))
    ordered = query.order_by(order.by_value.nulls_last(), Account.account_id)
    return session.execute(ordered.limit(order.limit)).all()


def _is_after(column: Column, after: ListPosition, *, descending: bool) -> ColumnElement[bool]:
    """Return the keyset condition; its redundant first part starts the index scan at ``after``."""
    later = column < after.value if descending else column > after.value
    same = and_(column == after.value, Account.account_id > after.account_id)
    from_position = column <= after.value if descending else column >= after.value
    return and_(from_position, or_(later, same))
