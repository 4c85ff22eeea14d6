"""One page of a list of accounts, and the cursor to the next."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.core.filters import Filter
from app.core.pagination import InvalidCursorError, Page, Paging
from app.segments import account_queries
from app.segments.account_queries import Place, Standing
from app.segments.fields import PLACES, Sort
from app.segments.schemas import AccountStanding

VALUES = {
    Sort.SCORE: "score",
    Sort.MRR: "mrr_cents",
    Sort.TREND28: "d28",
    Sort.CHURN_RISK: "churn_risk",
    Sort.REVENUE_AT_RISK: "at_stake_cents",
}
"""What the row calls what it is sorted by, where that is not the name of the order."""


@dataclass(frozen=True, slots=True)
class Listing:
    """``sort``: the name of an order, with a minus if it is reversed."""

    wanted: Filter
    sort: str
    paging: Paging

    def page(self, session: Session, workspace_id: str, today: date) -> Page[AccountStanding]:
        order = Sort(self.sort.removeprefix("-"))
        rows = account_queries.list_accounts(
            session,
            workspace_id,
            self.wanted,
            today=today,
            sort=order,
            descending=self.sort.startswith("-"),
            after=_place(self.paging, order),
            limit=self.paging.fetch,
        )
        return self.paging.page(rows, AccountStanding.of, lambda row: _position(row, order))


def _position(row: Standing, order: Sort) -> tuple[Any, ...]:
    return (order.value, getattr(row, VALUES.get(order, order.value)), row.account_id)


def _place(paging: Paging, order: Sort) -> Place | None:
    position = paging.after(str, PLACES[order], str)
    if position is None:
        return None
    if position[0] != order.value:
        raise InvalidCursorError("This cursor is of another order.")
    return Place(position[1], position[2])
