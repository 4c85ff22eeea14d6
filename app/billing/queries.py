"""Read, write and lock billing sources, events, customers, subscriptions and invoices."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.tables import ExternalId
from app.billing.billing_events import ObjectKind, ParsedEvent
from app.billing.tables import (
    STRIPE,
    BillingCustomer,
    BillingEvent,
    BillingSource,
    BillingSubscription,
    Invoice,
)
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page, find_row, get_row, insert_if_missing
from app.core.sql import load_sql

SQL = load_sql(__file__)
EVENT_FIELDS = tuple(each.name for each in fields(ParsedEvent))


@dataclass(frozen=True, slots=True)
class FailedPayments:
    """What an account owes on invoices whose payment failed, in one currency."""

    account_id: str
    currency: str
    invoices: int
    amount_due_cents: int
    failed_since: datetime


def _key(workspace_id: str, **values: object) -> dict[str, Any]:
    return {"workspace_id": workspace_id, "system": STRIPE, **values}


def find_source(session: Session, workspace_id: str) -> BillingSource | None:
    """Return the workspace's source, locked, or None."""
    return find_row(session, BillingSource, (workspace_id, STRIPE), lock=True)


def get_source(session: Session, workspace_id: str, *, lock: bool = False) -> BillingSource:
    return get_row(session, BillingSource, (workspace_id, STRIPE), lock=lock)


def find_source_by_id(session: Session, source_id: str) -> BillingSource | None:
    """Return a source by its id, which cannot be guessed and identifies the workspace."""
    return session.scalar(select(BillingSource).where(BillingSource.source_id == source_id))


def touch_source(session: Session, workspace_id: str, *, now: datetime) -> None:
    """Set ``last_event_at``, at most once a minute and unless another transaction is doing so."""
    session.execute(SQL.touch_source, _key(workspace_id, now=now))


def lock_customer(
    session: Session, workspace_id: str, customer_id: str, *, now: datetime
) -> BillingCustomer:
    """Lock a customer until the end of the transaction; insert the row if it is missing."""
    key = _key(workspace_id, customer_id=customer_id)
    insert_if_missing(session, BillingCustomer, **key, first_seen_at=now)
    return get_row(session, BillingCustomer, tuple(key.values()), lock=True)


def insert_event(session: Session, workspace_id: str, event: ParsedEvent, *, now: datetime) -> bool:
    """Store an event; return False if it is stored already."""
    columns = _key(workspace_id, **asdict(event), received_at=now)
    return insert_if_missing(session, BillingEvent, **columns)


def list_customer_events(
    session: Session, workspace_id: str, customer_id: str
) -> Sequence[ParsedEvent]:
    """Return every stored event of a customer, its subscriptions, invoices and discounts."""
    rows = select(BillingEvent).filter_by(**_key(workspace_id, customer_id=customer_id))
    return [_parsed_event(row) for row in session.scalars(rows)]


def list_coupon_events(
    session: Session, workspace_id: str, coupon_ids: Collection[str]
) -> Sequence[ParsedEvent]:
    """Return the stored events of coupons, which belong to no customer."""
    key = _key(workspace_id, customer_id=None, kind=ObjectKind.COUPON)
    rows = select(BillingEvent).filter_by(**key).where(BillingEvent.object_id.in_(coupon_ids))
    return [_parsed_event(row) for row in session.scalars(rows)]


def _parsed_event(row: BillingEvent) -> ParsedEvent:
    columns = {name: getattr(row, name) for name in EVENT_FIELDS}
    return ParsedEvent(**columns | {"kind": ObjectKind(row.kind)})


def load_subscriptions(
    session: Session, workspace_id: str, subscription_ids: Collection[str]
) -> dict[str, BillingSubscription]:
    """Return subscriptions by id, read anew."""
    rows = session.scalars(
        select(BillingSubscription)
        .filter_by(**_key(workspace_id))
        .where(BillingSubscription.subscription_id.in_(subscription_ids))
        .execution_options(populate_existing=True)
    )
    return {row.subscription_id: row for row in rows}


def mark_for_reconcile(session: Session, workspace_id: str, *, unknown: str | None) -> None:
    """Have the worker reconcile customers again.

    ``unknown``: only customers of a subscription with this problem, such as ``unknown_discount``.
    """
    statement = SQL.mark_customers_with_unknown if unknown else SQL.mark_customers
    session.execute(statement, _key(workspace_id, unknown=unknown))


def lock_unsettled(session: Session, *, limit: int) -> Sequence[BillingCustomer]:
    """Lock customers to reconcile: marked ones, and unmatched ones whose id is an external id."""
    customers = select(BillingCustomer).from_statement(SQL.lock_unsettled)
    return session.scalars(customers, {"limit": limit}).all()


def list_unmatched_objects(
    session: Session, workspace_id: str, paging: Paging
) -> RowPage[Row[Any]]:
    """Return one page of billed objects without an account or with an unknown price.

    They are ordered by kind (customers, invoices, subscriptions) and id.
    """
    kind, object_id = paging.position(str, str) or ("", "")
    values = _key(workspace_id, kind=kind, object_id=object_id, limit=paging.fetch_limit)
    rows = session.execute(SQL.unmatched, values).all()
    return paging.cut(rows, lambda row: (row.kind, row.object_id))


def upsert_invoices(
    session: Session, workspace_id: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert or replace invoices, in key order."""
    for row in sorted(rows, key=lambda each: str(each["invoice_id"])):
        key = _key(workspace_id, invoice_id=row["invoice_id"])
        insertion = insert(Invoice).values(**{**row, **key})
        session.execute(insertion.on_conflict_do_update(index_elements=[*key], set_=dict(row)))


def list_invoices(
    session: Session, workspace_id: str, account_id: str, paging: Paging
) -> RowPage[Invoice]:
    """Return one page of an account's invoices, newest first."""
    rows = select(Invoice).filter_by(workspace_id=workspace_id, account_id=account_id)
    place = (Invoice.created_at, Invoice.invoice_id)
    return fetch_page(session, rows, *place, paging=paging, descending=True)


def load_failed_payments(
    session: Session, workspace_id: str, account_ids: Collection[str], *, at: datetime | None = None
) -> Sequence[FailedPayments]:
    """Return what accounts still owe on failed payments, by account and currency.

    ``at``: as it was at that time. An invoice that was paid later was owed in full until then.
    """
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids), "at": at}
    return [FailedPayments(*row) for row in session.execute(SQL.failed_payments, values)]


def erase_account(session: Session, workspace_id: str, account_id: str) -> None:
    """Delete all billing data of an account, for an erasure.

    Its customers keep only their ids, so that their later events are refused. A customer of several
    accounts belongs to the account that it was matched to.
    """
    of_account = {"workspace_id": workspace_id, "account_id": account_id}
    session.execute(SQL.delete_events, of_account)
    for table in (BillingSubscription, Invoice, ExternalId):
        session.execute(delete(table).filter_by(**of_account))
    session.execute(SQL.erase_customers, of_account)


def erase_person(session: Session, workspace_id: str, email: str) -> None:
    """Delete name and e-mail address of customers that have this address, for an erasure."""
    values = {"workspace_id": workspace_id, "email": email.lower()}
    session.execute(SQL.erase_person_in_events, values)
    session.execute(SQL.erase_person, values)
