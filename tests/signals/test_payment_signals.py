from datetime import date
from typing import Any

import pytest

from app.signals.facts import FailedBills, OverLimit, PaidFeature, Terms, Use
from app.signals.signal import Severity
from tests.signals.making import LONG_AGO, account, active, back, facts, found, only, terms, worth

PLANS = {"team": frozenset({"export"}), "scale": frozenset({"export", "chat"})}


def risen(cents: int, **said: Any) -> list[Terms]:  # noqa: ANN401
    return [terms(LONG_AGO, 500_00, back(10)), terms(back(10), cents, **said)]


@pytest.mark.parametrize(
    ("cents", "severity"),
    [(525_00, None), (540_00, "medium"), (620_00, "medium"), (625_00, "high"), (400_00, None)],
)
def test_the_same_plan_at_a_higher_price_is_a_rise(cents: int, severity: str | None) -> None:
    signals = only("price_rise", facts(terms=risen(cents)))

    assert [each.severity.value for each in signals] == ([severity] if severity else [])


def test_a_rise_is_told_with_what_was_and_is_paid() -> None:
    [signal] = only("price_rise", facts(terms=risen(600_00)))

    assert signal.since == back(10)
    assert signal.evidence["before_cents"] == 500_00
    assert signal.evidence["after_cents"] == 600_00
    assert signal.evidence["change_share"] == 0.2


def test_more_seats_or_another_plan_are_no_rise() -> None:
    assert not only("price_rise", facts(terms=risen(600_00, seats=12)))
    assert not only("price_rise", facts(terms=risen(900_00, plan="scale")))
    assert only("price_rise", facts(terms=risen(900_00, seats=12)))


def test_another_currency_or_a_pause_between_says_nothing() -> None:
    gap = [terms(LONG_AGO, 500_00, back(40)), terms(back(10), 900_00)]

    assert not only("price_rise", facts(terms=risen(900_00, currency="EUR")))
    assert not only("price_rise", facts(terms=gap))


def test_a_rise_is_news_for_ninety_days() -> None:
    def on(day: date) -> list[Terms]:
        return [terms(LONG_AGO, 500_00, day), terms(day, 700_00)]

    assert only("price_rise", facts(terms=on(back(89))))
    assert not only("price_rise", facts(terms=on(back(90))))


def test_a_bill_that_falls_by_fifteen_per_cent_is_a_downgrade() -> None:
    [signal] = only("downgraded", facts(terms=risen(425_00)))

    assert signal.evidence["change_share"] == 0.15
    assert not only("downgraded", facts(terms=risen(500_00)))
    assert not only("downgraded", facts(terms=risen(0)))  # that is the end


def upgraded(days: int) -> list[Terms]:
    return [terms(LONG_AGO, 500_00, back(days)), terms(back(days), 800_00, plan="scale")]


CHAT = worth(unused=[PaidFeature("chat", 0.25, 200_00)])


@pytest.mark.parametrize(
    ("days", "severity"),
    [(8, None), (9, Severity.MEDIUM), (119, Severity.MEDIUM), (121, Severity.LOW)],
)
def test_what_an_upgrade_was_bought_for_and_nobody_uses(
    days: int, severity: Severity | None
) -> None:
    known = facts(of_score=CHAT, terms=upgraded(days), plans=PLANS)

    signals = only("paid_feature_unused", known)

    assert [each.severity for each in signals] == ([severity] if severity else [])
    for each in signals:
        assert (each.key, each.since) == ("chat", back(days))
        assert each.evidence["bought_on"] == back(days).isoformat()
        assert each.evidence["cents"] == 200_00


def test_what_was_there_all_along_has_sixty_days() -> None:
    def known(days: int) -> list[Severity]:
        began = [terms(back(days), 800_00, plan="scale")]
        since = account(first_paid_on=back(days))
        of_score = worth(since, unused=CHAT.unused)
        signals = only("paid_feature_unused", facts(of_score=of_score, terms=began, plans=PLANS))
        return [each.severity for each in signals]

    assert known(58) == []
    assert known(59) == [Severity.LOW]


def test_what_was_used_lately_is_not_unused() -> None:
    uses = {"chat": Use(back(80), back(1))}
    known = facts(of_score=CHAT, terms=upgraded(100), plans=PLANS, activity=active(uses=uses))

    assert not only("paid_feature_unused", known)


def test_a_product_feature_that_costs_next_to_nothing_is_no_matter() -> None:
    small = worth(unused=[PaidFeature("chat", 0.04, 20_00)])

    assert not only("paid_feature_unused", facts(of_score=small, terms=upgraded(30), plans=PLANS))


@pytest.mark.parametrize(
    ("seats", "users", "idle"), [(10, 5, 5), (10, 6, None), (4, 2, None), (None, 2, None)]
)
def test_half_of_the_seats_idle(seats: int | None, users: int, idle: int | None) -> None:
    signals = only("seats_idle", facts(account(seats=seats, active_users=users)))

    assert [each.evidence["idle"] for each in signals] == ([idle] if idle else [])


@pytest.mark.parametrize(
    ("score", "severity"), [(19.9, Severity.LOW), (9.9, Severity.MEDIUM), (20, None)]
)
def test_little_value_for_the_price_among_peers(score: float, severity: Severity | None) -> None:
    scores = {"breadth": score - 5, "depth": score, "reach": score + 5}

    signals = only("low_value_per_dollar", facts(of_score=worth(scores=scores)))

    assert [each.severity for each in signals] == ([severity] if severity else [])
    assert not only("low_value_per_dollar", facts(of_score=worth(scores=scores, is_scored=False)))


def test_use_beyond_the_plan_is_told_by_limit() -> None:
    known = worth(over_limits=[OverLimit("users", 5, 8)])

    [signal] = only("over_limit", facts(of_score=known))

    assert signal.key == "users"
    assert signal.evidence == {"limit_name": "users", "limit": 5, "used": 8}


def test_a_bill_that_could_not_be_collected_is_grave() -> None:
    failed = [FailedBills("EUR", 2, 300_00, back(3))]

    [signal] = only("payment_failed", facts(failed_bills=failed))

    assert (signal.severity, signal.since) == (Severity.HIGH, back(3))
    assert signal.evidence["amount_due_cents"] == 300_00


@pytest.mark.parametrize(
    ("ahead", "severity"),
    [(61, None), (60, Severity.LOW), (44, Severity.MEDIUM), (29, Severity.LOW), (0, Severity.LOW)],
)
def test_a_renewal_is_near_when_notice_must_soon_be_given(
    ahead: int, severity: Severity | None
) -> None:
    signals = only("renewal_near", facts(account(renewal_on=back(-ahead))))

    assert [each.severity for each in signals] == ([severity] if severity else [])
    for each in signals:
        assert each.evidence["days_to_notice"] == ahead - 30


def test_who_has_left_has_only_left() -> None:
    gone = account(pays=False, paid_until=back(40), last_used_on=back(50))
    ended = [terms(LONG_AGO, 500_00, back(40), end_reason="too_expensive")]

    signals = found(facts(gone, terms=ended))

    assert set(signals) == {"churned"}
    assert signals["churned"].since == back(40)
    assert signals["churned"].evidence["end_reason"] == "too_expensive"


def test_of_an_excluded_account_nothing_is_said() -> None:
    assert found(facts(account(excluded=True, last_used_on=back(60)))) == {}


def test_a_signal_that_is_off_is_not_looked_for() -> None:
    silent = facts(account(last_used_on=back(60)), activity=active(active_days=0))

    assert "dormant" in found(silent)
    assert "dormant" not in found(silent, off=["dormant"])
