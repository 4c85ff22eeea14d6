"""Signals from use: silence, falls against an account's own past, and what no longer grows. Pure.

What falls is held against the account's own median, and has to fall further than chance would take
a count of that size: small accounts are not alarmed over a handful of events.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import sqrt
from statistics import median

from app.signals.inputs import SPAN_DAYS, SignalInputs
from app.signals.signal import Severity, Signals, make_signal
from app.signals.thresholds import SignalThresholds

MIN_BASELINE_SPANS = 3
"""Spans that a baseline needs, before anything is held against it."""


def dormant(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Nobody has used the product for long, and for much longer than is usual here."""
    account, active = facts.account, facts.activity
    last = account.last_used_on or account.first_paid_on
    if last is None:
        return
    days, gap = facts.days_since(last), _usual_gap(active.active_days, active.first_day, last)
    passed = [limit for limit in sorted(limits.dormant_days) if days >= limit]
    if not passed or (gap is not None and days < limits.dormant_gaps * gap):
        return
    severity = Severity.MEDIUM if len(passed) == 1 else Severity.HIGH
    yield make_signal(
        "dormant",
        severity,
        last + timedelta(days=1),
        days=days,
        level_days=passed[-1],
        last_used_on=account.last_used_on,
        usual_gap_days=gap,
    )


def _usual_gap(active_days: int, first: date | None, last: date) -> float | None:
    """Days from one day of use to the next, on average; None where there is no rhythm yet."""
    if first is None or active_days < 2 or last <= first:  # noqa: PLR2004 - a gap has two ends
        return None
    return (last - first).days / (active_days - 1)


def breadth_stalled(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Much of what is paid for is not adopted, and nothing new was taken up for a long time."""
    account = facts.account
    adopted, unused = len(account.adopted), len(facts.worth.unused)
    if not adopted or not unused or not facts.worth.is_scored:
        return
    newest = max((use.first_day for use in facts.activity.uses.values()), default=facts.through)
    days, share = facts.days_since(newest), adopted / (adopted + unused)
    if days >= limits.breadth_days and share <= limits.breadth_share:
        yield make_signal(
            "breadth_stalled",
            Severity.LOW,
            newest + timedelta(days=1),
            days=days,
            adopted=adopted,
            entitled=adopted + unused,
        )


def reach_falling(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Fewer end customers are reached than is usual here."""
    yield from _falling("reach_falling", facts, facts.activity.reached, limits)


def depth_falling(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Fewer people use the product than is usual here."""
    yield from _falling("depth_falling", facts, facts.activity.users, limits)


def _falling(
    name: str, facts: SignalInputs, spans: Sequence[int], limits: SignalThresholds
) -> Signals:
    past = _past(facts, spans, SPAN_DAYS)
    if len(past) < MIN_BASELINE_SPANS:
        return
    usual, now = median(past), spans[0]
    enough = usual >= limits.fall_people and _is_no_chance(now, usual, limits.fall_noise)
    if enough and now <= (1 - limits.fall_share) * usual:
        deep = now <= (1 - limits.deep_fall_share) * usual
        yield make_signal(
            name,
            Severity.MEDIUM if deep else Severity.LOW,
            _began(facts, spans, SPAN_DAYS, (1 - limits.fall_share) * usual),
            now=now,
            usual=usual,
            fall_share=1 - now / usual,
            days=SPAN_DAYS,
        )


def usage_drop_vs_self(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """The last week holds far fewer events than the median of the 12 before: same weekdays."""
    weeks = facts.activity.weeks
    past = _past(facts, weeks, 7)
    if len(past) < MIN_BASELINE_SPANS:
        return
    usual, now = median(past), weeks[0]
    enough = usual >= limits.drop_events and _is_no_chance(now, usual, limits.drop_noise)
    if enough and now <= (1 - limits.drop_share) * usual:
        yield make_signal(
            "usage_drop_vs_self",
            Severity.MEDIUM,
            _began(facts, weeks, 7, (1 - limits.drop_share) * usual),
            now=now,
            usual=usual,
            fall_share=1 - now / usual,
            weeks=len(past),
        )


def _past(facts: SignalInputs, counts: Sequence[int], days: int) -> Sequence[int]:
    """Leave out what lies before the account's first day."""
    started_on = facts.account.started_on
    lived = 0 if started_on is None else (facts.days_since(started_on) + 1) // days
    return counts[1 : max(1, min(lived, len(counts)))]


def _is_no_chance(now: int, usual: float, noise: float) -> bool:
    """Whether a count lies so many of its own standard deviations below what is usual."""
    return usual - now >= noise * sqrt(usual)


def _began(facts: SignalInputs, counts: Sequence[int], days: int, below: float) -> date:
    """Return the first day of the run of spans, up to now, that lie below."""
    run = next((n for n, count in enumerate(counts) if count > below), len(counts))
    return facts.through - timedelta(days=run * days - 1)


def champion_inactive(facts: SignalInputs, limits: SignalThresholds) -> Signals:
    """Who was named champion, else the most active user of the last quarter, is silent."""
    champion = facts.activity.champion
    if champion is None:
        return
    if not champion.is_named and champion.event_share < limits.champion_event_share:
        return
    days = facts.days_since(champion.last_day)
    gap = _usual_gap(champion.active_days, champion.first_day, champion.last_day)
    if gap is None or days < max(limits.champion_days, limits.champion_gaps * gap):
        return
    longer = days >= 2 * max(limits.champion_days, limits.champion_gaps * gap)
    yield make_signal(
        "champion_inactive",
        Severity.HIGH if longer else Severity.MEDIUM,
        champion.last_day + timedelta(days=1),
        user_id=champion.user_id,
        days=days,
        last_used_on=champion.last_day,
        event_share=champion.event_share,
        usual_gap_days=gap,
    )
