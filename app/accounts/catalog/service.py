"""Write what is sold and what it costs: plans, product features, exchange rates.

A change is audited and queues every account for scoring. ``engagement`` writes onboarding steps
and loyalty tiers with ``put`` and ``delete`` too.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ExchangeRate
from app.accounts.refresh_queue import Priority, mark_all_due
from app.core.db import Table
from app.core.errors import ConflictError, NotFoundError
from app.core.query_helpers import RowT, find_row
from app.core.row_queries import ensure_row
from app.workspaces.resources import delete_row, put_row
from app.workspaces.service import Actor


def put(
    session: Session, actor: Actor, table: type[RowT], key: str, fields: Mapping[str, Any]
) -> tuple[RowT, Mapping[str, Any]]:
    """Create or replace a plan, a product feature or another setting with a key.

    Return the row and the columns that changed (empty if none did). Without a name, the key is the
    name. The same fields again change nothing.
    """
    columns = {**fields, "name": fields["name"] or key}
    row, _, changed = put_row(session, actor, table, key, columns)
    if changed:
        _rescore(session, actor)
    return row, changed


def delete(session: Session, actor: Actor, table: type[Table], key: str) -> None:
    delete_row(session, actor, table, key)
    _rescore(session, actor)


def put_exchange_rate(
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
            f"{currency} is the base currency: its rate is always 1 and cannot be set.",
            code="base_currency",
        )
    exact = {"rate": Decimal(str(rate))}
    key = (currency, starts_on)
    created = ensure_row(session, actor.workspace_id, ExchangeRate, *key, **exact)
    row = get_exchange_rate(session, actor.workspace_id, *key, lock=True)
    if created or row.apply_changes(exact):
        verb = "created" if created else "changed"
        actor.audit(session, f"exchange_rate.{verb}", f"{currency} {starts_on}", {"rate": rate})
        _rescore(session, actor)
    return row


def delete_exchange_rate(session: Session, actor: Actor, currency: str, starts_on: date) -> None:
    """Delete a rate. The rate before it stays valid."""
    session.delete(get_exchange_rate(session, actor.workspace_id, currency, starts_on, lock=True))
    actor.audit(session, "exchange_rate.deleted", f"{currency} {starts_on}")
    _rescore(session, actor)


def get_exchange_rate(
    session: Session, workspace_id: str, currency: str, starts_on: date, *, lock: bool = False
) -> ExchangeRate:
    """Return the rate that starts on a day, or raise ``NotFoundError``. ``lock``: also lock it."""
    row = find_row(session, ExchangeRate, (workspace_id, currency, starts_on), lock=lock)
    if row is None:
        raise NotFoundError("exchange rate", f"of {currency} that starts on {starts_on}")
    return row


def _rescore(session: Session, actor: Actor) -> None:
    mark_all_due(session, actor.workspace_id, priority=Priority.SWEEP)
