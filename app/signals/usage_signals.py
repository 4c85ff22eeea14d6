"""Signals from use: silence, falls below the account's own past, and stalled adoption. Pure.

A falling number is compared with the account's own median, and has to fall further than a count of
that size varies by chance: a handful of events does not open a signal for a small account.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import sqrt
from statistics import median
from typing import NamedTuple

from app.signals.inputs import QUARTER_DAYS, SPAN_DAYS, SignalInputs
from app.signals.signal import Severity, Signals, make_signal
from app.signals.thresholds import SignalThresholds

WEEK_DAYS = 7
MIN_BASELINE_SPANS = 3
"""Weeks or spans that a baseline needs before a number is compared with it."""


def dormant(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """No use for some days (default 14), and for much longer than the account's usual gap."""
    account, active = inputs.account, inputs.activity
    last = account.last_used_on or account.first_paid_on
    if last is None:
        return
    known = account.last_used_on is not None or inputs.is_known_since(last)
    last = last if known else inputs.known_from - timedelta(days=1)
    days, gap = inputs.days_since(last), _usual_gap(active.active_days, active.first_day, last)
    passed = [limit for limit in sorted(thresholds.dormant_days) if days >= limit]
    if not passed or (gap is not None and days < thresholds.dormant_gaps * gap):
        return
    severity = Severity.MEDIUM if len(passed) == 1 else Severity.HIGH
    yield make_signal(
        "dormant",
        severity,
        last + timedelta(days=1),
        days=days,
        level_days=passed[-1],
        last_used_on=account.last_used_on,
        known_from=None if known else inputs.known_from,
        usual_gap_days=gap,
    )


def _usual_gap(active_days: int, first: date | None, last: date) -> float | None:
    """Mean days between two days of use; None with less than two days of use."""
    if first is None or active_days < 2 or last <= first:  # noqa: PLR2004 - a gap has two ends
        return None
    return (last - first).days / (active_days - 1)


def breadth_stalled(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """Few paid product features are adopted, and none was newly adopted in 60 days (default)."""
    account = inputs.account
    adopted, unused = len(account.adopted), len(inputs.score.unused)
    if not adopted or not unused or not inputs.score.is_scored:
        return
    newest = max((use.first_day for use in inputs.activity.uses.values()), default=inputs.through)
    days, share = inputs.days_since(newest), adopted / (adopted + unused)
    if days >= thresholds.breadth_days and share <= thresholds.breadth_share:
        yield make_signal(
            "breadth_stalled",
            Severity.LOW,
            newest + timedelta(days=1),
            days=days,
            adopted=adopted,
            entitled=adopted + unused,
        )


class FallLimits(NamedTuple):
    """How far a number must fall below the usual one to open a signal.

    ``least_usual``: the smallest usual number that counts. ``noise``: in standard deviations of the
    usual number, its square root. ``share``: of the usual number. ``deep_share``: the fall from
    which the severity is medium.
    """

    least_usual: float
    noise: float
    share: float
    deep_share: float


def reach_falling(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """Fewer end customers are reached than is usual for the account."""
    limits = _people_limits(thresholds)
    yield from _falling("reach_falling", inputs, inputs.activity.reached, SPAN_DAYS, limits)


def depth_falling(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """Fewer people use the product than is usual for the account."""
    limits = _people_limits(thresholds)
    yield from _falling("depth_falling", inputs, inputs.activity.users, SPAN_DAYS, limits)


def _people_limits(each: SignalThresholds) -> FallLimits:
    return FallLimits(each.fall_people, each.fall_noise, each.fall_share, each.deep_fall_share)


def usage_drop_vs_self(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The last week has far fewer events than is usual for the account."""
    limits = FallLimits(
        thresholds.drop_events, thresholds.drop_noise, thresholds.drop_share, thresholds.drop_share
    )
    yield from _falling("usage_drop_vs_self", inputs, inputs.activity.weeks, WEEK_DAYS, limits)


def _falling(
    name: str, inputs: SignalInputs, counts: Sequence[int], days: int, limits: FallLimits
) -> Signals:
    """Compare the last week or span with the median of those before it."""
    past = _past(inputs, counts, days)
    if len(past) < MIN_BASELINE_SPANS:
        return
    baseline = _baseline(past, (QUARTER_DAYS - days) // days, limits)
    usual, now = median(baseline), counts[0]
    below, exceeds_noise = (1 - limits.share) * usual, usual - now >= limits.noise * sqrt(usual)
    is_enough = usual > 0 and usual >= limits.least_usual
    if is_enough and exceeds_noise and now <= below:
        yield make_signal(
            name,
            Severity.MEDIUM if now <= (1 - limits.deep_share) * usual else Severity.LOW,
            _began(inputs, counts, days, below),
            now=now,
            usual=usual,
            fall_share=1 - now / usual,
            weeks=len(baseline) if days == WEEK_DAYS else None,
            days=None if days == WEEK_DAYS else days,
        )


def _baseline(past: Sequence[int], quarter: int, limits: FallLimits) -> Sequence[int]:
    """Return the newer quarter, or the older one if the newer is low beside it.

    The newer quarter alone would forget a number that fell six weeks ago and stayed low.
    """
    newer, older = past[:quarter], past[quarter:]
    if len(older) < MIN_BASELINE_SPANS or median(newer) > (1 - limits.share) * median(older):
        return newer
    return older


def _past(inputs: SignalInputs, counts: Sequence[int], days: int) -> Sequence[int]:
    """Return the weeks or spans before the last one, from the account's first known day on."""
    started_on = inputs.account.started_on
    known_from = None if started_on is None else max(started_on, inputs.known_from)
    whole = 0 if known_from is None else (inputs.days_since(known_from) + 1) // days
    return counts[1 : max(1, min(whole, len(counts)))]


def _began(inputs: SignalInputs, counts: Sequence[int], days: int, below: float) -> date:
    """Return the first day of the current run of weeks or spans not above ``below``."""
    run = next((n for n, count in enumerate(counts) if count > below), len(counts))
    return max(inputs.through - timedelta(days=run * days - 1), inputs.known_from)


def champion_inactive(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """The user with the role of champion, else the most active user of the quarter, is silent."""
    champion = inputs.activity.champion
    if champion is None:
        return
    if not champion.is_named and champion.event_share < thresholds.champion_event_share:
        return
    days = inputs.days_since(champion.last_day)
    gap = _usual_gap(champion.active_days, champion.first_day, champion.last_day)
    if gap is None or days < max(thresholds.champion_days, thresholds.champion_gaps * gap):
        return
    is_long = days >= 2 * max(thresholds.champion_days, thresholds.champion_gaps * gap)
    yield make_signal(
        "champion_inactive",
        Severity.HIGH if is_long else Severity.MEDIUM,
        champion.last_day + timedelta(days=1),
        user_id=champion.user_id,
        days=days,
        last_used_on=champion.last_day,
        event_share=champion.event_share,
        usual_gap_days=gap,
    )
