from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.tables import ExchangeRate
from app.core.errors import NotFoundError
from app.core.pagination import Paging, Slice
from app.core.rows import ensure_row, find_row, listed, only


def get_rate(
    session: Session, workspace_id: str, currency: str, starts_on: date, *, lock: bool = False
) -> ExchangeRate:
    """Find the rate that was said for a day. Locked, it is fresh and one writer has it."""
    row = find_row(session, ExchangeRate, (workspace_id, currency, starts_on), lock=lock)
    if row is None:
        raise NotFoundError("exchange rate", f"of {currency} from {starts_on}")
    return row


def ensure_rate(
    session: Session, workspace_id: str, currency: str, starts_on: date, rate: Decimal
) -> bool:
    """Add a rate unless there is one for the day; whether it was added."""
    key = {"workspace_id": workspace_id, "currency": currency, "starts_on": starts_on}
    return ensure_row(session, ExchangeRate, **key, rate=rate)


def list_rates(
    session: Session, workspace_id: str, paging: Paging, *, currency: str | None
) -> Slice[ExchangeRate]:
    """In the order of currency and day."""
    rates = select(ExchangeRate).where(ExchangeRate.workspace_id == workspace_id)
    rates = only(rates, currency=currency)
    place = (ExchangeRate.currency, ExchangeRate.starts_on)
    return listed(session, rates, *place, paging=paging)
