"""Work out anew, of all that was told, what a customer's account pays and owes."""

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
    """One customer, and all that was told of it."""

    source: BillingSource
    customer: BillingCustomer
    notices: Sequence[ParsedEvent]
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
    """Bring subscriptions, invoices and account in line with what was told of a locked customer.

    Doing it twice changes nothing. Raises ``ErasedError`` where the account was erased.
    """
    workspace_id = source.workspace_id
    notices = queries.list_customer_events(session, workspace_id, customer.customer_id)
    elsewhere = accounts.find_account_id(session, workspace_id, STRIPE, customer.customer_id)
    named = collect_links(notices, source.account_key)
    case = _Reconciliation(source, customer, notices, named, elsewhere, known_on, now)
    _reconcile_customer_row(session, case)
    subscribed = _reconcile_subscriptions(session, case)
    rows = [
        _invoice_row(case, subscribed, history)
        for history in _group_by_object(notices, ObjectKind.INVOICE)
    ]
    upsert_invoices(session, workspace_id, rows)
    customer.unsettled = False


def _current_account(session: Session, case: _Reconciliation, account_id: str | None) -> str | None:
    if account_id is None:
        return None
    return aliases.current_id(session, case.source.workspace_id, account_id)


def _reconcile_customer_row(session: Session, case: _Reconciliation) -> None:
    customer, workspace_id = case.customer, case.source.workspace_id
    told = [notice for notice in case.notices if notice.kind is ObjectKind.CUSTOMER]
    if told:
        latest = objects.parse_customer(max(told, key=lambda notice: notice.place).said)
        customer.name, customer.email = latest.name, latest.email
    customer.account_id = _current_account(
        session, case, case.links.of_customer(case.external_account_id)
    )
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
    named = {notice.subscription_id for notice in case.notices if notice.subscription_id}
    known = queries.load_subscriptions(session, source.workspace_id, named)
    coupons = _load_coupons(session, case)
    naming = PriceMapping(source.plans, source.seat_prices)
    for history in _group_by_object(case.notices, ObjectKind.SUBSCRIPTION):
        subscription_id = history[-1].object_id
        found = build_timeline(
            _events_of_subscription(case.notices, subscription_id), coupons, naming
        )
        row = known.get(subscription_id) or _new_subscription(session, case, subscription_id)
        known[subscription_id] = row
        _write_subscription(session, case, row, found)
    return known


def _group_by_object(
    notices: Iterable[ParsedEvent], kind: ObjectKind
) -> Iterable[list[ParsedEvent]]:
    """Group notices by object, each in the order of its making, objects in the order of ids."""
    found: dict[str, list[ParsedEvent]] = {}
    for notice in sorted(notices, key=lambda each: each.place):
        if notice.kind is kind:
            found.setdefault(notice.object_id, []).append(notice)
    return [found[key] for key in sorted(found)]


def _events_of_subscription(
    notices: Iterable[ParsedEvent], subscription_id: str
) -> list[ParsedEvent]:
    """Take what bears on one subscription: its own, and what holds for all of the customer's."""
    return [
        notice
        for notice in notices
        if notice.subscription_id == subscription_id
        or (
            notice.subscription_id is None
            and notice.kind in {ObjectKind.CUSTOMER, ObjectKind.DISCOUNT}
        )
    ]


def _load_coupons(session: Session, case: _Reconciliation) -> Mapping[str, Coupon]:
    wanted = find_coupon_ids(case.notices)
    told = queries.list_coupon_events(session, case.source.workspace_id, wanted) if wanted else []
    return {
        notice.object_id: objects.parse_coupon(notice.said)
        for notice in sorted(told, key=lambda each: each.place)
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
    session: Session, case: _Reconciliation, row: BillingSubscription, found: Timeline
) -> None:
    """Write periods to the account whose they are, and take them from whom they were before."""
    said = case.links.for_subscription(row.subscription_id, case.external_account_id)
    account_id, before = (
        _current_account(session, case, said),
        _current_account(session, case, row.account_id),
    )
    if before is not None and before != account_id:
        _replace_periods(session, case, before, row.subscription_id, ())
    if account_id is not None:
        _replace_periods(session, case, account_id, row.subscription_id, found.periods)
        _set_trial(session, case, account_id, found)
    row.account_id, row.unknown = account_id, found.unknown
    row.status = found.latest.status if found.latest else ""


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


def _set_trial(session: Session, case: _Reconciliation, account_id: str, found: Timeline) -> None:
    """Let the account show its latest trial."""
    latest = found.latest
    if latest is None or latest.trial_started_on is None:
        return
    account = accounts.get(session, case.source.workspace_id, Account, account_id, lock=True)
    if account.trial_started_on is None or account.trial_started_on <= latest.trial_started_on:
        account.trial_started_on = latest.trial_started_on
        account.trial_ends_on = latest.trial_ends_on


def _invoice_row(
    case: _Reconciliation,
    subscribed: Mapping[str, BillingSubscription],
    history: Sequence[ParsedEvent],
) -> dict[str, Any]:
    """Tell an invoice as it is now; why it failed is known from the last try that did."""
    now = asdict(objects.parse_invoice(history[-1].said))
    del now["charged"]
    failed = [notice for notice in history if notice.said.get("payment_failed")]
    owner = subscribed.get(now["subscription_id"] or "")
    return {
        **now,
        "customer_id": case.customer.customer_id,
        "account_id": (owner.account_id if owner else None) or case.customer.account_id,
        "failed_at": failed[-1].at if failed else None,
        "failure_reason": objects.parse_invoice(failed[-1].said).failure_reason if failed else None,
    }
