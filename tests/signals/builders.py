"""The inputs of an account without any signal: a test changes only what it is about."""

from collections.abc import Collection, Sequence
from dataclasses import MISSING, fields, replace
from datetime import date, timedelta
from typing import Any

from app.features.values import AccountFeatures
from app.signals.detect import SIGNALS, detect_signals
from app.signals.inputs import (
    SPANS,
    WEEKS,
    Activity,
    ScoreInputs,
    SignalInputs,
    SubscriptionPeriod,
    UsePeriod,
)
from app.signals.signal import Signal
from app.signals.thresholds import DEFAULT_THRESHOLDS, SignalThresholds

DAY = date(2026, 3, 18)
LONG_AGO = date(2025, 1, 1)


def days_ago(days: int) -> date:
    return DAY - timedelta(days=days)


KNOWN: dict[str, Any] = {
    "account_id": "a1",
    "excluded": False,
    "feature_exceptions": {},
    "adopted": ("export", "share"),
    "adopted_before": ("export", "share"),
    "active_users": 8,
    "active_users_before": 8,
    "reached": 20,
    "reached_before": 20,
    "last_used_on": DAY,
    "first_used_on": LONG_AGO,
    "first_paid_on": LONG_AGO,
    "pays": True,
    "no_rate": False,
    "price_cents": 500_00.0,
    "mrr_cents": 500_00,
    "currency": "USD",
    "seats": 10,
    "plan": "team",
}


def account(**values: Any) -> AccountFeatures:  # noqa: ANN401
    unknown = {
        field.name: None
        for field in fields(AccountFeatures)
        if field.default is MISSING and field.default_factory is MISSING
    }
    return AccountFeatures(**{**unknown, **KNOWN, **values})


STEADY = Activity(
    weeks=(40,) * WEEKS,
    users=(8,) * SPANS,
    reached=(20,) * SPANS,
    active_days=65,
    first_day=days_ago(90),
    last_day=DAY,
    uses={"export": UsePeriod(days_ago(90), DAY), "share": UsePeriod(days_ago(20), DAY)},
)


def score_inputs(features: AccountFeatures | None = None, **values: Any) -> ScoreInputs:  # noqa: ANN401
    return ScoreInputs(features or account(), **{"is_scored": True, **values})


def inputs(
    features: AccountFeatures | None = None,
    *,
    score: ScoreInputs | None = None,
    **values: Any,  # noqa: ANN401
) -> SignalInputs:
    known: dict[str, Any] = {"as_of": DAY, "through": DAY, "activity": STEADY} | values
    return SignalInputs(score=score or score_inputs(features), **known)


def activity(**values: Any) -> Activity:  # noqa: ANN401
    return replace(STEADY, **values)


def period(
    starts_on: date,
    mrr_cents: int,
    ends_on: date | None = None,
    **values: Any,  # noqa: ANN401
) -> SubscriptionPeriod:
    defaults: dict[str, Any] = {
        "subscription_id": "main",
        "plan": "team",
        "currency": "USD",
        "seats": 10,
    }
    return SubscriptionPeriod(
        starts_on=starts_on, ends_on=ends_on, mrr_cents=mrr_cents, **(defaults | values)
    )


def detected(
    known: SignalInputs,
    thresholds: SignalThresholds = DEFAULT_THRESHOLDS,
    *,
    off: Collection[str] = (),
) -> dict[str, Signal]:
    """Return the detected signals by name; of several with one name, the first."""
    return {each.name: each for each in reversed(detect_signals(known, thresholds, off))}


def signals_named(
    name: str, known: SignalInputs, thresholds: SignalThresholds = DEFAULT_THRESHOLDS
) -> Sequence[Signal]:
    return list(SIGNALS[name](known, thresholds))
