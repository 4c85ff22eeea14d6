"""From notices in any order to the periods of a subscription: the same set, the same periods."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from app.accounts.subscriptions import Period, Terms
from app.billing import stripe_objects as objects
from app.billing.amounts import Discount, Item, monthly_price, to_cents
from app.billing.billing_events import (
    AppliedDiscount,
    Coupon,
    ObjectKind,
    ParsedEvent,
    SubscriptionState,
)

TRIALING, CANCELED = "trialing", "canceled"
RUNNING = frozenset({"active", "past_due", TRIALING})
OVER = frozenset({CANCELED, "incomplete_expired"})
CUSTOMER_DELETED = "customer_deleted"


@dataclass(frozen=True, slots=True)
class PriceMapping:
    """How a workspace wants prices read: which is which plan, and whose quantity is seats."""

    plans: Mapping[str, str]
    seat_prices: Sequence[str]


@dataclass(frozen=True, slots=True)
class Timeline:
    """``unknown``: what about the latest price could not be read, None: nothing."""

    periods: Sequence[Period]
    latest: SubscriptionState | None
    unknown: str | None


@dataclass(slots=True)
class _Replay:
    """All that has been said up to some notice."""

    naming: PriceMapping
    coupons: Mapping[str, Coupon]
    given: Mapping[str, AppliedDiscount]
    standing: SubscriptionState | None = None
    of_customer: AppliedDiscount | None = None
    charged: dict[str, Fraction] = field(default_factory=dict)
    deleted_on: date | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class _Segment:
    """From a day on, until the next stretch or an end that is known before. No terms: no pay."""

    starts_on: date
    terms: Terms | None
    ends_on: date | None = None
    renewal_on: date | None = None
    reason: str | None = None


def build_timeline(
    notices: Iterable[ParsedEvent], coupons: Mapping[str, Coupon], naming: PriceMapping
) -> Timeline:
    """Replay what was said of one subscription and its customer, in the order of its making."""
    ordered = sorted(notices, key=lambda notice: notice.place)
    discounts = (notice for notice in ordered if notice.kind is ObjectKind.DISCOUNT)
    given = {notice.object_id: objects.parse_discount(notice.said) for notice in discounts}
    known, stretches = _Replay(naming, coupons, given), list[_Segment]()
    for notice in ordered:
        _apply_event(known, notice)
        if known.standing is not None:
            day, is_news = notice.at.date(), not stretches
            for stretch in _segments(known, known.standing, day, is_news=is_news):
                stretches = [each for each in stretches if each.starts_on < stretch.starts_on]
                stretches.append(stretch)
    return Timeline(list(_periods(stretches)), known.standing, known.unknown)


def _apply_event(known: _Replay, notice: ParsedEvent) -> None:
    said = notice.said
    match notice.kind:
        case ObjectKind.SUBSCRIPTION:
            known.standing = objects.parse_subscription(said)
        case ObjectKind.CUSTOMER:
            found = objects.parse_customer(said)
            known.of_customer = found.discount
            known.deleted_on = notice.at.date() if found.deleted else known.deleted_on
        case ObjectKind.DISCOUNT if notice.subscription_id is None:
            known.of_customer = None if said.get("deleted") else objects.parse_discount(said)
        case ObjectKind.INVOICE:
            known.charged.update(objects.parse_invoice(said).charged)


def _segments(
    known: _Replay, standing: SubscriptionState, day: date, *, is_news: bool
) -> Iterable[_Segment]:
    """Tell how it goes on from a day. What is first heard of now began when it says."""
    known.unknown = None
    starts_on = min(standing.starts_on, day) if is_news else day
    if known.deleted_on is not None:
        yield _Segment(known.deleted_on, None, reason=CUSTOMER_DELETED)
    elif standing.status in OVER:
        ended_on = min(standing.ended_on or day, day)
        if is_news and standing.status == CANCELED:
            yield from _paid_segments(known, standing, starts_on, until=ended_on)
        yield _Segment(ended_on, None, reason=standing.reason)
    elif standing.status not in RUNNING:
        yield _Segment(starts_on, None, reason=standing.status)
    else:
        yield from _paid_segments(known, standing, starts_on)


def _paid_segments(
    known: _Replay, standing: SubscriptionState, starts_on: date, *, until: date | None = None
) -> Iterable[_Segment]:
    """Begin a stretch wherever a trial or a discount ends."""
    ends = {given.ends_on for given in _known_discounts(known, standing)} | {standing.trial_ends_on}
    ends_on = standing.cancels_on
    for since in sorted({starts_on, *(end for end in ends if end and end > starts_on)}):
        if until is None or since < until:
            yield _Segment(
                since,
                _terms(known, standing, since),
                ends_on,
                None if ends_on else standing.period_ends_on,
                standing.reason if ends_on else None,
            )


def _terms(known: _Replay, standing: SubscriptionState, day: date) -> Terms:
    """Work out the price of a day. A trial is worth nothing yet; neither is unclaimed money."""
    discounts = list(_discounts_on(known, standing, day))
    amount, is_complete = monthly_price(standing.items, discounts, known.charged)
    if not standing.has_all_items:
        known.unknown = "too_many_items"
    elif not is_complete:
        known.unknown = "unknown_price"
    in_trial = standing.status == TRIALING or (
        standing.trial_ends_on is not None and day < standing.trial_ends_on
    )
    pays = standing.is_collected and not in_trial
    cents = to_cents(amount, standing.currency) if pays else 0
    plan, seats = _plan_of(standing.items, known.naming), _count_seats(standing.items, known.naming)
    return Terms(plan, cents, standing.currency, seats)


def _known_discounts(known: _Replay, standing: SubscriptionState) -> Iterable[AppliedDiscount]:
    """List the discounts that are known; the customer's own counts where there is no other."""
    for each in standing.discounts:
        found = known.given.get(each) if isinstance(each, str) else each
        if found is None:
            known.unknown = "unknown_discount"
        else:
            yield found
    if not standing.discounts and known.of_customer is not None:
        yield known.of_customer


def _discounts_on(known: _Replay, standing: SubscriptionState, day: date) -> Iterable[Discount]:
    for given in _known_discounts(known, standing):
        coupon = given.coupon or known.coupons.get(given.coupon_id or "")
        if coupon is None:
            known.unknown = "unknown_discount"
        elif coupon.is_recurring and (given.ends_on is None or day < given.ends_on):
            fits = coupon.currency in {None, standing.currency}
            amount = coupon.amount if fits else Fraction(0)
            yield Discount(coupon.percent, amount, given.item_id, coupon.products)


def _plan_of(items: Sequence[Item], naming: PriceMapping) -> str | None:
    """Take the plan that the workspace has named, else of the dearest item what Stripe calls it."""
    for item in items:
        for name in item.names:
            if name in naming.plans:
                return naming.plans[name]
    dearest = max(items, key=_item_monthly_price, default=None)
    return dearest.default_plan if dearest else None


def _item_monthly_price(item: Item) -> Fraction:
    return item.price.per_month(item.price.charge(item.quantity) or Fraction(0))


def _count_seats(items: Sequence[Item], naming: PriceMapping) -> int | None:
    """Add up the quantities that count seats; with none named, those of more than one."""
    wanted = set(naming.seat_prices)
    counted = [
        item.quantity
        for item in items
        if not item.price.metered and (wanted & set(item.names) if wanted else item.quantity > 1)
    ]
    return sum(counted) if counted else None


def _periods(stretches: Sequence[_Segment]) -> Iterable[Period]:
    """Join neighbours on equal terms; what a later stretch ends, it gives its reason."""
    joined: list[_Segment] = []
    for stretch in stretches:
        before = joined[-1] if joined else None
        if before and before.terms == stretch.terms and not _ends_before(before, stretch):
            joined[-1] = replace(stretch, starts_on=before.starts_on)
        else:
            joined.append(stretch)
    for stretch, after in zip(joined, [*joined[1:], None], strict=True):
        if stretch.terms is None:
            continue
        ends_on, reason = stretch.ends_on, stretch.reason
        if after is not None and (ends_on is None or after.starts_on <= ends_on):
            ends_on = after.starts_on
            reason = (after.reason or reason) if after.terms is None else None
        if ends_on is None or ends_on > stretch.starts_on:
            yield Period(stretch.starts_on, ends_on, stretch.terms, stretch.renewal_on, reason)


def _ends_before(stretch: _Segment, later: _Segment) -> bool:
    return stretch.ends_on is not None and stretch.ends_on < later.starts_on


def find_coupon_ids(notices: Iterable[ParsedEvent]) -> set[str]:
    """Name the coupons that were told only by their ids."""
    given: list[AppliedDiscount] = []
    for notice in notices:
        match notice.kind:
            case ObjectKind.DISCOUNT:
                given.append(objects.parse_discount(notice.said))
            case ObjectKind.CUSTOMER:
                discount = objects.parse_customer(notice.said).discount
                given += [discount] if discount else []
            case ObjectKind.SUBSCRIPTION:
                discounts = objects.parse_subscription(notice.said).discounts
                given += [each for each in discounts if isinstance(each, AppliedDiscount)]
    return {each.coupon_id for each in given if each.coupon is None and each.coupon_id}
