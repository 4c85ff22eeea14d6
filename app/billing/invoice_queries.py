"""Write and list invoices, and sum up failed payments."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.billing.tables import STRIPE, Invoice
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page


@dataclass(frozen=True, slots=True)
class FailedPayments:
    """What an account owes on invoices whose payment failed, in one currency."""

    account_id: str
    currency: str
    invoices: int
    amount_due_cents: int
    failed_since: datetime


def upsert_invoices(
    session: Session, workspace_id: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert or replace invoices, in key order."""
    for row in sorted(rows, key=lambda each: str(each["invoice_id"])):
        key = {"workspace_id": workspace_id, "system": STRIPE, "invoice_id": row["invoice_id"]}
        insertion = insert(Invoice).values(**{**row, **key})
        session.execute(insertion.on_conflict_do_update(index_elements=[*key], set_=dict(row)))


def list_invoices(
    session: Session, workspace_id: str, account_id: str, paging: Paging
) -> RowPage[Invoice]:
    """Return one page of an account's invoices, newest first."""
    rows = select(Invoice).where(
        Invoice.workspace_id == workspace_id, Invoice.account_id == account_id
    )
    place = (Invoice.created_at, Invoice.invoice_id)
    return fetch_page(session, rows, *place, paging=paging, descending=True)


def load_failed_payments(
    session: Session, workspace_id: str, account_ids: Collection[str], *, at: datetime | None = None
) -> Sequence[FailedPayments]:
    """Return what accounts still owe on failed payments, by account and currency.

    ``at``: as it was at that time. An invoice that was paid later was owed in full until then.
    """
    still_owed = Invoice.status.in_(("open", "uncollectible"))
    owed_conditions = (
        [still_owed]
        if at is None
        else [Invoice.failed_at < at, or_(still_owed, Invoice.paid_at >= at)]
    )
    paid = case((Invoice.status == "paid", 0), else_=Invoice.amount_paid_cents)
    rows = session.execute(
        select(
            Invoice.account_id,
            Invoice.currency,
            func.count(),
            func.sum(Invoice.amount_due_cents - paid),
            func.min(Invoice.failed_at),
        )
        .where(
            Invoice.workspace_id == workspace_id,
            Invoice.account_id.in_(account_ids),
            Invoice.failed_at.is_not(None),
            *owed_conditions,
        )
        .group_by(Invoice.account_id, Invoice.currency)
        .order_by(Invoice.account_id, Invoice.currency)
    )
    return [
        FailedPayments(account_id, currency, number, int(cents), since)
        for account_id, currency, number, cents, since in rows
        if account_id is not None and since is not None
    ]
