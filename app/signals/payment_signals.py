"""Signals from payment: unused paid features, changed terms, failed payments, renewals. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import fmean

from app.signals.inputs import SignalInputs, SubscriptionPeriod
from app.signals.signal import Severity, Signals, make_signal
from app.signals.thresholds import SignalThresholds

WINDOW_DAYS, YEAR_DAYS = 28, 365
NOTICE_NEAR_DAYS = 14
STEEP_RISE_SHARE = 0.25
MIN_CUT_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """A period of a subscription and the one that follows it, in the same currency."""

    before: SubscriptionPeriod
    after: SubscriptionPeriod

    @property
    def rise(self) -> float:
        """Relative rise of the price: 0.25 is a quarter more; 0 after a free period."""
        return self.after.mrr_cents / self.before.mrr_cents - 1 if self.before.mrr_cents else 0.0

    @property
    def seat_rise(self) -> float:
        """Relative rise of the price per seat; ``rise`` where a number of seats is unknown."""
        if not self.before.seats or not self.after.seats:
            return self.rise
        return (1 + self.rise) * self.before.seats / self.after.seats - 1


def period_changes(periods: Sequence[SubscriptionPeriod]) -> Iterator[PeriodChange]:
    """Yield the changes by subscription, oldest first; periods with a gap between are no change."""
    ordered = sorted(periods, key=lambda each: (each.subscription_id, each.starts_on))
    for _, group in groupby(ordered, key=lambda each: each.subscription_id):
        before: SubscriptionPeriod | None = None
        for after in group:
            follows = before and before.ends_on in {None, after.starts_on}
            if before and follows and before.currency == after.currency:
                yield PeriodChange(before, after)
            before = after


def _recent_changes(inputs: SignalInputs, days: int) -> list[PeriodChange]:
    """Return the changes of the last ``days`` that are still in force, newest first."""
    since = inputs.as_of - timedelta(days=days)
    recent = [
        change
        for change in period_changes(inputs.periods)
        if since < change.after.starts_on <= inputs.as_of
        and (change.after.ends_on is None or change.after.ends_on > inputs.as_of)
    ]
    return sorted(recent, key=lambda change: change.after.starts_on, reverse=True)


def price_rise(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The same plan costs more, not only because of more seats.

    A rise is felt until the terms change again, for a year at most; it is less severe with time.
    """
    for change in _recent_changes(inputs, YEAR_DAYS):
        same_plan = change.before.plan == change.after.plan
        if same_plan and min(change.rise, change.seat_rise) >= thresholds.price_share:
            days = (inputs.as_of - change.after.starts_on).days
            new, old = (
                (Severity.HIGH, Severity.MEDIUM)
                if change.seat_rise >= STEEP_RISE_SHARE
                else (Severity.MEDIUM, Severity.LOW)
            )
            yield make_signal(
                "price_rise",
                new if days < thresholds.terms_days else old,
                change.after.starts_on,
                key=change.after.subscription_id,
                **_evidence(change),
            )


def downgraded(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The account pays less than before: another plan, fewer seats or a lower price."""
    for change in _recent_changes(inputs, thresholds.terms_days):
        if change.rise <= -MIN_CUT_SHARE and change.after.mrr_cents:
            yield make_signal(
                "downgraded",
                Severity.MEDIUM,
                change.after.starts_on,
                key=change.after.subscription_id,
                **_evidence(change),
            )


def _evidence(change: PeriodChange) -> dict[str, object]:
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


def paid_feature_unused(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """A paid product feature is not used: 60 days by default, 10 if an upgrade just added it."""
    for feature in inputs.score.unused:
        since, bought = _included(inputs, feature.key)
        use = inputs.activity.uses.get(feature.key)
        is_unused = use is None or use.last_day < since
        idle_on = since if use is None or is_unused else use.last_day + timedelta(days=1)
        known_from = inputs.feature_known_from(feature.key)
        known = known_from <= idle_on
        idle_on = max(idle_on, known_from)
        days = inputs.days_since(idle_on) + 1
        bought_days = inputs.days_since(since)
        is_new = bought and is_unused and known and bought_days <= thresholds.bought_for_days
        if feature.share < thresholds.unused_price_share or days < (
            thresholds.bought_days if is_new else thresholds.unused_days
        ):
            continue
        yield make_signal(
            "paid_feature_unused",
            Severity.MEDIUM if is_new else Severity.LOW,
            idle_on,
            key=feature.key,
            feature=feature.key,
            days=days,
            bought_on=since if bought else None,
            last_used_on=None if use is None else use.last_day,
            known_from=None if known else known_from,
            price_share=feature.share,
            cents=feature.cents,
        )


def _included(inputs: SignalInputs, feature: str) -> tuple[date, bool]:
    """Return since when the plans include a product feature, and whether an upgrade added it."""
    since, bought = inputs.account.first_paid_on or inputs.as_of, False
    for period in sorted(inputs.periods, key=lambda each: each.starts_on, reverse=True):
        if period.starts_on > inputs.as_of or period.mrr_cents == 0:
            continue
        included = inputs.plans.get(period.plan or "", frozenset())
        if included and feature not in included:
            return since, True
        since = period.starts_on
    return since, bought


def seats_idle(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """Far fewer people use the product than there are paid seats."""
    account = inputs.account
    if not account.seats or not account.pays or not inputs.score.is_scored:
        return
    if not inputs.is_window_known:
        return
    idle = account.seats - account.active_users
    if idle >= thresholds.idle_seats and idle >= thresholds.idle_seats_share * account.seats:
        yield make_signal(
            "seats_idle",
            Severity.LOW,
            inputs.as_of - timedelta(days=WINDOW_DAYS - 1),
            seats=account.seats,
            active=account.active_users,
            idle=idle,
            cents=inputs.score.idle_seats_cents,
        )


def low_value_per_dollar(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The mean score of breadth, depth and reach for the price is low among peers."""
    scores = inputs.score.scores
    if not scores or not inputs.score.is_scored:
        return
    value = fmean(scores.values())
    if value < thresholds.value_score:
        yield make_signal(
            "low_value_per_dollar",
            Severity.MEDIUM if value < thresholds.value_score / 2 else Severity.LOW,
            inputs.as_of,
            value_score=round(value, 1),
            scores={name: round(score, 1) for name, score in sorted(scores.items())},
            price_cents=inputs.account.price_cents,
        )


def over_limit(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """The account uses more than its plan allows."""
    for over in inputs.score.over_limits:
        yield make_signal(
            "over_limit",
            Severity.LOW,
            max(inputs.as_of - timedelta(days=WINDOW_DAYS - 1), inputs.first_known_day),
            key=over.name,
            limit_name=over.name,
            limit=over.limit,
            used=over.used,
        )


def payment_failed(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """An invoice could not be collected and is still unpaid."""
    for failed in inputs.failed_invoices:
        yield make_signal(
            "payment_failed",
            Severity.HIGH,
            failed.failed_on,
            key=failed.currency,
            invoices=failed.invoices,
            amount_due_cents=failed.amount_due_cents,
            currency=failed.currency,
            days=(inputs.as_of - failed.failed_on).days,
        )


def renewal_near(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The last day to give notice is near, or it has passed and the renewal is still ahead."""
    renewal_on, notice_by = inputs.account.renewal_on, inputs.account.notice_on
    if renewal_on is None or notice_by is None or not inputs.account.pays:
        return
    starts_on = notice_by - timedelta(days=thresholds.notice_ahead_days)
    if starts_on <= inputs.as_of <= renewal_on:
        days = (notice_by - inputs.as_of).days
        yield make_signal(
            "renewal_near",
            Severity.MEDIUM if 0 <= days <= NOTICE_NEAR_DAYS else Severity.LOW,
            starts_on,
            renewal_on=renewal_on,
            notice_by=notice_by,
            days_to_notice=days,
            mrr_cents=inputs.account.mrr_cents,
        )


def churned(inputs: SignalInputs, _: SignalThresholds) -> Signals:
    """The account no longer pays."""
    if inputs.account.churned and inputs.account.paid_until:
        last = max(inputs.periods, key=lambda each: each.ends_on or date.min, default=None)
        yield make_signal(
            "churned",
            Severity.HIGH,
            inputs.account.paid_until,
            paid_until=inputs.account.paid_until,
            days=(inputs.as_of - inputs.account.paid_until).days,
            plan=last.plan if last else None,
            end_reason=last.end_reason if last else None,
        )
