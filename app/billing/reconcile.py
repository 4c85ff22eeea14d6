"""Reconcile a customer: recompute from all stored events what its account pays and owes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts import queries as accounts
from app.accounts.service import ensure_exists
from app.accounts.subscription_service import replace_periods
from app.accounts.subscriptions import Period
from app.accounts.tables import Account
from app.billing import queries
from app.billing import stripe_objects as objects
from app.billing.account_matching import AccountLinks, collect_links
from app.billing.billing_events import Coupon, ObjectKind, ParsedEvent
from app.billing.invoice_queries import upsert_invoices
from app.billing.tables import STRIPE, BillingCustomer, BillingSource, BillingSubscription
from app.billing.timeline import PriceMapping, Timeline, build_timeline, find_coupon_ids


@dataclass(frozen=True, slots=True)
class _Reconciliation:
    """One customer with all its stored events.

    ``external_account_id``: the account that has the customer's id as an external id.
    """

    source: BillingSource
    customer: BillingCustomer
    events: Sequence[ParsedEvent]
    links: AccountLinks
    external_account_id: str | None
    known_on: date
    now: datetime


def reconcile_customer(
    session: Session,
    source: BillingSource,
    customer: BillingCustomer,
    *,
    known_on: date,
    now: datetime,
) -> None:
    """Bring subscriptions, invoices and account in line with the events of a locked customer.

    Idempotent. Raises ``ErasedError`` if the account was erased.
    """
    workspace_id, customer_id = source.workspace_id, customer.customer_id
    events = queries.list_customer_events(session, workspace_id, customer_id)
    external_account_id = accounts.find_account_id(session, workspace_id, STRIPE, customer_id)
    links = collect_links(events, source.account_key)
    case = _Reconciliation(source, customer, events, links, external_account_id, known_on, now)
    _reconcile_customer_row(session, case)
    subscriptions = _reconcile_subscriptions(session, case)
    invoices = _group_by_object(events, ObjectKind.INVOICE)
    rows = [_invoice_row(case, subscriptions, history) for history in invoices]
    upsert_invoices(session, workspace_id, rows)
    customer.needs_reconcile = False


def _current_account(session: Session, case: _Reconciliation, account_id: str | None) -> str | None:
    if account_id is None:
        return None
    return aliases.current_id(session, case.source.workspace_id, account_id)


def _reconcile_customer_row(session: Session, case: _Reconciliation) -> None:
    customer, workspace_id = case.customer, case.source.workspace_id
    updates = [event for event in case.events if event.kind is ObjectKind.CUSTOMER]
    if updates:
        latest = objects.parse_customer(max(updates, key=lambda event: event.sort_key).data)
        customer.name, customer.email = latest.name, latest.email
    account_id = case.links.for_customer(case.external_account_id)
    customer.account_id = _current_account(session, case, account_id)
    if customer.account_id is None:
        return
    ensure_exists(session, workspace_id, Account, customer.account_id)
    accounts.put_external_id(
        session, workspace_id, customer.account_id, STRIPE, customer.customer_id
    )
    if customer.name:
        account = accounts.get(session, workspace_id, Account, customer.account_id, lock=True)
        account.name = account.name or customer.name


def _reconcile_subscriptions(
    session: Session, case: _Reconciliation
) -> dict[str, BillingSubscription]:
    source = case.source
    ids = {event.subscription_id for event in case.events if event.subscription_id}
    rows = queries.load_subscriptions(session, source.workspace_id, ids)
    coupons = _load_coupons(session, case)
    price_mapping = PriceMapping(source.plans, source.seat_prices)
    for history in _group_by_object(case.events, ObjectKind.SUBSCRIPTION):
        subscription_id = history[-1].object_id
        events = _events_of_subscription(case.events, subscription_id)
        timeline = build_timeline(events, coupons, price_mapping)
        row = rows.get(subscription_id) or _new_subscription(session, case, subscription_id)
        rows[subscription_id] = row
        _write_subscription(session, case, row, timeline)
    return rows


def _group_by_object(events: Iterable[ParsedEvent], kind: ObjectKind) -> list[list[ParsedEvent]]:
    """Group events of a kind by object: each group by time, the groups by object id."""
    groups: dict[str, list[ParsedEvent]] = {}
    for event in sorted(events, key=lambda each: each.sort_key):
        if event.kind is kind:
            groups.setdefault(event.object_id, []).append(event)
    return [groups[key] for key in sorted(groups)]


def _events_of_subscription(
    events: Iterable[ParsedEvent], subscription_id: str
) -> list[ParsedEvent]:
    """Return the events of one subscription, and those of the customer that affect it."""
    return [
        event
        for event in events
        if event.subscription_id == subscription_id
        or (
            event.subscription_id is None
            and event.kind in {ObjectKind.CUSTOMER, ObjectKind.DISCOUNT}
        )
    ]


def _load_coupons(session: Session, case: _Reconciliation) -> Mapping[str, Coupon]:
    ids = find_coupon_ids(case.events)
    events = queries.list_coupon_events(session, case.source.workspace_id, ids) if ids else []
    return {
        event.object_id: objects.parse_coupon(event.data)
        for event in sorted(events, key=lambda each: each.sort_key)
    }


def _new_subscription(
    session: Session, case: _Reconciliation, subscription_id: str
) -> BillingSubscription:
    row = BillingSubscription(
        workspace_id=case.source.workspace_id,
        system=STRIPE,
        subscription_id=subscription_id,
        customer_id=case.customer.customer_id,
        status="",
        first_seen_at=case.now,
    )
    session.add(row)
    return row


def _write_subscription(
    session: Session, case: _Reconciliation, row: BillingSubscription, timeline: Timeline
) -> None:
    """Write the periods to the matched account, and withdraw them from the account before."""
    matched = case.links.for_subscription(row.subscription_id, case.external_account_id)
    account_id = _current_account(session, case, matched)
    before = _current_account(session, case, row.account_id)
    if before is not None and before != account_id:
        _replace_periods(session, case, before, row.subscription_id, ())
    if account_id is not None:
        _replace_periods(session, case, account_id, row.subscription_id, timeline.periods)
        _set_trial(session, case, account_id, timeline)
    row.account_id, row.unknown = account_id, timeline.unknown
    row.status = timeline.latest.status if timeline.latest else ""


def _replace_periods(
    session: Session,
    case: _Reconciliation,
    account_id: str,
    subscription_id: str,
    periods: Sequence[Period],
) -> None:
    replace_periods(
        session,
        case.source.workspace_id,
        account_id,
        subscription_id,
        periods,
        source=STRIPE,
        known_on=case.known_on,
    )


def _set_trial(
    session: Session, case: _Reconciliation, account_id: str, timeline: Timeline
) -> None:
    """Store the trial on the account, unless it has a later one."""
    latest = timeline.latest
    if latest is None or latest.trial_started_on is None:
        return
    account = accounts.get(session, case.source.workspace_id, Account, account_id, lock=True)
    if account.trial_started_on is None or account.trial_started_on <= latest.trial_started_on:
        account.trial_started_on = latest.trial_started_on
        account.trial_ends_on = latest.trial_ends_on


def _invoice_row(
    case: _Reconciliation,
    subscriptions: Mapping[str, BillingSubscription],
    history: Sequence[ParsedEvent],
) -> dict[str, Any]:
    """Return the invoice as it is now, with time and reason of the last failed payment."""
    columns = asdict(objects.parse_invoice(history[-1].data))
    del columns["charged"]
    failed = [event for event in history if event.data.get("payment_failed")]
    subscription = subscriptions.get(columns["subscription_id"] or "")
    account_id = subscription.account_id if subscription else None
    return {
        **columns,
        "customer_id": case.customer.customer_id,
        "account_id": account_id or case.customer.account_id,
        "failed_at": failed[-1].at if failed else None,
        "failure_reason": (
            objects.parse_invoice(failed[-1].data).failure_reason if failed else None
        ),
    }
