"""Signals from what is paid: in vain, on changed terms, not at all, or not for long. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import fmean

from app.signals.inputs import SignalInputs, SubscriptionPeriod
from app.signals.signal import Severity, Signals, make_signal
from app.signals.thresholds import SignalThresholds

WINDOW_DAYS = 28
NOTICE_NEAR_DAYS = 14
STEEP_RISE_SHARE = 0.25
MIN_CUT_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """Terms of one subscription that took the place of others, in the same currency."""

    before: SubscriptionPeriod
    after: SubscriptionPeriod

    @property
    def rise(self) -> float:
        """0.25: a quarter more; from nothing to something is no rise."""
        return self.after.mrr_cents / self.before.mrr_cents - 1 if self.before.mrr_cents else 0.0

    @property
    def seat_rise(self) -> float:
        """The same of the price of a seat, where both numbers of seats are known."""
        if not self.before.seats or not self.after.seats:
            return self.rise
        return (1 + self.rise) * self.before.seats / self.after.seats - 1


def period_changes(terms: Sequence[SubscriptionPeriod]) -> Iterator[PeriodChange]:
    """Oldest first for each subscription; a gap between two periods is a new beginning."""
    ordered = sorted(terms, key=lambda each: (each.subscription_id, each.starts_on))
    for _, periods in groupby(ordered, key=lambda each: each.subscription_id):
        before: SubscriptionPeriod | None = None
        for after in periods:
            follows = before and before.ends_on in {None, after.starts_on}
            if before and follows and before.currency == after.currency:
                yield PeriodChange(before, after)
            before = after


def _recent(facts: SignalInputs, days: int) -> list[PeriodChange]:
    """Changes of the last days that still hold, the newest first."""
    since = facts.as_of - timedelta(days=days)
    found = [
        change
        for change in period_changes(facts.terms)
        if since < change.after.starts_on <= facts.as_of
        and (change.after.ends_on is None or change.after.ends_on > facts.as_of)
    ]
    return sorted(found, key=lambda change: change.after.starts_on, reverse=True)


def price_rise(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """The same plan costs more, and not because there are more seats."""
    for change in _recent(facts, limits.terms_days):
        same_plan = change.before.plan == change.after.plan
        if same_plan and min(change.rise, change.seat_rise) >= limits.price_share:
            yield make_signal(
                "price_rise",
                Severity.HIGH if change.seat_rise >= STEEP_RISE_SHARE else Severity.MEDIUM,
                change.after.starts_on,
                key=change.after.subscription_id,
                **_terms(change),
            )


def downgraded(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Less is paid than before: another plan, fewer seats, a lower price."""
    for change in _recent(facts, limits.terms_days):
        if change.rise <= -MIN_CUT_SHARE and change.after.mrr_cents:
            yield make_signal(
                "downgraded",
                Severity.MEDIUM,
                change.after.starts_on,
                key=change.after.subscription_id,
                **_terms(change),
            )


def _terms(change: PeriodChange) -> dict[str, object]:
    before, after = change.before, change.after
    return {
        "before_cents": before.mrr_cents,
        "after_cents": after.mrr_cents,
        "currency": after.currency,
        "change_share": abs(change.rise),
        "plan_before": before.plan,
        "plan": after.plan,
        "seats_before": before.seats,
        "seats": after.seats,
    }


def paid_feature_unused(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """A product feature is paid for and not used: bought for a purpose, or there all along."""
    for feature in facts.worth.unused:
        since, bought = _included(facts, feature.key)
        use = facts.activity.uses.get(feature.key)
        never = use is None or use.last_day < since
        idle_on = since if use is None or never else use.last_day + timedelta(days=1)
        days = facts.days_since(idle_on) + 1
        fresh = bought and never and facts.days_since(since) <= limits.bought_for_days
        if feature.share < limits.unused_price_share or days < (
            limits.bought_days if fresh else limits.unused_days
        ):
            continue
        yield make_signal(
            "paid_feature_unused",
            Severity.MEDIUM if fresh else Severity.LOW,
            idle_on,
            key=feature.key,
            feature=feature.key,
            days=days,
            bought_on=since if bought else None,
            last_used_on=None if use is None else use.last_day,
            price_share=feature.share,
            cents=feature.cents,
        )


def _included(facts: SignalInputs, feature: str) -> tuple[date, bool]:
    """Say since when plans include a product feature, and whether an upgrade brought it."""
    since, bought = facts.account.first_paid_on or facts.as_of, False
    for terms in sorted(facts.terms, key=lambda each: each.starts_on, reverse=True):
        if terms.starts_on > facts.as_of or terms.mrr_cents == 0:
            continue
        named = facts.plans.get(terms.plan or "", frozenset())
        if named and feature not in named:
            return since, True
        since = terms.starts_on
    return since, bought


def seats_idle(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Far fewer people use the product than seats are paid for."""
    account = facts.account
    if not account.seats or not account.pays or not facts.worth.is_scored:
        return
    idle = account.seats - account.active_users
    if idle >= limits.idle_seats and idle >= limits.idle_seats_share * account.seats:
        yield make_signal(
            "seats_idle",
            Severity.LOW,
            facts.as_of - timedelta(days=WINDOW_DAYS - 1),
            seats=account.seats,
            active=account.active_users,
            idle=idle,
            cents=facts.worth.idle_seats_cents,
        )


def low_value_per_dollar(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Among peers, little is got for the price: breadth, depth and reach taken together."""
    scores = facts.worth.scores
    if not scores or not facts.worth.is_scored:
        return
    value = fmean(scores.values())
    if value < limits.value_score:
        yield make_signal(
            "low_value_per_dollar",
            Severity.MEDIUM if value < limits.value_score / 2 else Severity.LOW,
            facts.as_of,
            value_score=round(value, 1),
            scores={name: round(score, 1) for name, score in sorted(scores.items())},
            price_cents=facts.account.price_cents,
        )


def over_limit(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """More is used than the plan allows."""
    for over in facts.worth.over_limits:
        yield make_signal(
            "over_limit",
            Severity.LOW,
            facts.as_of - timedelta(days=WINDOW_DAYS - 1),
            key=over.name,
            limit_name=over.name,
            limit=over.limit,
            used=over.used,
        )


def payment_failed(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """A bill could not be collected and is owed still."""
    for failed in facts.failed_invoices:
        yield make_signal(
            "payment_failed",
            Severity.HIGH,
            failed.failed_on,
            key=failed.currency,
            invoices=failed.invoices,
            amount_due_cents=failed.amount_due_cents,
            currency=failed.currency,
            days=(facts.as_of - failed.failed_on).days,
        )


def renewal_near(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """The last day on which notice can be given comes near, or has passed before the renewal."""
    renewal_on, notice_by = facts.account.renewal_on, facts.account.notice_on
    if renewal_on is None or not facts.account.pays:
        return
    if notice_by is None or notice_by >= renewal_on:  # the contract says nothing of it
        notice_by = renewal_on - timedelta(days=limits.notice_days)
    begins = notice_by - timedelta(days=limits.notice_ahead_days)
    if begins <= facts.as_of <= renewal_on:
        days = (notice_by - facts.as_of).days
        yield make_signal(
            "renewal_near",
            Severity.MEDIUM if 0 <= days <= NOTICE_NEAR_DAYS else Severity.LOW,
            begins,
            renewal_on=renewal_on,
            notice_by=notice_by,
            days_to_notice=days,
            mrr_cents=facts.account.mrr_cents,
        )


def churned(facts: SignalInputs, _: SignalThresholds) -> Signals:
    """Nothing is paid any more."""
    if facts.account.churned and facts.account.paid_until:
        last = max(facts.terms, key=lambda each: each.ends_on or date.min, default=None)
        yield make_signal(
            "churned",
            Severity.HIGH,
            facts.account.paid_until,
            paid_until=facts.account.paid_until,
            days=(facts.as_of - facts.account.paid_until).days,
            plan=last.plan if last else None,
            end_reason=last.end_reason if last else None,
        )
