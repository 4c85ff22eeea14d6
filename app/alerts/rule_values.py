"""What a rule reads of an account: one number, or None where nothing can be said. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from app.alerts.rules import AlertOperator, AlertRuleConfig, SignalKind
from app.churn.scoring.revenue import revenue_at_risk
from app.health.definition.scorecard import Band, Card
from app.health.explanations.explain import AccountEvaluation
from app.health.scoring.assess import HealthStatus
from app.health.scoring.measure_details import context_key
from app.signals.signal import Signal as NamedSignal

DEFAULT_BAND_EDGES = (Card().watch_from, Card().healthy_from)
"""Of the bands of scores that were written before theirs were."""

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
"""In which standings a signal says something. What is stale says nothing."""


@dataclass(frozen=True, slots=True)
class RiskValue:
    """``value``: a probability, if one is claimed; ``model``: its version, if it is not rules."""

    value: float | None
    level: str | None
    model: int | None = None


@dataclass(frozen=True, slots=True)
class RuleInputs:
    """All that rules read of an account on a day. ``details``: of the health answer.

    ``signals``: those that hold; None where nobody has looked for any.
    ``earlier``: measure scores by name as they were before, by how many days ago.
    """

    account_id: str
    as_of: date
    status: HealthStatus
    score: float | None
    mrr_cents: int
    details: Mapping[str, Any]
    risk: RiskValue | None = None
    signals: Mapping[str, NamedSignal] | None = None
    past_measure_scores: Mapping[int, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def revenue_at_risk(self) -> int:
        """In cents a year, as everywhere."""
        return revenue_at_risk(self.mrr_cents, self.risk.value if self.risk else None).cents

    @property
    def yardstick(self) -> str:
        return context_key(self.details)

    @property
    def calculated_status(self) -> HealthStatus:
        """How it would stand if nobody had overruled the score."""
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


def rescore_inputs(facts: RuleInputs, own: AccountEvaluation, card: Card) -> RuleInputs:
    """Give an account the numbers that it would have by another card and among other peers."""
    known = {each["name"]: each for each in facts.details.get("measures", ())}
    measures = [
        {**known.get(name, {}), "name": name, "score": _real(score), "raw": _real(own.raw[name])}
        for name, score in own.scores.items()
    ]
    moved = own.value - facts.score if facts.score is not None else 0.0
    trend = {
        days: None if points is None else points + moved
        for days, points in (facts.details.get("trend") or {}).items()
    }
    details: dict[str, Any] = {
        **facts.details,
        "measures": measures,
        "trend": trend,
        "edges": (card.watch_from, card.healthy_from),
    }
    return replace(facts, score=own.value, details=details)


def rule_value(rule: AlertRuleConfig, facts: RuleInputs) -> float | None:
    """Return the number that the rule's thresholds are for."""
    status = facts.status if rule.kind is SignalKind.HEALTH_SCORE else facts.calculated_status
    if status not in STATUSES_BY_KIND[rule.kind]:
        return None
    match rule.operator:
        case AlertOperator.DROP_BY:
            return _difference(baseline_score(rule, facts), signal_value(rule, facts))
        case AlertOperator.DROP_VS_SELF:
            return _fall(rule, facts)
        case AlertOperator.ENTERS_BAND:
            return _outside(rule, facts)
        case AlertOperator.ABSENT_FOR:
            return _absent(rule, facts)
    return signal_value(rule, facts)


def signal_value(rule: AlertRuleConfig, facts: RuleInputs) -> float | None:
    """Return the signal itself, as people know it."""
    match rule.kind:
        case SignalKind.HEALTH_SCORE:
            return facts.score
        case SignalKind.MEASURE:
            return _number(facts.measure(rule.subject).get("score"))
        case SignalKind.CHURN_RISK:
            return facts.risk.value if facts.risk else None
        case SignalKind.DAYS_SINCE_LAST_USE:
            return facts.days_since_last_use
    return None if facts.signals is None else float(rule.subject in facts.signals)


def display_value(rule: AlertRuleConfig, facts: RuleInputs) -> float | str | None:
    """Return what people are told: the signal, or the level of risk that a rule is about."""
    if rule.kind is SignalKind.CHURN_RISK and rule.operator is AlertOperator.ENTERS_BAND:
        return facts.risk.level if facts.risk else None
    return signal_value(rule, facts)


def display_value_of(signal: str, rule: AlertRuleConfig, facts: RuleInputs) -> float | str | None:
    """Return what people are told of a signal; nothing if the rule watches another one by now."""
    return display_value(rule, facts) if rule.signal == signal else None


def display_threshold(rule: AlertRuleConfig, facts: RuleInputs) -> float | str | None:
    """Return what that is compared with: of a band of health the edge that is crossed."""
    if rule.operator is not AlertOperator.ENTERS_BAND:
        return rule.fire_at if rule.fire_at is not None else rule.fire_threshold
    if rule.kind is SignalKind.CHURN_RISK:
        return rule.band
    low, high = _edges(rule.band, facts)
    return low if math.isinf(high) else high


def measure_scores(details: Mapping[str, Any]) -> dict[str, float | None]:
    return {each["name"]: _number(each["score"]) for each in details.get("measures", ())}


def baseline_score(rule: AlertRuleConfig, facts: RuleInputs) -> float | None:
    """Return the score that one of now is compared with, for a drop."""
    if rule.kind is SignalKind.MEASURE:
        return facts.past_measure_scores.get(rule.window_days, {}).get(rule.subject)
    trend = (facts.details.get("trend") or {}).get(f"d{rule.window_days}")
    return None if trend is None or facts.score is None else facts.score - trend


def _fall(rule: AlertRuleConfig, facts: RuleInputs) -> float | None:
    """By how many percent an account is below what it did itself in the window before."""
    if rule.kind is SignalKind.MEASURE:
        measure = facts.measure(rule.subject)
        past, now = _number(measure.get("before")), _number(measure.get("raw"))
    else:
        past, now = baseline_score(rule, facts), facts.score
    if not past or now is None:
        return None
    return 100 * (past - now) / past


def _outside(rule: AlertRuleConfig, facts: RuleInputs) -> float | None:
    """How far the account is outside of the band; below zero: inside."""
    if rule.kind is SignalKind.CHURN_RISK:
        level = facts.risk.level if facts.risk else None
        return None if level is None else -1.0 if level == rule.band else 1.0
    if facts.score is None:
        return None
    low, high = _edges(rule.band, facts)
    return max(math.nextafter(low, -math.inf) - facts.score, facts.score - high)


def _edges(band: str | None, facts: RuleInputs) -> tuple[float, float]:
    watch, healthy = facts.details.get("edges") or DEFAULT_BAND_EDGES
    if band == Band.AT_RISK:
        return -math.inf, watch
    return (watch, healthy) if band == Band.WATCH else (healthy, math.inf)


def _absent(rule: AlertRuleConfig, facts: RuleInputs) -> float | None:
    """1 where a measure counts nothing, or a named signal does not hold."""
    if rule.kind is SignalKind.NAMED:
        holds = signal_value(rule, facts)
        return None if holds is None else 1 - holds
    raw = _number(facts.measure(rule.subject).get("raw"))
    return None if raw is None else float(raw == 0)


def _difference(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else before - now


def _number(value: Any) -> float | None:  # noqa: ANN401 - out of JSON
    return None if value is None else float(value)


def _real(number: float) -> float | None:
    return None if math.isnan(number) else number
