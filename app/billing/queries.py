"""Read, write and lock billing sources, events, customers and subscriptions."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ARRAY, Text, cast, delete, exists, func, literal, or_, select, tuple_, update
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
from app.core.query_helpers import find_row, get_row, insert_if_missing


def find_source(session: Session, workspace_id: str) -> BillingSource | None:
    """Return the workspace's source, locked, or None."""
    return find_row(session, BillingSource, (workspace_id, STRIPE), lock=True)


def get_source(session: Session, workspace_id: str, *, lock: bool = False) -> BillingSource:
    return get_row(session, BillingSource, (workspace_id, STRIPE), lock=lock)


def find_source_by_id(session: Session, source_id: str) -> BillingSource | None:
    """Return a source by its id, which cannot be guessed and identifies the workspace."""
    return session.scalar(select(BillingSource).where(BillingSource.source_id == source_id))


def touch_source(session: Session, workspace_id: str, *, now: datetime) -> None:
    """Set ``last_event_at``, at most once a minute and only if no other transaction does."""
    free = (
        select(BillingSource.source_id)
        .filter_by(workspace_id=workspace_id, system=STRIPE)
        .where(
            or_(
                BillingSource.last_event_at.is_(None),
                func.date_trunc("minute", BillingSource.last_event_at)
                < func.date_trunc("minute", literal(now)),
            )
        )
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    session.execute(
        update(BillingSource)
        .where(BillingSource.workspace_id == workspace_id, BillingSource.source_id == free)
        .values(last_event_at=now)
    )


def lock_customer(
    session: Session, workspace_id: str, customer_id: str, *, now: datetime
) -> BillingCustomer:
    """Lock a customer until the end of the transaction; insert the row if it is missing."""
    key = {"workspace_id": workspace_id, "system": STRIPE, "customer_id": customer_id}
    insert_if_missing(session, BillingCustomer, **key, first_seen_at=now)
    return get_row(session, BillingCustomer, tuple(key.values()), lock=True)


def insert_event(session: Session, workspace_id: str, event: ParsedEvent, *, now: datetime) -> bool:
    """Store an event; return False if it is stored already."""
    return insert_if_missing(
        session,
        BillingEvent,
        workspace_id=workspace_id,
        system=STRIPE,
        event_id=event.event_id,
        kind=event.kind,
        object_id=event.object_id,
        customer_id=event.customer_id,
        subscription_id=event.subscription_id,
        at=event.at,
        rank=event.rank,
        data=event.data,
        received_at=now,
    )


def list_customer_events(
    session: Session, workspace_id: str, customer_id: str
) -> Sequence[ParsedEvent]:
    """Return every stored event of a customer, its subscriptions, invoices and discounts."""
    rows = select(BillingEvent).filter_by(
        workspace_id=workspace_id, system=STRIPE, customer_id=customer_id
    )
    return [_parsed_event(row) for row in session.scalars(rows)]


def list_coupon_events(
    session: Session, workspace_id: str, coupon_ids: Collection[str]
) -> Sequence[ParsedEvent]:
    """Return the stored events of coupons, which belong to no customer."""
    rows = (
        select(BillingEvent)
        .filter_by(
            workspace_id=workspace_id, system=STRIPE, customer_id=None, kind=ObjectKind.COUPON
        )
        .where(BillingEvent.object_id.in_(coupon_ids))
    )
    return [_parsed_event(row) for row in session.scalars(rows)]


def _parsed_event(row: BillingEvent) -> ParsedEvent:
    return ParsedEvent(
        row.event_id,
        ObjectKind(row.kind),
        row.object_id,
        row.customer_id,
        row.subscription_id,
        row.at,
        row.rank,
        row.data,
    )


def load_subscriptions(
    session: Session, workspace_id: str, subscription_ids: Collection[str]
) -> dict[str, BillingSubscription]:
    """Return subscriptions by id, read anew."""
    rows = session.scalars(
        select(BillingSubscription)
        .filter_by(workspace_id=workspace_id, system=STRIPE)
        .where(BillingSubscription.subscription_id.in_(subscription_ids))
        .execution_options(populate_existing=True)
    )
    return {row.subscription_id: row for row in rows}


def mark_for_reconcile(session: Session, workspace_id: str, *, unknown: str | None) -> None:
    """Have the worker reconcile customers again: all, or those with a given unknown."""
    customers = update(BillingCustomer).filter_by(workspace_id=workspace_id, system=STRIPE)
    if unknown is not None:
        has_unknown = exists().where(
            BillingSubscription.workspace_id == workspace_id,
            BillingSubscription.system == STRIPE,
            BillingSubscription.customer_id == BillingCustomer.customer_id,
            BillingSubscription.unknown == unknown,
        )
        customers = customers.where(has_unknown)
    session.execute(customers.values(needs_reconcile=True))


def lock_unsettled(session: Session, *, limit: int) -> Sequence[BillingCustomer]:
    """Lock customers to reconcile: marked ones, and unmatched ones that an external id names."""
    has_external_id = exists().where(
        ExternalId.workspace_id == BillingCustomer.workspace_id,
        ExternalId.system == BillingCustomer.system,
        ExternalId.external_id == BillingCustomer.customer_id,
    )
    is_connected = exists().where(
        BillingSource.workspace_id == BillingCustomer.workspace_id,
        BillingSource.system == BillingCustomer.system,
    )
    is_unmatched = BillingCustomer.account_id.is_(None) & ~BillingCustomer.erased
    rows = session.scalars(
        select(BillingCustomer)
        .where(is_connected, or_(BillingCustomer.needs_reconcile, is_unmatched & has_external_id))
        .order_by(BillingCustomer.workspace_id, BillingCustomer.system, BillingCustomer.customer_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return rows.all()


def erase_account(session: Session, workspace_id: str, account_id: str) -> None:
    """Delete all billing data of an account, for an erasure.

    Its customers keep only their ids, so that their later events are refused. A customer of several
    accounts belongs to the account that it was matched to.
    """
    of_account = {"workspace_id": workspace_id, "account_id": account_id}
    customers = select(BillingCustomer.system, BillingCustomer.customer_id).filter_by(**of_account)
    session.execute(
        delete(BillingEvent).where(
            BillingEvent.workspace_id == workspace_id,
            tuple_(BillingEvent.system, BillingEvent.customer_id).in_(customers),
        )
    )
    for table in (BillingSubscription, Invoice, ExternalId):
        session.execute(delete(table).filter_by(**of_account))
    erased = update(BillingCustomer).filter_by(**of_account)
    session.execute(erased.values(account_id=None, name=None, email=None, erased=True))


def erase_person(session: Session, workspace_id: str, email: str) -> None:
    """Delete name and e-mail address of customers that have this address, for an erasure."""
    matching = select(BillingCustomer.system, BillingCustomer.customer_id).where(
        BillingCustomer.workspace_id == workspace_id,
        func.lower(BillingCustomer.email) == email.lower(),
    )
    events = update(BillingEvent).where(
        BillingEvent.workspace_id == workspace_id,
        BillingEvent.kind == ObjectKind.CUSTOMER,
        tuple_(BillingEvent.system, BillingEvent.customer_id).in_(matching),
    )
    session.execute(
        events.values(data=BillingEvent.data.op("-")(cast(["name", "email"], ARRAY(Text))))
    )
    customers = update(BillingCustomer).where(
        BillingCustomer.workspace_id == workspace_id,
        tuple_(BillingCustomer.system, BillingCustomer.customer_id).in_(matching),
    )
    session.execute(customers.values(name=None, email=None))
