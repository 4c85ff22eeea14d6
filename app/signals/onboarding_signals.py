"""Signals from onboarding and first value. Pure."""

from datetime import timedelta

from app.signals.inputs import SignalInputs
from app.signals.signal import Severity, Signals, make_signal
from app.signals.thresholds import SignalThresholds

HIGH_SEVERITY_FACTOR, YEAR_DAYS = 2, 365
MIN_PEERS = 5
"""The median of fewer accounts says nothing about what is usual."""


def onboarding_stuck(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """An account stays in an onboarding step longer than its target and than its peers did.

    It calls for action while the account is new, and stays a reason for its first year.
    """
    onboarding = inputs.engagement.onboarding
    step = onboarding.current if onboarding else None
    if onboarding is None or step is None or onboarding.known_from is not None:
        return
    age = (inputs.as_of - onboarding.started_on).days
    if age > max(YEAR_DAYS, thresholds.onboarding_for_days):
        return
    peers = step.peers_median_days if step.peers >= MIN_PEERS else None
    max_days = max(step.target_days or thresholds.step_days, thresholds.step_times * (peers or 0))
    days = onboarding.days_in_step
    if days > max_days:
        severity = Severity.HIGH if days > HIGH_SEVERITY_FACTOR * max_days else Severity.MEDIUM
        yield make_signal(
            "onboarding_stuck",
            severity if age <= thresholds.onboarding_for_days else Severity.LOW,
            inputs.as_of - timedelta(days=days),
            key=step.key,
            step=step.name,
            days=days,
            peers_median_days=peers,
            peers=step.peers if peers is not None else None,
            target_days=step.target_days,
            done=sum(each.done_at is not None for each in onboarding.steps),
            steps=len(onboarding.steps),
        )


def first_value_late(inputs: SignalInputs, thresholds: SignalThresholds) -> Signals:
    """Some days (default 7) after signing up, no event that means first value has happened."""
    since = inputs.signed_up_on
    if since is None or inputs.activity.key_action_on is not None:
        return
    days, began_on = inputs.days_since(since), min(since, inputs.account.started_on or since)
    is_late = thresholds.first_value_days <= days <= thresholds.first_value_for_days
    if is_late and inputs.first_value_known_from <= began_on:
        yield make_signal(
            "first_value_late",
            Severity.MEDIUM,
            since + timedelta(days=thresholds.first_value_days),
            signed_up_on=since,
            days=days,
        )
