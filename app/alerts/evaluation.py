"""Evaluate rules for accounts and decide what follows. Pure.

A breach that is caused only by new settings or a new peer group opens no alert (docs/adr/0026).
The state stores as ``config_offset`` by how much these moved the value, until the value is clear
again. Meanwhile a breach counts only if the value without the offset is a breach too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

from app.alerts.rule_values import RuleInputs, check_rule, rule_value
from app.alerts.rules import AlertRuleConfig, SignalKind
from app.alerts.state_machine import (
    CheckResult,
    MachineState,
    Phase,
    Transition,
    next_check_at,
    step,
    withdraw,
)
from app.health.scoring.assess import HealthStatus

INITIAL_STATE = MachineState()


@dataclass(frozen=True, slots=True)
class StoredState:
    """A row of ``alert_state``. ``offset_context``: the scoring context of ``config_offset``."""

    state: MachineState = INITIAL_STATE
    config_offset: float = 0.0
    offset_context: str | None = None
    snoozed_until: datetime | None = None

    @classmethod
    def from_row(cls, row: Any) -> Self:  # noqa: ANN401 - a row with the columns of the table
        state = MachineState(
            phase=Phase(row.phase),
            since=row.since,
            episode=row.episode,
            sequence=row.sequence,
            openings=tuple(row.openings),
            resolved_at=row.resolved_at,
            may_open=row.may_open,
        )
        return cls(state, row.config_offset, row.offset_context, row.snoozed_until)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One rule compared with one account, before any decision."""

    rule_key: str
    rule: AlertRuleConfig
    inputs: RuleInputs
    stored: StoredState
    value: float | None
    result: CheckResult

    @property
    def key(self) -> tuple[str, str]:
        """The account and the rule."""
        return self.inputs.account_id, self.rule_key

    @property
    def scoring_context(self) -> str | None:
        """What the value was computed with: a key of settings and peers, or a model."""
        if self.rule.kind is not SignalKind.CHURN_RISK:
            return self.inputs.scoring_context
        return f"model {self.inputs.risk.model}" if self.inputs.risk else None

    @property
    def reference_day(self) -> date:
        """The day whose settings and peers a new breach is tested with."""
        return self.inputs.as_of - timedelta(
            days=self.rule.window_days if self.rule.compares_scores else 1
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an evaluation: the next state, and the transition if there is one."""

    evaluation: Evaluation
    stored: StoredState
    transition: Transition | None
    check_at: datetime | None


FilterAccounts = Callable[[AlertRuleConfig, Collection[str]], Collection[str]]
"""Return the accounts that match the filter of a rule."""

LoadConfigNeutralInputs = Callable[[Sequence[Evaluation]], Mapping[tuple[str, str], RuleInputs]]
"""Return inputs by account and rule as if settings and peers were still those of the reference day.

Accounts whose settings and peers have not changed are omitted."""


def evaluate_rules(
    rules: Mapping[str, AlertRuleConfig],
    accounts: Sequence[RuleInputs],
    stored: Mapping[tuple[str, str], StoredState],
    filter_accounts: FilterAccounts,
) -> list[Evaluation]:
    """Return the evaluations that are a breach or have a stored state.

    An account that does not match the filter is out of scope.
    """
    found = []
    for key, rule in rules.items():
        evaluations = list(_evaluate(key, rule, accounts, stored))
        if rule.filter and evaluations:
            matching = filter_accounts(rule, [each.inputs.account_id for each in evaluations])
            for position, each in enumerate(evaluations):
                if each.inputs.account_id not in matching:
                    evaluations[position] = replace(each, result=CheckResult.OUT_OF_SCOPE)
        found += [
            each for each in evaluations if each.result is CheckResult.BREACH or each.key in stored
        ]
    return found


def _evaluate(
    key: str,
    rule: AlertRuleConfig,
    accounts: Sequence[RuleInputs],
    stored: Mapping[tuple[str, str], StoredState],
) -> Iterator[Evaluation]:
    for inputs in accounts:
        before = stored.get((inputs.account_id, key))
        value = rule_value(rule, inputs)
        result = check_rule(rule, inputs, value)
        if before is not None or result is CheckResult.BREACH:
            yield Evaluation(key, rule, inputs, before or StoredState(), value, result)


def decide(
    evaluations: Sequence[Evaluation],
    load_neutral: LoadConfigNeutralInputs,
    *,
    sequence: int,
    now: datetime,
    unannounced: Collection[tuple[str, str]] = (),
) -> list[Decision]:
    """Return what follows from each evaluation.

    ``unannounced``: the keys of open alerts that nobody was told of. They need no time of calm.
    """
    doubtful = [each for each in evaluations if _is_doubtful(each)]
    neutral = load_neutral(doubtful) if doubtful else {}
    decisions = [_decide(each, neutral.get(each.key), sequence, now) for each in evaluations]
    ending = {each.evaluation.key for each in decisions if _is_calm(each, now)} & {*unannounced}
    return [_at_once(each, now) if each.evaluation.key in ending else each for each in decisions]


def _is_calm(each: Decision, now: datetime) -> bool:
    snoozed = each.stored.snoozed_until
    is_snoozed = snoozed is not None and snoozed > now
    return each.stored.state.phase is Phase.RECOVERING and not is_snoozed


def _at_once(each: Decision, now: datetime) -> Decision:
    """Resolve the alert without waiting, as if it had never opened: no cooldown follows."""
    state = withdraw(each.stored.state)
    return replace(
        each,
        stored=replace(each.stored, state=state),
        transition=Transition.RESOLVED,
        check_at=next_check_at(state, each.evaluation.rule.timing, now),
    )


def _is_doubtful(each: Evaluation) -> bool:
    """Whether a breach is new and may be caused by new settings or peers alone."""
    is_overridden = (
        each.inputs.status is HealthStatus.OVERRIDDEN and each.rule.kind is SignalKind.HEALTH_SCORE
    )
    has_offset = each.stored.offset_context == each.scoring_context
    return (
        each.result is CheckResult.BREACH
        and each.rule.ignores_config_changes
        and not (each.stored.state.is_open or is_overridden or has_offset)
    )


def _decide(each: Evaluation, neutral: RuleInputs | None, sequence: int, now: datetime) -> Decision:
    result, is_open = each.result, each.stored.state.is_open
    offset, context = each.stored.config_offset, each.stored.offset_context
    if neutral is not None and each.value is not None:
        offset, context = _offset(each, each.value, neutral), each.scoring_context
    is_excused = result is CheckResult.BREACH and _is_excused(each, offset)
    if is_excused and not is_open:
        result = CheckResult.BETWEEN
    elif result in {CheckResult.BREACH, CheckResult.CLEAR, CheckResult.OUT_OF_SCOPE}:
        offset, context = 0.0, None
    timing = each.rule.timing
    state, transition = step(each.stored.state, result, timing, sequence=sequence, now=now)
    stored = replace(each.stored, state=state, config_offset=offset, offset_context=context)
    return Decision(each, stored, transition, next_check_at(state, timing, now))


def _offset(each: Evaluation, value: float, neutral: RuleInputs) -> float:
    """Return by how much the value was moved by new settings and peers, not by the account.

    If the reference day is yesterday, add the stored offset: it is from an earlier change. A risk
    that was unknown without the present model counts as clear at that time.
    """
    is_longer_ago = each.reference_day < each.inputs.as_of - timedelta(days=1)
    earlier = 0.0 if is_longer_ago else each.stored.config_offset
    neutral_value = rule_value(each.rule, neutral)
    if neutral_value is None:
        is_risk = each.rule.kind is SignalKind.CHURN_RISK
        return value - each.rule.clear_threshold if is_risk else earlier
    return earlier + value - neutral_value


def _is_excused(each: Evaluation, offset: float) -> bool:
    """Whether a breach does not count: without the offset the value is no breach."""
    value = None if each.value is None else each.value - offset
    return each.rule.check(value) is not CheckResult.BREACH
