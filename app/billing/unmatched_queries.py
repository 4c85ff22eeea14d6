"""List billed objects that belong to no account, or whose price is unknown."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.billing.tables import STRIPE, BillingCustomer, BillingSubscription, Invoice
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset_ascending


@dataclass(frozen=True, slots=True)
class UnmatchedObject:
    """A billed object without an account or with an unknown price, and the reason."""

    kind: str
    object_id: str
    customer_id: str
    account_id: str | None
    name: str | None
    email: str | None
    status: str | None
    reason: str
    first_seen_at: datetime


def list_unmatched_objects(
    session: Session, workspace_id: str, paging: Paging
) -> RowPage[UnmatchedObject]:
    """Return one page, ordered by kind (customers, invoices, subscriptions) and id."""
    none, no_account = literal(None), literal("no_account")
    customers = select(
        literal("customer").label("kind"),
        BillingCustomer.customer_id.label("object_id"),
        BillingCustomer.customer_id,
        BillingCustomer.account_id,
        BillingCustomer.name,
        BillingCustomer.email,
        none.label("status"),
        no_account.label("reason"),
        BillingCustomer.first_seen_at,
    ).where(
        *_in_workspace(BillingCustomer, workspace_id),
        BillingCustomer.account_id.is_(None),
        ~BillingCustomer.erased,
    )
    invoices = select(
        literal("invoice"),
        Invoice.invoice_id,
        Invoice.customer_id,
        Invoice.account_id,
        none,
        none,
        Invoice.status,
        no_account,
        Invoice.created_at,
    ).where(*_in_workspace(Invoice, workspace_id), Invoice.account_id.is_(None))
    subscriptions = select(
        literal("subscription"),
        BillingSubscription.subscription_id,
        BillingSubscription.customer_id,
        BillingSubscription.account_id,
        none,
        none,
        BillingSubscription.status,
        func.coalesce(BillingSubscription.unknown, no_account),
        BillingSubscription.first_seen_at,
    ).where(
        *_in_workspace(BillingSubscription, workspace_id),
        or_(BillingSubscription.account_id.is_(None), BillingSubscription.unknown.is_not(None)),
    )
    union = union_all(customers, invoices, subscriptions).subquery()
    position = (union.c.kind.collate("C"), union.c.object_id)
    after = paging.position(str, str)
    rows = session.execute(
        keyset_ascending(select(union), *position, after=after, limit=paging.fetch_limit)
    )
    objects = [UnmatchedObject(*row) for row in rows]
    return RowPage(*paging.cut(objects, lambda row: (row.kind, row.object_id)))


def _in_workspace(
    table: type[BillingCustomer | BillingSubscription | Invoice], workspace_id: str
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.workspace_id == workspace_id, table.system == STRIPE
