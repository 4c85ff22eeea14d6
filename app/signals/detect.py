"""All detectors, in order of precedence: causes before their consequences. Pure."""

from collections.abc import Callable, Collection, Mapping

from app.signals import engagement_signals as engagement
from app.signals import onboarding_signals as onboarding
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
    "onboarding_stuck": onboarding.onboarding_stuck,
    "first_value_late": onboarding.first_value_late,
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
"""To add a signal: a detector, a line here, its sentences, a row in docs/signals.md, a test."""

POSITIONS = {name: position for position, name in enumerate(SIGNALS)}


def detect_signals(
    inputs: SignalInputs, thresholds: SignalThresholds, off: Collection[str] = ()
) -> list[Signal]:
    """Return the signals of an account, most severe first.

    A churned account has only the signal ``churned``, an excluded account none. ``off``: the names
    of signals that are not detected.
    """
    if inputs.account.excluded:
        return []
    names = ("churned",) if inputs.account.churned else SIGNALS
    signals = (
        signal for name in names if name not in off for signal in SIGNALS[name](inputs, thresholds)
    )
    return sorted(signals, key=signal_sort_key)


def signal_sort_key(signal: Signal) -> tuple[int, int, float, str]:
    """Order by severity, then causes before consequences, then by the larger share of the price."""
    price_share = float(signal.evidence.get("price_share", 0))
    return (-signal.severity.rank, POSITIONS[signal.name], -price_share, signal.key)
