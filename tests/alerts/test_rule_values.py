"""The value that a rule reads, and its comparison with the thresholds."""

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


def rule(
    signal: str,
    operator: str,
    fire_at: float | None = None,
    **config: Any,  # noqa: ANN401
) -> AlertRuleConfig:
    return AlertRuleConfig(
        name="r", signal=signal, operator=AlertOperator(operator), fire_at=fire_at, **config
    )


def inputs(**changes: Any) -> RuleInputs:  # noqa: ANN401
    defaults: dict[str, Any] = {
        "account_id": "a",
        "as_of": TODAY,
        "status": HealthStatus.OK,
        "score": 40.0,
        "mrr_cents": 100,
        "details": DETAILS,
        "signals": {},
    }
    return RuleInputs(**(defaults | changes))


@pytest.mark.parametrize(
    ("tested", "expected"),
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
def test_each_operator_computes_its_value(
    tested: AlertRuleConfig, expected: tuple[float | None, CheckResult]
) -> None:
    value = rule_value(tested, inputs())

    assert (value, tested.check(value)) == expected


def test_drop_by_compares_measures_with_their_past_scores() -> None:
    before = inputs(past_measure_scores={28: {"depth": 55.0}})

    assert rule_value(rule("measure:depth", "drop_by", 20), before) == 25
    assert rule_value(rule("measure:depth", "drop_by", 20), inputs()) is None


def test_risk_is_compared_as_a_probability_or_a_level() -> None:
    at_risk = inputs(risk=RiskValue(0.6, "high"))

    assert rule_value(rule("churn_risk", "above", 0.5), at_risk) == 0.6
    assert rule("churn_risk", "above", 0.5).clear_threshold == pytest.approx(0.45)
    high = BUILT_IN_RULES["churn_risk_high"]
    assert high.check(rule_value(high, at_risk)) is CheckResult.BREACH
    assert (display_value(high, at_risk), display_threshold(high, at_risk)) == ("high", "high")
    assert high.check(rule_value(high, inputs(risk=RiskValue(None, "medium")))) is CheckResult.CLEAR


def test_an_open_named_signal_is_a_breach_even_for_a_new_account() -> None:
    new = inputs(status=HealthStatus.NEW, score=None, signals={"champion_left": CHAMPION})
    tested = rule("signal:champion_left", "above")

    assert tested.check(rule_value(tested, new)) is CheckResult.BREACH
    assert rule_value(rule("days_since_last_use", "above", 1), new) is None
    assert rule_value(tested, inputs(signals=None)) is None


@pytest.mark.parametrize(
    "status", [HealthStatus.NEW, HealthStatus.STALE, HealthStatus.INSUFFICIENT_DATA]
)
@pytest.mark.parametrize("tested", BUILT_IN_RULES.values(), ids=lambda each: each.name)
def test_an_account_without_a_current_score_has_no_value(
    status: HealthStatus, tested: AlertRuleConfig
) -> None:
    unknown = inputs(status=status, score=1.0, risk=RiskValue(0.9, "high"))
    of_score = tested.signal == "health_score"

    if of_score or status is not HealthStatus.INSUFFICIENT_DATA:
        assert rule_value(tested, unknown) is None


def test_an_override_sets_the_score_but_not_the_other_values() -> None:
    machine = {"value": None, "band": "unknown", "status": "stale"}
    overridden = inputs(status=HealthStatus.OVERRIDDEN, details={**DETAILS, "machine": machine})

    assert rule_value(rule("health_score", "below", 50), overridden) == 40
    assert rule_value(rule("days_since_last_use", "above", 14), overridden) is None


@given(st.floats(0, 100), st.sampled_from(["at_risk", "watch", "healthy"]))
def test_a_score_is_in_one_band(score: float, band: str) -> None:
    tested = rule("health_score", "enters_band", band=band)
    low, high = {"at_risk": (0, 25), "watch": (25, 50), "healthy": (50, 101)}[band]

    result = tested.check(rule_value(tested, inputs(score=score)))

    assert (result is CheckResult.BREACH) is (low <= score < high)


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["below", "above"]))
def test_no_value_is_both_a_breach_and_clear(fire_at: float, value: float, operator: str) -> None:
    tested = rule("health_score", operator, fire_at)

    assert (tested.fire_threshold - tested.clear_threshold) * tested.sign >= 0
    assert tested.check(tested.clear_threshold) is not CheckResult.BREACH
    assert tested.check(value) in {CheckResult.BREACH, CheckResult.BETWEEN, CheckResult.CLEAR}


def test_days_since_last_use_accept_a_date() -> None:
    recent = inputs(details={**DETAILS, "last_used_on": TODAY - timedelta(days=1)})

    assert display_value(BUILT_IN_RULES["no_use"], recent) == 1
