"""Write exchange rates: the value of other currencies in the base currency, from a day on."""

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from app.accounts import exchange_rate_queries as queries
from app.accounts.catalog import audit_and_rescore
from app.accounts.tables import ExchangeRate
from app.core.errors import ConflictError
from app.workspaces.service import Actor


def put(
    session: Session,
    actor: Actor,
    currency: str,
    starts_on: date,
    rate: float,
    *,
    base_currency: str,
) -> ExchangeRate:
    """Set the rate that is valid from a day until the next rate of the currency.

    The same rate again changes nothing. Raises ``ConflictError`` for the base currency.
    """
    if currency == base_currency:
        raise ConflictError(
            f"{currency} is the base currency: its rate is always 1.", code="base_currency"
        )
    exact = Decimal(str(rate))
    created = queries.ensure_rate(session, actor.workspace_id, currency, starts_on, exact)
    row = queries.get_rate(session, actor.workspace_id, currency, starts_on, lock=True)
    if created or row.rate != exact:
        row.rate = exact
        verb = "created" if created else "changed"
        audit_and_rescore(session, actor, f"exchange_rate.{verb}", _subject(row), {"rate": rate})
    return row


def delete(session: Session, actor: Actor, currency: str, starts_on: date) -> None:
    """Delete a rate. The rate before it stays valid."""
    row = queries.get_rate(session, actor.workspace_id, currency, starts_on, lock=True)
    session.delete(row)
    audit_and_rescore(session, actor, "exchange_rate.deleted", _subject(row), {})


def _subject(row: ExchangeRate) -> str:
    return f"{row.currency} {row.starts_on}"
