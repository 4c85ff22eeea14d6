"""From notices in any order to the periods of a subscription: the same set, the same periods."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from app.accounts.subscriptions import Period, Terms
from app.billing import stripe_objects as objects
from app.billing.amounts import Discount, Item, monthly, to_cents
from app.billing.notices import Coupon, Given, Kind, Notice, Standing

TRIALING, CANCELED = "trialing", "canceled"
RUNNING = frozenset({"active", "past_due", TRIALING})
OVER = frozenset({CANCELED, "incomplete_expired"})
DELETED = "customer_deleted"


@dataclass(frozen=True, slots=True)
class Naming:
    """How a workspace wants prices read: which is which plan, and whose quantity is seats."""

    plans: Mapping[str, str]
    seat_prices: Sequence[str]


@dataclass(frozen=True, slots=True)
class Timeline:
    """``unknown``: what about the latest price could not be read, None: nothing."""

    periods: Sequence[Period]
    latest: Standing | None
    unknown: str | None


@dataclass(slots=True)
class _Known:
    """All that has been said up to some notice."""

    naming: Naming
    coupons: Mapping[str, Coupon]
    given: Mapping[str, Given]
    standing: Standing | None = None
    of_customer: Given | None = None
    charged: dict[str, Fraction] = field(default_factory=dict)
    deleted_on: date | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From a day on, until the next stretch or an end that is known before. No terms: no pay."""

    starts_on: date
    terms: Terms | None
    ends_on: date | None = None
    renewal_on: date | None = None
    reason: str | None = None


def timeline(notices: Iterable[Notice], coupons: Mapping[str, Coupon], naming: Naming) -> Timeline:
    """Replay what was said of one subscription and its customer, in the order of its making."""
    ordered = sorted(notices, key=lambda notice: notice.place)
    discounts = (notice for notice in ordered if notice.kind is Kind.DISCOUNT)
    given = {notice.object_id: objects.given(notice.said) for notice in discounts}
    known, stretches = _Known(naming, coupons, given), list[_Stretch]()
    for notice in ordered:
        _learn(known, notice)
        if known.standing is not None:
            day, is_news = notice.at.date(), not stretches
            for stretch in _stretches(known, known.standing, day, is_news=is_news):
                stretches = [each for each in stretches if each.starts_on < stretch.starts_on]
                stretches.append(stretch)
    return Timeline(list(_periods(stretches)), known.standing, known.unknown)


def _learn(known: _Known, notice: Notice) -> None:
    said = notice.said
    match notice.kind:
        case Kind.SUBSCRIPTION:
            known.standing = objects.standing(said)
        case Kind.CUSTOMER:
            found = objects.customer(said)
            known.of_customer = found.discount
            known.deleted_on = notice.at.date() if found.deleted else known.deleted_on
        case Kind.DISCOUNT if notice.subscription_id is None:
            known.of_customer = None if said.get("deleted") else objects.given(said)
        case Kind.INVOICE:
            known.charged.update(objects.invoice(said).charged)


def _stretches(
    known: _Known, standing: Standing, day: date, *, is_news: bool
) -> Iterable[_Stretch]:
    """Tell how it goes on from a day. What is first heard of now began when it says."""
    known.unknown = None
    starts_on = min(standing.starts_on, day) if is_news else day
    if known.deleted_on is not None:
        yield _Stretch(known.deleted_on, None, reason=DELETED)
    elif standing.status in OVER:
        ended_on = min(standing.ended_on or day, day)
        if is_news and standing.status == CANCELED:
            yield from _priced(known, standing, starts_on, until=ended_on)
        yield _Stretch(ended_on, None, reason=standing.reason)
    elif standing.status not in RUNNING:
        yield _Stretch(starts_on, None, reason=standing.status)
    else:
        yield from _priced(known, standing, starts_on)


def _priced(
    known: _Known, standing: Standing, starts_on: date, *, until: date | None = None
) -> Iterable[_Stretch]:
    """Begin a stretch wherever a trial or a discount ends."""
    ends = {given.ends_on for given in _given(known, standing)} | {standing.trial_ends_on}
    ends_on = standing.cancels_on
    for since in sorted({starts_on, *(end for end in ends if end and end > starts_on)}):
        if until is None or since < until:
            yield _Stretch(
                since,
                _terms(known, standing, since),
                ends_on,
                None if ends_on else standing.period_ends_on,
                standing.reason if ends_on else None,
            )


def _terms(known: _Known, standing: Standing, day: date) -> Terms:
    """Work out the price of a day. A trial is worth nothing yet; neither is unclaimed money."""
    discounts = list(_discounts(known, standing, day))
    amount, is_complete = monthly(standing.items, discounts, known.charged)
    if not standing.is_whole:
        known.unknown = "too_many_items"
    elif not is_complete:
        known.unknown = "unknown_price"
    in_trial = standing.status == TRIALING or (
        standing.trial_ends_on is not None and day < standing.trial_ends_on
    )
    pays = standing.collects and not in_trial
    cents = to_cents(amount, standing.currency) if pays else 0
    plan, seats = _plan(standing.items, known.naming), _seats(standing.items, known.naming)
    return Terms(plan, cents, standing.currency, seats)


def _given(known: _Known, standing: Standing) -> Iterable[Given]:
    """List the discounts that are known; the customer's own counts where there is no other."""
    for each in standing.discounts:
        found = known.given.get(each) if isinstance(each, str) else each
        if found is None:
            known.unknown = "unknown_discount"
        else:
            yield found
    if not standing.discounts and known.of_customer is not None:
        yield known.of_customer


def _discounts(known: _Known, standing: Standing, day: date) -> Iterable[Discount]:
    for given in _given(known, standing):
        coupon = given.coupon or known.coupons.get(given.coupon_id or "")
        if coupon is None:
            known.unknown = "unknown_discount"
        elif coupon.lasts and (given.ends_on is None or day < given.ends_on):
            fits = coupon.currency in {None, standing.currency}
            amount = coupon.amount if fits else Fraction(0)
            yield Discount(coupon.percent, amount, given.item_id, coupon.products)


def _plan(items: Sequence[Item], naming: Naming) -> str | None:
    """Take the plan that the workspace has named, else of the dearest item what Stripe calls it."""
    for item in items:
        for name in item.names:
            if name in naming.plans:
                return naming.plans[name]
    dearest = max(items, key=_monthly, default=None)
    return dearest.default_plan if dearest else None


def _monthly(item: Item) -> Fraction:
    return item.price.monthly(item.price.charge(item.quantity) or Fraction(0))


def _seats(items: Sequence[Item], naming: Naming) -> int | None:
    """Add up the quantities that count seats; with none named, those of more than one."""
    wanted = set(naming.seat_prices)
    counted = [
        item.quantity
        for item in items
        if not item.price.metered and (wanted & set(item.names) if wanted else item.quantity > 1)
    ]
    return sum(counted) if counted else None


def _periods(stretches: Sequence[_Stretch]) -> Iterable[Period]:
    """Join neighbours on equal terms; what a later stretch ends, it gives its reason."""
    joined: list[_Stretch] = []
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


def _ends_before(stretch: _Stretch, later: _Stretch) -> bool:
    return stretch.ends_on is not None and stretch.ends_on < later.starts_on


def coupon_ids(notices: Iterable[Notice]) -> set[str]:
    """Name the coupons that were told only by their ids."""
    given: list[Given] = []
    for notice in notices:
        match notice.kind:
            case Kind.DISCOUNT:
                given.append(objects.given(notice.said))
            case Kind.CUSTOMER:
                discount = objects.customer(notice.said).discount
                given += [discount] if discount else []
            case Kind.SUBSCRIPTION:
                discounts = objects.standing(notice.said).discounts
                given += [each for each in discounts if isinstance(each, Given)]
    return {each.coupon_id for each in given if each.coupon is None and each.coupon_id}
