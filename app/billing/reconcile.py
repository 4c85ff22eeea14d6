"""Reconcile a customer: recompute from all stored events what its account pays and owes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts import queries as accounts
from app.accounts.service import ensure_exists
from app.accounts.subscription_service import AccountSubscriptions
from app.accounts.tables import Account
from app.billing import queries
from app.billing import stripe_objects as objects
from app.billing.account_matching import AccountLinks, collect_links
from app.billing.billing_events import Coupon, ObjectKind, ParsedEvent
from app.billing.tables import STRIPE, BillingCustomer, BillingSource, BillingSubscription
from app.billing.timeline import PriceMapping, Timeline, build_timeline, find_coupon_ids


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
    links = collect_links(events, source.account_key, external_account_id)
    case = _Reconciliation(session, source, customer, events, links, known_on, now)
    case.write_customer()
    subscriptions = case.write_subscriptions()
    invoices = _histories(events, ObjectKind.INVOICE)
    rows = [case.invoice_row(subscriptions, history) for history in invoices]
    queries.upsert_invoices(session, workspace_id, rows)
    customer.needs_reconcile = False


@dataclass(frozen=True, slots=True)
class _Reconciliation:
    """One customer with all its stored events."""

    session: Session
    source: BillingSource
    customer: BillingCustomer
    events: Sequence[ParsedEvent]
    links: AccountLinks
    known_on: date
    now: datetime

    @property
    def workspace_id(self) -> str:
        return self.source.workspace_id

    def write_customer(self) -> None:
        customer = self.customer
        updates = [event for event in self.events if event.kind is ObjectKind.CUSTOMER]
        if updates:
            latest = objects.parse_customer(max(updates, key=attrgetter("sort_key")).data)
            customer.name, customer.email = latest.name, latest.email
        account_id = self._current_id(self.links.for_customer())
        customer.account_id = account_id
        if account_id is None:
            return
        ensure_exists(self.session, self.workspace_id, Account, account_id)
        accounts.put_external_id(
            self.session, self.workspace_id, account_id, STRIPE, customer.customer_id
        )
        if customer.name:
            account = self._lock_account(account_id)
            account.name = account.name or customer.name

    def write_subscriptions(self) -> dict[str, BillingSubscription]:
        ids = {event.subscription_id for event in self.events if event.subscription_id}
        rows = queries.load_subscriptions(self.session, self.workspace_id, ids)
        coupons = self._load_coupons()
        price_mapping = PriceMapping(self.source.plans, self.source.seat_prices)
        for history in _histories(self.events, ObjectKind.SUBSCRIPTION):
            subscription_id = history[-1].object_id
            events = _events_of_subscription(self.events, subscription_id)
            timeline = build_timeline(events, coupons, price_mapping)
            row = rows.get(subscription_id) or self._new_subscription(subscription_id)
            rows[subscription_id] = row
            self._write_subscription(row, timeline)
        return rows

    def _load_coupons(self) -> Mapping[str, Coupon]:
        ids = find_coupon_ids(self.events)
        events = queries.list_coupon_events(self.session, self.workspace_id, ids) if ids else []
        return {
            event.object_id: objects.parse_coupon(event.data)
            for event in sorted(events, key=attrgetter("sort_key"))
        }

    def _new_subscription(self, subscription_id: str) -> BillingSubscription:
        row = BillingSubscription(
            workspace_id=self.workspace_id,
            system=STRIPE,
            subscription_id=subscription_id,
            customer_id=self.customer.customer_id,
            status="",
            first_seen_at=self.now,
        )
        self.session.add(row)
        return row

    def _write_subscription(self, row: BillingSubscription, timeline: Timeline) -> None:
        """Write the periods to the matched account; withdraw them from the one matched before."""
        matched = self.links.for_subscription(row.subscription_id)
        account_id, before = self._current_id(matched), self._current_id(row.account_id)
        if before is not None and before != account_id:
            self._subscriptions(before).replace(row.subscription_id, (), source=STRIPE)
        if account_id is not None:
            account = self._subscriptions(account_id)
            account.replace(row.subscription_id, timeline.periods, source=STRIPE)
            self._set_trial(account_id, timeline)
        row.account_id, row.unknown = account_id, timeline.unknown
        row.status = timeline.latest.status if timeline.latest else ""

    def _subscriptions(self, account_id: str) -> AccountSubscriptions:
        return AccountSubscriptions(self.session, self.workspace_id, account_id, self.known_on)

    def _set_trial(self, account_id: str, timeline: Timeline) -> None:
        """Store the trial on the account, unless it has a later one."""
        latest = timeline.latest
        if latest is None or latest.trial_started_on is None:
            return
        account = self._lock_account(account_id)
        if account.trial_started_on is None or account.trial_started_on <= latest.trial_started_on:
            account.trial_started_on = latest.trial_started_on
            account.trial_ends_on = latest.trial_ends_on

    def invoice_row(
        self, subscriptions: Mapping[str, BillingSubscription], history: Sequence[ParsedEvent]
    ) -> dict[str, Any]:
        """Return the invoice as it is now, with time and reason of the last failed payment."""
        columns = asdict(objects.parse_invoice(history[-1].data))
        del columns["charges"]
        failed = [event for event in history if event.data.get("payment_failed")]
        subscription = subscriptions.get(columns["subscription_id"] or "")
        account_id = subscription.account_id if subscription else None
        return {
            **columns,
            "customer_id": self.customer.customer_id,
            "account_id": account_id or self.customer.account_id,
            "failed_at": failed[-1].at if failed else None,
            "failure_reason": (
                objects.parse_invoice(failed[-1].data).failure_reason if failed else None
            ),
        }

    def _current_id(self, account_id: str | None) -> str | None:
        if account_id is None:
            return None
        return aliases.current_id(self.session, self.workspace_id, account_id)

    def _lock_account(self, account_id: str) -> Account:
        return accounts.get(self.session, self.workspace_id, Account, account_id, lock=True)


def _histories(events: Iterable[ParsedEvent], kind: ObjectKind) -> list[list[ParsedEvent]]:
    """Group events of a kind by object: each group by time, the groups by object id."""
    of_kind = [event for event in events if event.kind is kind]
    ordered = sorted(of_kind, key=attrgetter("object_id", "sort_key"))
    return [list(group) for _, group in groupby(ordered, key=attrgetter("object_id"))]


def _events_of_subscription(
    events: Iterable[ParsedEvent], subscription_id: str
) -> list[ParsedEvent]:
    """Return the events of one subscription, and those of the customer that affect it."""
    of_customer = {ObjectKind.CUSTOMER, ObjectKind.DISCOUNT}
    return [
        event
        for event in events
        if event.subscription_id == subscription_id
        or (event.subscription_id is None and event.kind in of_customer)
    ]
