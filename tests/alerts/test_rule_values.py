"""Which number a rule reads of an account, and which side of its thresholds that is on."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.rule_values import (
    RiskValue,
    RuleInputs,
    display_threshold,
    display_value,
    rule_value,
)
from app.alerts.rules import BUILT_IN_RULES, AlertOperator, AlertRuleConfig
from app.alerts.state_machine import CheckResult
from app.health.scoring.assess import HealthStatus
from app.signals.signal import Severity, Signal

TODAY = date(2026, 3, 18)
DEPTH = {"name": "depth", "score": 30.0, "raw": 6.0, "before": 12.0}
CHAMPION = Signal("champion_left", Severity.HIGH, TODAY, {})
DETAILS: dict[str, Any] = {
    "measures": [DEPTH, {"name": "reach", "score": None, "raw": 0.0, "before": None}],
    "trend": {"d7": -5.0, "d28": -20.0, "d90": None},
    "last_used_on": "2026-03-03",
    "edges": (25, 50),
}


def rule(signal: str, operator: str, fire_at: float | None = None, **said: Any) -> AlertRuleConfig:  # noqa: ANN401
    return AlertRuleConfig(
        name="r", signal=signal, operator=AlertOperator(operator), fire_at=fire_at, **said
    )


def facts(**said: Any) -> RuleInputs:  # noqa: ANN401
    known: dict[str, Any] = {
        "account_id": "a",
        "as_of": TODAY,
        "status": HealthStatus.OK,
        "score": 40.0,
        "mrr_cents": 100,
        "details": DETAILS,
        "signals": {},
    }
    return RuleInputs(**(known | said))


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        (rule("health_score", "below", 40), (40, CheckResult.BETWEEN)),
        (rule("health_score", "below", 41), (40, CheckResult.BREACH)),
        (rule("health_score", "below", 35), (40, CheckResult.CLEAR)),
        (rule("health_score", "above", 39), (40, CheckResult.BREACH)),
        (rule("health_score", "drop_by", 20), (20, CheckResult.BREACH)),
        (rule("health_score", "drop_by", 20, window_days=7), (5, CheckResult.CLEAR)),
        (rule("health_score", "drop_by", 20, window_days=90), (None, CheckResult.UNKNOWN)),
        (rule("health_score", "drop_vs_self", 33), (pytest.approx(100 / 3), CheckResult.BREACH)),
        (rule("measure:depth", "below", 31), (30, CheckResult.BREACH)),
        (rule("measure:depth", "drop_vs_self", 50), (50, CheckResult.BREACH)),
        (rule("measure:reach", "drop_vs_self", 50), (None, CheckResult.UNKNOWN)),
        (rule("measure:reach", "below", 50), (None, CheckResult.UNKNOWN)),
        (rule("measure:reach", "absent_for", 3), (1, CheckResult.BREACH)),
        (rule("measure:depth", "absent_for", 3), (0, CheckResult.CLEAR)),
        (rule("measure:other", "below", 50), (None, CheckResult.UNKNOWN)),
        (rule("days_since_last_use", "above", 14), (15, CheckResult.BREACH)),
        (rule("days_since_last_use", "above", 15), (15, CheckResult.BETWEEN)),
        (rule("health_score", "enters_band", band="watch"), (-10, CheckResult.BREACH)),
        (rule("health_score", "enters_band", band="at_risk"), (15, CheckResult.CLEAR)),
        (
            rule("health_score", "enters_band", band="healthy"),
            (pytest.approx(10), CheckResult.CLEAR),
        ),
        (rule("churn_risk", "above", 0.5), (None, CheckResult.UNKNOWN)),
        (rule("signal:champion_left", "above"), (0, CheckResult.CLEAR)),
        (rule("signal:champion_left", "absent_for", 5), (1, CheckResult.BREACH)),
    ],
    ids=lambda each: f"{each.signal} {each.operator}" if isinstance(each, AlertRuleConfig) else "",
)
def test_each_operator_reads_its_number(
    tried: AlertRuleConfig, expected: tuple[float | None, CheckResult]
) -> None:
    value = rule_value(tried, facts())

    assert (value, tried.check(value)) == expected


def test_measures_are_compared_with_what_they_were() -> None:
    before = facts(past_measure_scores={28: {"depth": 55.0}})

    assert rule_value(rule("measure:depth", "drop_by", 20), before) == 25
    assert rule_value(rule("measure:depth", "drop_by", 20), facts()) is None


def test_risk_is_read_as_a_probability_or_as_a_level() -> None:
    at_risk = facts(risk=RiskValue(0.6, "high"))

    assert rule_value(rule("churn_risk", "above", 0.5), at_risk) == 0.6
    assert rule("churn_risk", "above", 0.5).clear_threshold == pytest.approx(0.45)
    high = BUILT_IN_RULES["churn_risk_high"]
    assert high.check(rule_value(high, at_risk)) is CheckResult.BREACH
    assert (display_value(high, at_risk), display_threshold(high, at_risk)) == ("high", "high")
    assert high.check(rule_value(high, facts(risk=RiskValue(None, "medium")))) is CheckResult.CLEAR
    assert at_risk.revenue_at_risk == 720


def test_a_named_signal_that_holds_is_a_breach_even_of_a_new_account() -> None:
    new = facts(status=HealthStatus.NEW, score=None, signals={"champion_left": CHAMPION})
    tried = rule("signal:champion_left", "above")

    assert tried.check(rule_value(tried, new)) is CheckResult.BREACH
    assert rule_value(rule("days_since_last_use", "above", 1), new) is None
    assert rule_value(tried, facts(signals=None)) is None


@pytest.mark.parametrize(
    "status", [HealthStatus.NEW, HealthStatus.STALE, HealthStatus.INSUFFICIENT_DATA]
)
@pytest.mark.parametrize("tried", BUILT_IN_RULES.values(), ids=lambda each: each.name)
def test_of_what_is_not_known_now_no_score_is_read(
    status: HealthStatus, tried: AlertRuleConfig
) -> None:
    unknown = facts(status=status, score=1.0, risk=RiskValue(0.9, "high"))
    of_score = tried.signal == "health_score"

    if of_score or status is not HealthStatus.INSUFFICIENT_DATA:
        assert rule_value(tried, unknown) is None


def test_a_person_overrules_the_score_and_not_what_is_known_of_use() -> None:
    machine = {"value": None, "band": "unknown", "status": "stale"}
    said = facts(status=HealthStatus.OVERRIDDEN, details={**DETAILS, "machine": machine})

    assert rule_value(rule("health_score", "below", 50), said) == 40
    assert rule_value(rule("days_since_last_use", "above", 14), said) is None


@given(st.floats(0, 100), st.sampled_from(["at_risk", "watch", "healthy"]))
def test_a_score_is_in_one_band(score: float, band: str) -> None:
    tried = rule("health_score", "enters_band", band=band)
    low, high = {"at_risk": (0, 25), "watch": (25, 50), "healthy": (50, 101)}[band]

    found = tried.check(rule_value(tried, facts(score=score)))

    assert (found is CheckResult.BREACH) is (low <= score < high)


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["below", "above"]))
def test_no_number_is_a_breach_and_clear(fire_at: float, value: float, operator: str) -> None:
    tried = rule("health_score", operator, fire_at)

    assert (tried.fire_threshold - tried.clear_threshold) * tried.sign >= 0
    assert tried.check(tried.clear_threshold) is not CheckResult.BREACH
    assert tried.check(value) in {CheckResult.BREACH, CheckResult.BETWEEN, CheckResult.CLEAR}


def test_days_are_told_in_words_and_numbers() -> None:
    recent = facts(details={**DETAILS, "last_used_on": TODAY - timedelta(days=1)})

    assert display_value(BUILT_IN_RULES["no_use"], recent) == 1
