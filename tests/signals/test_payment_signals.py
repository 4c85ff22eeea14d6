from typing import Any

import pytest

from app.signals.inputs import (
    FailedInvoices,
    OverLimit,
    SubscriptionPeriod,
    UnusedPaidFeature,
    UsePeriod,
)
from app.signals.signal import Severity
from tests.signals.builders import (
    LONG_AGO,
    account,
    activity,
    days_ago,
    detected,
    inputs,
    period,
    score_inputs,
    signals_named,
)

PLANS = {"team": frozenset({"export"}), "scale": frozenset({"export", "chat"})}


def price_change_to(cents: int, **values: Any) -> list[SubscriptionPeriod]:  # noqa: ANN401
    return [period(LONG_AGO, 500_00, days_ago(10)), period(days_ago(10), cents, **values)]


@pytest.mark.parametrize(
    ("cents", "severity"),
    [(525_00, None), (540_00, "medium"), (620_00, "medium"), (625_00, "high"), (400_00, None)],
)
def test_the_same_plan_at_a_higher_price_is_a_rise(cents: int, severity: str | None) -> None:
    signals = signals_named("price_rise", inputs(periods=price_change_to(cents)))

    assert [each.severity.value for each in signals] == ([severity] if severity else [])


def test_the_evidence_of_a_rise_has_both_prices() -> None:
    [signal] = signals_named("price_rise", inputs(periods=price_change_to(600_00)))

    assert signal.since == days_ago(10)
    assert signal.evidence["before_cents"] == 500_00
    assert signal.evidence["after_cents"] == 600_00
    assert signal.evidence["change_share"] == 0.2


def test_more_seats_or_another_plan_are_not_a_rise() -> None:
    assert not signals_named("price_rise", inputs(periods=price_change_to(600_00, seats=12)))
    assert not signals_named("price_rise", inputs(periods=price_change_to(900_00, plan="scale")))
    assert signals_named("price_rise", inputs(periods=price_change_to(900_00, seats=12)))


def test_another_currency_or_a_gap_is_not_a_rise() -> None:
    gap = [period(LONG_AGO, 500_00, days_ago(40)), period(days_ago(10), 900_00)]

    assert not signals_named("price_rise", inputs(periods=price_change_to(900_00, currency="EUR")))
    assert not signals_named("price_rise", inputs(periods=gap))


@pytest.mark.parametrize(
    ("cents", "days", "severity"),
    [
        (700_00, 89, "high"),
        (700_00, 90, "medium"),
        (600_00, 89, "medium"),
        (600_00, 90, "low"),
        (700_00, 364, "medium"),
        (700_00, 365, None),
    ],
)
def test_a_rise_is_a_signal_for_a_year_and_less_severe_after_ninety_days(
    cents: int, days: int, severity: str | None
) -> None:
    periods = [period(LONG_AGO, 500_00, days_ago(days)), period(days_ago(days), cents)]

    signals = signals_named("price_rise", inputs(periods=periods))

    assert [each.severity.value for each in signals] == ([severity] if severity else [])


def test_a_rise_ends_with_the_next_terms() -> None:
    """A renewal at the higher price accepts it."""
    renewed = [
        period(LONG_AGO, 500_00, days_ago(200)),
        period(days_ago(200), 700_00, days_ago(20)),
        period(days_ago(20), 700_00),
    ]

    assert not signals_named("price_rise", inputs(periods=renewed))


def test_a_price_that_falls_by_fifteen_per_cent_is_a_downgrade() -> None:
    [signal] = signals_named("downgraded", inputs(periods=price_change_to(425_00)))

    assert signal.evidence["change_share"] == 0.15
    assert not signals_named("downgraded", inputs(periods=price_change_to(500_00)))
    assert not signals_named("downgraded", inputs(periods=price_change_to(0)))  # churned


def upgrade(days: int) -> list[SubscriptionPeriod]:
    return [period(LONG_AGO, 500_00, days_ago(days)), period(days_ago(days), 800_00, plan="scale")]


UNUSED_CHAT = score_inputs(unused=[UnusedPaidFeature("chat", 0.25, 200_00)])


@pytest.mark.parametrize(
    ("days", "severity"),
    [(8, None), (9, Severity.MEDIUM), (119, Severity.MEDIUM), (121, Severity.LOW)],
)
def test_an_unused_feature_of_an_upgrade_is_a_signal_after_ten_days(
    days: int, severity: Severity | None
) -> None:
    account_inputs = inputs(score=UNUSED_CHAT, periods=upgrade(days), plans=PLANS)

    signals = signals_named("paid_feature_unused", account_inputs)

    assert [each.severity for each in signals] == ([severity] if severity else [])
    for each in signals:
        assert (each.key, each.since) == ("chat", days_ago(days))
        assert each.evidence["bought_on"] == days_ago(days).isoformat()
        assert each.evidence["cents"] == 200_00


def test_any_other_unused_feature_is_a_signal_after_sixty_days() -> None:
    def severities(days: int) -> list[Severity]:
        began = [period(days_ago(days), 800_00, plan="scale")]
        since = account(first_paid_on=days_ago(days))
        score = score_inputs(since, unused=UNUSED_CHAT.unused)
        signals = signals_named(
            "paid_feature_unused", inputs(score=score, periods=began, plans=PLANS)
        )
        return [each.severity for each in signals]

    assert severities(58) == []
    assert severities(59) == [Severity.LOW]


def test_a_feature_that_was_used_recently_is_not_unused() -> None:
    uses = {"chat": UsePeriod(days_ago(80), days_ago(1))}
    account_inputs = inputs(
        score=UNUSED_CHAT, periods=upgrade(100), plans=PLANS, activity=activity(uses=uses)
    )

    assert not signals_named("paid_feature_unused", account_inputs)


def test_an_unused_feature_with_a_small_share_of_the_price_is_ignored() -> None:
    small = score_inputs(unused=[UnusedPaidFeature("chat", 0.04, 20_00)])

    assert not signals_named(
        "paid_feature_unused", inputs(score=small, periods=upgrade(30), plans=PLANS)
    )


@pytest.mark.parametrize(
    ("seats", "users", "idle"), [(10, 5, 5), (10, 6, None), (4, 2, None), (None, 2, None)]
)
def test_seats_are_idle_when_half_of_them_are_unused(
    seats: int | None, users: int, idle: int | None
) -> None:
    signals = signals_named("seats_idle", inputs(account(seats=seats, active_users=users)))

    assert [each.evidence["idle"] for each in signals] == ([idle] if idle else [])


@pytest.mark.parametrize(
    ("score", "severity"), [(19.9, Severity.LOW), (9.9, Severity.MEDIUM), (20, None)]
)
def test_low_scores_for_the_price_among_peers_are_low_value(
    score: float, severity: Severity | None
) -> None:
    scores = {"breadth": score - 5, "depth": score, "reach": score + 5}

    signals = signals_named("low_value_per_dollar", inputs(score=score_inputs(scores=scores)))

    assert [each.severity for each in signals] == ([severity] if severity else [])
    assert not signals_named(
        "low_value_per_dollar", inputs(score=score_inputs(scores=scores, is_scored=False))
    )


def test_use_beyond_the_plan_is_a_signal_for_each_limit() -> None:
    score = score_inputs(over_limits=[OverLimit("users", 5, 8)])

    [signal] = signals_named("over_limit", inputs(score=score))

    assert signal.key == "users"
    assert signal.evidence == {"limit_name": "users", "limit": 5, "used": 8}


def test_an_invoice_that_could_not_be_collected_is_of_high_severity() -> None:
    failed = [FailedInvoices("EUR", 2, 300_00, days_ago(3))]

    [signal] = signals_named("payment_failed", inputs(failed_invoices=failed))

    assert (signal.severity, signal.since) == (Severity.HIGH, days_ago(3))
    assert signal.evidence["amount_due_cents"] == 300_00


@pytest.mark.parametrize(
    ("ahead", "severity"),
    [(61, None), (60, Severity.LOW), (44, Severity.MEDIUM), (29, Severity.LOW), (0, Severity.LOW)],
)
def test_a_renewal_is_near_when_the_last_day_of_notice_is_near(
    ahead: int, severity: Severity | None
) -> None:
    near = account(renewal_on=days_ago(-ahead), notice_on=days_ago(30 - ahead))
    signals = signals_named("renewal_near", inputs(near))

    assert [each.severity for each in signals] == ([severity] if severity else [])
    for each in signals:
        assert each.evidence["days_to_notice"] == ahead - 30


def test_a_churned_account_has_only_the_signal_churned() -> None:
    churned = account(pays=False, paid_until=days_ago(40), last_used_on=days_ago(50))
    ended = [period(LONG_AGO, 500_00, days_ago(40), end_reason="too_expensive")]

    signals = detected(inputs(churned, periods=ended))

    assert set(signals) == {"churned"}
    assert signals["churned"].since == days_ago(40)
    assert signals["churned"].evidence["end_reason"] == "too_expensive"


def test_an_excluded_account_has_no_signals() -> None:
    assert detected(inputs(account(excluded=True, last_used_on=days_ago(60)))) == {}


def test_a_signal_that_is_off_is_not_detected() -> None:
    silent = inputs(account(last_used_on=days_ago(60)), activity=activity(active_days=0))

    assert "dormant" in detected(silent)
    assert "dormant" not in detected(silent, off=["dormant"])
