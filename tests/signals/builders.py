"""An account's facts, quiet in every respect: a test names only what it is about."""

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


def account(**said: Any) -> AccountFeatures:  # noqa: ANN401
    unknown = {
        field.name: None
        for field in fields(AccountFeatures)
        if field.default is MISSING and field.default_factory is MISSING
    }
    return AccountFeatures(**{**unknown, **KNOWN, **said})


STEADY = Activity(
    weeks=(40,) * WEEKS,
    users=(8,) * SPANS,
    reached=(20,) * SPANS,
    active_days=65,
    first_day=days_ago(90),
    last_day=DAY,
    uses={"export": UsePeriod(days_ago(90), DAY), "share": UsePeriod(days_ago(20), DAY)},
)


def score_inputs(features: AccountFeatures | None = None, **said: Any) -> ScoreInputs:  # noqa: ANN401
    return ScoreInputs(features or account(), **{"is_scored": True, **said})


def inputs(
    features: AccountFeatures | None = None,
    *,
    of_score: ScoreInputs | None = None,
    **said: Any,  # noqa: ANN401
) -> SignalInputs:
    known: dict[str, Any] = {"as_of": DAY, "through": DAY, "activity": STEADY} | said
    return SignalInputs(worth=of_score or score_inputs(features), **known)


def activity(**said: Any) -> Activity:  # noqa: ANN401
    return replace(STEADY, **said)


def period(
    starts_on: date, mrr_cents: int, ends_on: date | None = None, **said: Any
) -> SubscriptionPeriod:  # noqa: ANN401
    usual: dict[str, Any] = {
        "subscription_id": "main",
        "plan": "team",
        "currency": "USD",
        "seats": 10,
    }
    return SubscriptionPeriod(
        starts_on=starts_on, ends_on=ends_on, mrr_cents=mrr_cents, **(usual | said)
    )


def detected(
    known: SignalInputs, limits: SignalThresholds = DEFAULT_THRESHOLDS, *, off: Collection[str] = ()
) -> dict[str, Signal]:
    """Name to signal, of those that hold; several of one name: the first."""
    return {each.name: each for each in reversed(detect_signals(known, limits, off))}


def signals_named(
    name: str, known: SignalInputs, limits: SignalThresholds = DEFAULT_THRESHOLDS
) -> Sequence[Signal]:
    return list(SIGNALS[name](known, limits))
