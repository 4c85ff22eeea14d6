"""All signals, in the order in which they lead: causes before what only follows from them. Pure."""

from collections.abc import Callable, Collection, Mapping

from app.signals import engagement_signals as engagement
from app.signals import payment_signals as payment
from app.signals import usage_signals as usage
from app.signals.inputs import SignalInputs
from app.signals.signal import Signal, Signals
from app.signals.thresholds import SignalThresholds

Detector = Callable[[SignalInputs, SignalThresholds], Signals]

SIGNALS: Mapping[str, Detector] = {
    "churned": payment.churned,
    "payment_failed": payment.payment_failed,
    "incident_affected": engagement.incident_affected,
    "onboarding_stuck": engagement.onboarding_stuck,
    "first_value_late": engagement.first_value_late,
    "support_slow": engagement.support_slow,
    "champion_inactive": usage.champion_inactive,
    "price_rise": payment.price_rise,
    "paid_feature_unused": payment.paid_feature_unused,
    "goal_off_track": engagement.goal_off_track,
    "nps_detractor": engagement.nps_detractor,
    "csat_low": engagement.csat_low,
    "reach_falling": usage.reach_falling,
    "feedback_unanswered": engagement.feedback_unanswered,
    "ticket_surge": engagement.ticket_surge,
    "downgraded": payment.downgraded,
    "over_limit": payment.over_limit,
    "dormant": usage.dormant,
    "usage_drop_vs_self": usage.usage_drop_vs_self,
    "depth_falling": usage.depth_falling,
    "low_value_per_dollar": payment.low_value_per_dollar,
    "renewal_near": payment.renewal_near,
    "seats_idle": payment.seats_idle,
    "breadth_stalled": usage.breadth_stalled,
    "goal_missing": engagement.goal_missing,
    "request_shipped": engagement.request_shipped,
    "goal_achieved": engagement.goal_achieved,
    "milestone": engagement.milestone,
    "tier_near": engagement.tier_near,
    "referral_ready": engagement.referral_ready,
    "nps_promoter": engagement.nps_promoter,
    "nps_passive": engagement.nps_passive,
}
"""To add one: a function, a line here, words for it, a row in docs/signals.md, a test."""

POSITIONS = {name: place for place, name in enumerate(SIGNALS)}


def detect_signals(
    facts: SignalInputs, limits: SignalThresholds, off: Collection[str] = ()
) -> list[Signal]:
    """Find what holds for an account, the gravest first; who has left has only left."""
    if facts.account.excluded:
        return []
    names = ("churned",) if facts.account.churned else SIGNALS
    found = [each for name in names if name not in off for each in SIGNALS[name](facts, limits)]
    return sorted(found, key=signal_sort_key)


def signal_sort_key(found: Signal) -> tuple[int, int, float, str]:
    """Sort by severity, then causes before symptoms, then by what more money stands for."""
    weight = float(found.evidence.get("price_share", 0))
    return (-found.severity.rank, POSITIONS[found.name], -weight, found.key)
