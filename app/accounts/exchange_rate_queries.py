"""Read and insert exchange rates."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.tables import ExchangeRate
from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, filter_if_given, find_row, insert_if_missing


def get_rate(
    session: Session, workspace_id: str, currency: str, starts_on: date, *, lock: bool = False
) -> ExchangeRate:
    """Return the rate that starts on a day, or raise ``NotFoundError``. ``lock``: for update."""
    row = find_row(session, ExchangeRate, (workspace_id, currency, starts_on), lock=lock)
    if row is None:
        raise NotFoundError("exchange rate", f"of {currency} from {starts_on}")
    return row


def ensure_rate(
    session: Session, workspace_id: str, currency: str, starts_on: date, rate: Decimal
) -> bool:
    """Insert a rate unless one starts on the day; return whether it was inserted."""
    key = {"workspace_id": workspace_id, "currency": currency, "starts_on": starts_on}
    return insert_if_missing(session, ExchangeRate, **key, rate=rate)


def list_rates(
    session: Session, workspace_id: str, paging: Paging, *, currency: str | None
) -> RowPage[ExchangeRate]:
    """Return one page of rates, ordered by currency and day."""
    rates = select(ExchangeRate).where(ExchangeRate.workspace_id == workspace_id)
    rates = filter_if_given(rates, currency=currency)
    place = (ExchangeRate.currency, ExchangeRate.starts_on)
    return fetch_page(session, rates, *place, paging=paging)
