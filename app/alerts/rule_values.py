"""The value that a rule compares with its thresholds, computed from an account's data. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Self

from app.alerts.rules import AlertOperator, AlertRuleConfig, SignalKind
from app.alerts.state_machine import CheckResult
from app.features.values import known_mrr_cents
from app.health.definition.scorecard import Band, Card
from app.health.explanations.explain import AccountEvaluation
from app.health.scoring.assess import HealthStatus, context_key
from app.signals.signal import Signal as NamedSignal

DEFAULT_BAND_EDGES = (Card().watch_from, Card().healthy_from)
"""The band edges of scores written before the edges were stored with each score."""

INACTIVE_STATUSES = {HealthStatus.CHURNED, HealthStatus.EXCLUDED}
SCORED_STATUSES = {HealthStatus.OK, HealthStatus.OVERRIDDEN}
MEASURED_STATUSES = SCORED_STATUSES | {HealthStatus.INSUFFICIENT_DATA}
STATUSES_BY_KIND: Mapping[SignalKind, set[HealthStatus]] = {
    SignalKind.HEALTH_SCORE: SCORED_STATUSES,
    SignalKind.MEASURE: MEASURED_STATUSES,
    SignalKind.CHURN_RISK: MEASURED_STATUSES,
    SignalKind.DAYS_SINCE_LAST_USE: MEASURED_STATUSES,
    SignalKind.NAMED: MEASURED_STATUSES | {HealthStatus.NEW},
}
"""The account statuses in which the watched value is known. It is unknown for a stale account."""


@dataclass(frozen=True, slots=True)
class RiskValue:
    """The churn risk of an account. ``value``: the probability; None if no model predicts one.

    ``level``: low, medium or high. ``model``: the model version; None if rules set the level.
    """

    value: float | None
    level: str | None
    model: int | None = None


@dataclass(frozen=True, slots=True)
class RuleInputs:
    """Everything that rules read about an account on a day. ``details``: of its health score.

    ``signals``: the open signals by name; None if they were not loaded.
    ``past_measure_scores``: measure scores by number of days ago, then by name.
    """

    account_id: str
    as_of: date
    status: HealthStatus
    score: float | None
    mrr_cents: int | None
    details: Mapping[str, Any]
    risk: RiskValue | None = None
    signals: Mapping[str, NamedSignal] | None = None
    past_measure_scores: Mapping[int, Mapping[str, float | None]] = field(default_factory=dict)

    @classmethod
    def from_scored(cls, scored: Any, as_of: date, **loaded: Any) -> Self:  # noqa: ANN401
        """Build the inputs from an assessment, a stored score or a row of the history."""
        status = HealthStatus(scored.status)
        mrr_cents = known_mrr_cents(scored.mrr_cents, scored.details)
        common = (scored.account_id, as_of, status, scored.score, mrr_cents, scored.details)
        return cls(*common, **loaded)

    @property
    def scoring_context(self) -> str:
        """A key of the settings and peers that the score was computed with."""
        return context_key(self.details)

    @property
    def calculated_status(self) -> HealthStatus:
        """The status without a manual override of the score."""
        machine = self.details.get("machine")
        return HealthStatus(machine["status"]) if machine else self.status

    def measure(self, name: str) -> Mapping[str, Any]:
        found = (each for each in self.details.get("measures", ()) if each["name"] == name)
        return next(found, {})

    @property
    def days_since_last_use(self) -> float | None:
        used_on = self.details.get("last_used_on")
        if used_on is None:
            return None
        return float((self.as_of - date.fromisoformat(str(used_on))).days)


def rescore_inputs(inputs: RuleInputs, rescored: AccountEvaluation, card: Card) -> RuleInputs:
    """Return the inputs with the scores computed under another card and another peer group."""
    measures = [
        {**inputs.measure(name), "name": name, "score": _real(score), "raw": _real(raw)}
        for (name, score), raw in zip(rescored.scores.items(), rescored.raw.values(), strict=True)
    ]
    moved = rescored.value - inputs.score if inputs.score is not None else 0.0
    trend = {
        days: None if points is None else points + moved
        for days, points in (inputs.details.get("trend") or {}).items()
    }
    details: dict[str, Any] = {
        **inputs.details,
        "measures": measures,
        "trend": trend,
        "edges": (card.watch_from, card.healthy_from),
    }
    return replace(inputs, score=rescored.value, details=details)


def rule_value(rule: AlertRuleConfig, inputs: RuleInputs) -> float | None:
    """Return the value that the rule compares with its thresholds; None if it is unknown."""
    status = inputs.status if rule.kind is SignalKind.HEALTH_SCORE else inputs.calculated_status
    if status not in STATUSES_BY_KIND[rule.kind]:
        return None
    match rule.operator:
        case AlertOperator.DROP_BY:
            return _difference(baseline_score(rule, inputs), signal_value(rule, inputs))
        case AlertOperator.DROP_VS_SELF:
            return _percent_drop(rule, inputs)
        case AlertOperator.ENTERS_BAND:
            return _distance_to_band(rule, inputs)
        case AlertOperator.ABSENT_FOR:
            return _absence(rule, inputs)
    return signal_value(rule, inputs)


def check_rule(rule: AlertRuleConfig, inputs: RuleInputs, value: float | None) -> CheckResult:
    """Compare the value of an account with the thresholds; the filter is not applied."""
    return CheckResult.OUT_OF_SCOPE if inputs.status in INACTIVE_STATUSES else rule.check(value)


def signal_value(rule: AlertRuleConfig, inputs: RuleInputs) -> float | None:
    """Return the value of the watched signal itself, in its own unit."""
    match rule.kind:
        case SignalKind.HEALTH_SCORE:
            return inputs.score
        case SignalKind.MEASURE:
            return _number(inputs.measure(rule.subject).get("score"))
        case SignalKind.CHURN_RISK:
            return inputs.risk.value if inputs.risk else None
        case SignalKind.DAYS_SINCE_LAST_USE:
            return inputs.days_since_last_use
    return None if inputs.signals is None else float(rule.subject in inputs.signals)


def display_value(rule: AlertRuleConfig, inputs: RuleInputs) -> float | str | None:
    """Return the value shown to people: the signal, or the risk level for a rule on levels."""
    if rule.kind is SignalKind.CHURN_RISK and rule.operator is AlertOperator.ENTERS_BAND:
        return inputs.risk.level if inputs.risk else None
    return signal_value(rule, inputs)


def display_value_of(signal: str, rule: AlertRuleConfig, inputs: RuleInputs) -> float | str | None:
    """Return the value of a signal as shown; None if the rule now watches another signal."""
    return display_value(rule, inputs) if rule.signal == signal else None


def display_threshold(rule: AlertRuleConfig, inputs: RuleInputs) -> float | str | None:
    """Return the threshold shown to people; for a health band the edge that is crossed."""
    if rule.operator is not AlertOperator.ENTERS_BAND:
        return rule.fire_at if rule.fire_at is not None else rule.fire_threshold
    if rule.kind is SignalKind.CHURN_RISK:
        return rule.band
    low, high = _edges(rule.band, inputs)
    return low if math.isinf(high) else high


def measure_scores(details: Mapping[str, Any]) -> dict[str, float | None]:
    return {each["name"]: _number(each["score"]) for each in details.get("measures", ())}


def baseline_score(rule: AlertRuleConfig, inputs: RuleInputs) -> float | None:
    """Return the past score that a drop is measured from."""
    if rule.kind is SignalKind.MEASURE:
        return inputs.past_measure_scores.get(rule.window_days, {}).get(rule.subject)
    trend = (inputs.details.get("trend") or {}).get(f"d{rule.window_days}")
    return None if trend is None or inputs.score is None else inputs.score - trend


def _percent_drop(rule: AlertRuleConfig, inputs: RuleInputs) -> float | None:
    """Return by how many percent the account is below its own value in the window before."""
    if rule.kind is SignalKind.MEASURE:
        measure = inputs.measure(rule.subject)
        past, now = _number(measure.get("before")), _number(measure.get("raw"))
    else:
        past, now = baseline_score(rule, inputs), inputs.score
    if not past or now is None:
        return None
    return 100 * (past - now) / past


def _distance_to_band(rule: AlertRuleConfig, inputs: RuleInputs) -> float | None:
    """Return how far the account is outside the band; a negative distance is inside."""
    if rule.kind is SignalKind.CHURN_RISK:
        level = inputs.risk.level if inputs.risk else None
        return None if level is None else -1.0 if level == rule.band else 1.0
    if inputs.score is None:
        return None
    low, high = _edges(rule.band, inputs)
    return max(math.nextafter(low, -math.inf) - inputs.score, inputs.score - high)


def _edges(band: str | None, inputs: RuleInputs) -> tuple[float, float]:
    watch, healthy = inputs.details.get("edges") or DEFAULT_BAND_EDGES
    if band == Band.AT_RISK:
        return -math.inf, watch
    return (watch, healthy) if band == Band.WATCH else (healthy, math.inf)


def _absence(rule: AlertRuleConfig, inputs: RuleInputs) -> float | None:
    """Return 1 if the measure counted nothing or the named signal is not open, else 0."""
    if rule.kind is SignalKind.NAMED:
        is_open = signal_value(rule, inputs)
        return None if is_open is None else 1 - is_open
    raw = _number(inputs.measure(rule.subject).get("raw"))
    return None if raw is None else float(raw == 0)


def _difference(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else before - now


def _number(value: Any) -> float | None:  # noqa: ANN401 - from JSON
    return None if value is None else float(value)


def _real(number: float) -> float | None:
    return None if math.isnan(number) else number
