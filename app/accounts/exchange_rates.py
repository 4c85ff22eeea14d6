"""What other currencies are worth in the base currency, from which day on."""

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from app.accounts import exchange_rate_queries
from app.accounts.catalog import audit_and_rescore
from app.accounts.tables import ExchangeRate
from app.core.errors import ConflictError
from app.workspaces.service import Actor


def put(
    session: Session,
    change: Actor,
    currency: str,
    starts_on: date,
    rate: float,
    *,
    base_currency: str,
) -> ExchangeRate:
    """Let a rate hold from a day on, until the next; saying the same again changes nothing."""
    if currency == base_currency:
        raise ConflictError(
            f"{currency} is the base currency: its rate is always 1.", code="base_currency"
        )
    said = Decimal(str(rate))
    workspace_id = change.workspace_id
    created = exchange_rate_queries.ensure_rate(session, workspace_id, currency, starts_on, said)
    row = exchange_rate_queries.get_rate(session, workspace_id, currency, starts_on, lock=True)
    if created or row.rate != said:
        row.rate = said
        verb = "created" if created else "changed"
        audit_and_rescore(session, change, f"exchange_rate.{verb}", _subject(row), {"rate": rate})
    return row


def delete(session: Session, change: Actor, currency: str, starts_on: date) -> None:
    """Forget a rate: the one before it holds on."""
    row = exchange_rate_queries.get_rate(
        session, change.workspace_id, currency, starts_on, lock=True
    )
    session.delete(row)
    audit_and_rescore(session, change, "exchange_rate.deleted", _subject(row), {})


def _subject(row: ExchangeRate) -> str:
    return f"{row.currency} {row.starts_on}"
