"""Replay the events of a subscription into its periods; the order of delivery does not matter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from app.accounts.subscriptions import UNKNOWN_BILLING, Billing, Period, Terms
from app.billing import stripe_objects as objects
from app.billing.amounts import (
    Item,
    billing_months,
    find_most_expensive,
    monthly_price,
    to_cents,
)
from app.billing.billing_events import (
    AppliedDiscount,
    Coupon,
    ObjectKind,
    ParsedEvent,
    SubscriptionState,
)
from app.billing.charges import LastCharges, net_share
from app.billing.discounts import DiscountHistory

TRIALING, CANCELED = "trialing", "canceled"
RUNNING = frozenset({"active", "past_due", TRIALING})
OVER = frozenset({CANCELED, "incomplete_expired"})
CUSTOMER_DELETED = "customer_deleted"


@dataclass(frozen=True, slots=True)
class PriceMapping:
    """A workspace's mapping of prices: the plan of each, and which quantities are seats."""

    plans: Mapping[str, str]
    seat_prices: Sequence[str]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The periods of a subscription. ``unknown``: why the latest price is unknown, else None."""

    periods: Sequence[Period]
    latest: SubscriptionState | None
    unknown: str | None


@dataclass(slots=True)
class _Replay:
    """The state after the events replayed so far."""

    price_mapping: PriceMapping
    coupons: Mapping[str, Coupon]
    discounts: Mapping[str, AppliedDiscount]
    subscription: SubscriptionState | None = None
    customer_discount: AppliedDiscount | None = None
    is_tax_exempt: bool = False
    discount_history: DiscountHistory = field(default_factory=DiscountHistory)
    last_charges: LastCharges = field(default_factory=LastCharges)
    deleted_on: date | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class _Segment:
    """Terms from a day until the next segment, or until ``ends_on``. No terms: not paid."""

    starts_on: date
    terms: Terms | None
    ends_on: date | None = None
    renewal_on: date | None = None
    reason: str | None = None
    billing: Billing = UNKNOWN_BILLING


def build_timeline(
    events: Iterable[ParsedEvent], coupons: Mapping[str, Coupon], price_mapping: PriceMapping
) -> Timeline:
    """Replay the events of one subscription and its customer by time.

    The same set of events gives the same timeline, in whatever order it is passed.
    """
    ordered = sorted(events, key=lambda event: event.sort_key)
    discounts = {
        event.object_id: objects.parse_discount(event.data)
        for event in ordered
        if event.kind is ObjectKind.DISCOUNT
    }
    replay, segments = _Replay(price_mapping, coupons, discounts), list[_Segment]()
    for event in ordered:
        _apply_event(replay, event)
        if replay.subscription is not None:
            day, is_first = event.at.date(), not segments
            for segment in _segments(replay, replay.subscription, day, is_first=is_first):
                before = [each for each in segments if each.starts_on < segment.starts_on]
                segments = [*before, segment]
    return Timeline(list(_periods(segments)), replay.subscription, replay.unknown)


def _apply_event(replay: _Replay, event: ParsedEvent) -> None:
    data = event.data
    match event.kind:
        case ObjectKind.SUBSCRIPTION:
            _set_subscription(replay, objects.parse_subscription(data), event.at)
        case ObjectKind.CUSTOMER:
            customer = objects.parse_customer(data)
            replay.customer_discount = customer.discount
            replay.is_tax_exempt = customer.is_tax_exempt
            replay.deleted_on = event.at.date() if customer.deleted else replay.deleted_on
        case ObjectKind.DISCOUNT if event.subscription_id is None:
            discount = None if data.get("deleted") else objects.parse_discount(data)
            replay.customer_discount = discount
        case ObjectKind.INVOICE:
            invoice = objects.parse_invoice(data)
            replay.last_charges.add_invoice(invoice.charges, created_at=invoice.created_at)


def _set_subscription(replay: _Replay, subscription: SubscriptionState, at: datetime) -> None:
    if replay.subscription is not None:
        replay.last_charges.update_items(replay.subscription.items, subscription.items, at=at)
    replay.subscription = subscription


def _segments(
    replay: _Replay, subscription: SubscriptionState, day: date, *, is_first: bool
) -> Iterable[_Segment]:
    """Return the segments from a day on. The first one starts with the subscription itself."""
    replay.unknown = None
    replay.discount_history.update(_known_discounts(replay, subscription), day)
    starts_on = min(subscription.starts_on, day) if is_first else day
    if replay.deleted_on is not None:
        yield _Segment(replay.deleted_on, None, reason=CUSTOMER_DELETED)
    elif subscription.status in OVER:
        ended_on = min(subscription.ended_on or day, day)
        if is_first and subscription.status == CANCELED:
            yield from _paid_segments(replay, subscription, starts_on, until=ended_on)
        yield _Segment(ended_on, None, reason=subscription.reason)
    elif subscription.status not in RUNNING:
        yield _Segment(starts_on, None, reason=subscription.status)
    else:
        yield from _paid_segments(replay, subscription, starts_on)


def _paid_segments(
    replay: _Replay, subscription: SubscriptionState, starts_on: date, *, until: date | None = None
) -> Iterable[_Segment]:
    """Start a segment on the first day, and where a trial ends or discounts begin or end."""
    changes = {subscription.trial_ends_on, *replay.discount_history.changes(subscription.items)}
    ends_on = subscription.cancels_on
    for since in sorted({starts_on, *(day for day in changes if day and day > starts_on)}):
        if until is None or since < until:
            terms, discount_share = _terms(replay, subscription, since)
            yield _Segment(
                since,
                terms,
                ends_on,
                None if ends_on else subscription.period_ends_on,
                subscription.reason if ends_on else None,
                Billing(
                    billing_months(subscription.items),
                    auto_renews=ends_on is None,
                    discount_share=discount_share,
                ),
            )


def _terms(
    replay: _Replay, subscription: SubscriptionState, day: date
) -> tuple[Terms, float | None]:
    """Compute the terms of a day, and the share of the list price that discounts take off.

    The price is 0 in a trial, if invoices are not collected, or if a part of it is unknown.
    """
    items = [_priced_item(replay, item).on_day(day) for item in subscription.items]
    terms = replay.discount_history.terms(replay.coupons, subscription.currency)
    if terms.some_unknown:
        replay.unknown = "unknown_discount"
    charged = replay.last_charges.amounts(items)
    amount, is_known = monthly_price(items, terms.discounts, charged)
    if not subscription.has_all_items:
        replay.unknown, is_known = "too_many_items", False
    elif not is_known:
        replay.unknown = "unknown_price"
    in_trial = subscription.status == TRIALING or (
        subscription.trial_ends_on is not None and day < subscription.trial_ends_on
    )
    pays = subscription.is_collected and not in_trial and is_known
    cents = to_cents(amount, subscription.currency) if pays else 0
    plan = _plan_of(subscription.items, replay.price_mapping)
    seats = _count_seats(subscription.items, replay.price_mapping)
    listed, _ = monthly_price(items, (), charged)
    share = float(1 - amount / listed) if listed and replay.unknown is None else None
    return Terms(plan, cents, subscription.currency, seats), share


def _priced_item(replay: _Replay, item: Item) -> Item:
    charge = replay.last_charges.find(item)
    share = net_share(item, charge, is_tax_exempt=replay.is_tax_exempt)
    return replace(item, net_share=share)


def _known_discounts(replay: _Replay, subscription: SubscriptionState) -> Iterable[AppliedDiscount]:
    """Return the subscription's discounts that are known; without any, the customer's own."""
    for each in subscription.discounts:
        discount = each if isinstance(each, AppliedDiscount) else _find_discount(replay, each)
        if discount is None:
            replay.unknown = "unknown_discount"
        else:
            yield discount
    if not subscription.discounts and replay.customer_discount is not None:
        yield replay.customer_discount


def _find_discount(replay: _Replay, discount_id: str) -> AppliedDiscount | None:
    """Return a discount that an event names only by its id."""
    return replay.discounts.get(discount_id) or replay.discount_history.find(discount_id)


def _plan_of(items: Sequence[Item], price_mapping: PriceMapping) -> str | None:
    """Return the mapped plan, else Stripe's name for the most expensive item."""
    names = [name for item in items for name in item.names if name in price_mapping.plans]
    if names:
        return price_mapping.plans[names[0]]
    most_expensive = find_most_expensive(items)
    return most_expensive.default_plan if most_expensive else None


def _count_seats(items: Sequence[Item], price_mapping: PriceMapping) -> int | None:
    """Add up the quantities of seat prices; without seat prices, all quantities above one."""
    seat_prices = set(price_mapping.seat_prices)
    counted = [
        item.quantity
        for item in items
        if not item.price.metered
        and (seat_prices & set(item.names) if seat_prices else item.quantity > 1)
    ]
    return sum(counted) if counted else None


def _periods(segments: Sequence[_Segment]) -> Iterable[Period]:
    """Join neighbours with equal terms. An ended period takes the reason of the next segment."""
    joined: list[_Segment] = []
    for segment in segments:
        before = joined[-1] if joined else None
        has_gap = before and before.ends_on and before.ends_on < segment.starts_on
        if before and before.terms == segment.terms and not has_gap:
            joined[-1] = replace(segment, starts_on=before.starts_on)
        else:
            joined.append(segment)
    for segment, after in zip(joined, [*joined[1:], None], strict=True):
        if segment.terms is None:
            continue
        ends_on, reason = segment.ends_on, segment.reason
        if after is not None and (ends_on is None or after.starts_on <= ends_on):
            ends_on = after.starts_on
            reason = (after.reason or reason) if after.terms is None else None
        if ends_on is None or ends_on > segment.starts_on:
            yield Period(
                segment.starts_on,
                ends_on,
                segment.terms,
                segment.renewal_on,
                reason,
                billing=segment.billing,
            )


def find_coupon_ids(events: Iterable[ParsedEvent]) -> set[str]:
    """Return the ids of coupons that events name without their terms."""
    discounts: list[AppliedDiscount | str | None] = []
    for event in events:
        match event.kind:
            case ObjectKind.DISCOUNT:
                discounts.append(objects.parse_discount(event.data))
            case ObjectKind.CUSTOMER:
                discounts.append(objects.parse_customer(event.data).discount)
            case ObjectKind.SUBSCRIPTION:
                discounts += objects.parse_subscription(event.data).discounts
    applied = [each for each in discounts if isinstance(each, AppliedDiscount)]
    return {each.coupon_id for each in applied if each.coupon is None and each.coupon_id}
