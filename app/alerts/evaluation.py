"""Hold rules against accounts: what each sees, and what follows of it. Pure.

A breach that only other settings or other peers have made opens nothing (docs/adr/0026). By how
much they moved the number is kept as ``shift`` until the number is clear again: meanwhile the
breach counts only if there is one without the shift too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

from app.alerts.rule_values import INACTIVE_STATUSES, RuleInputs, rule_value
from app.alerts.rules import AlertRuleConfig, SignalKind
from app.alerts.state_machine import (
    CheckResult,
    MachineState,
    Phase,
    Transition,
    next_check_at,
    step,
)
from app.health.scoring.assess import HealthStatus

INITIAL_STATE = MachineState()


@dataclass(frozen=True, slots=True)
class StoredState:
    """What is stored of a rule and an account."""

    state: MachineState = INITIAL_STATE
    shift: float = 0.0
    yardstick: str | None = None
    snoozed_until: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a row with the columns of the table
        state = MachineState(
            phase=Phase(row.phase),
            since=row.since,
            episode=row.episode,
            sequence=row.sequence,
            openings=tuple(row.openings),
            resolved_at=row.resolved_at,
            armed=row.armed,
        )
        return cls(state, row.shift, row.yardstick, row.snoozed_until)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One rule, one account, before anything follows of it."""

    key: str
    rule: AlertRuleConfig
    facts: RuleInputs
    kept: StoredState
    value: float | None
    seen: CheckResult

    @property
    def yardstick(self) -> str | None:
        """Name what the number was made with: settings and peers, or a model."""
        if self.rule.kind is not SignalKind.CHURN_RISK:
            return self.facts.yardstick
        return f"model {self.facts.risk.model}" if self.facts.risk else None

    @property
    def reference_day(self) -> date:
        """The day whose settings and peers count for the one that is judged."""
        return self.facts.as_of - timedelta(
            days=self.rule.window_days if self.rule.compares_scores else 1
        )


@dataclass(frozen=True, slots=True)
class Decision:
    evaluation: Evaluation
    kept: StoredState
    event: Transition | None
    check_at: datetime | None


FilterAccounts = Callable[[AlertRuleConfig, Collection[str]], Collection[str]]


LoadConfigNeutralInputs = Callable[[Sequence[Evaluation]], Mapping[tuple[str, str], RuleInputs]]
"""How accounts would stand, by account and rule, if what they are held against had not changed
since the anchor; who is held against the same is left out."""


def evaluate_rules(
    rules: Mapping[str, AlertRuleConfig],
    accounts: Sequence[RuleInputs],
    kept: Mapping[tuple[str, str], StoredState],
    let_through: FilterAccounts,
) -> list[Evaluation]:
    """Return what is more than plainly ok. Where a filter lets nobody through, a rule is over."""
    found = []
    for key, rule in rules.items():
        some = list(_some(key, rule, accounts, kept))
        if rule.filter and some:
            within = let_through(rule, [each.facts.account_id for each in some])
            some = [_within(each, each.facts.account_id in within) for each in some]
        found += [each for each in some if each.seen is CheckResult.BREACH or _key(each) in kept]
    return found


def _some(
    key: str,
    rule: AlertRuleConfig,
    accounts: Sequence[RuleInputs],
    kept: Mapping[tuple[str, str], StoredState],
) -> Iterator[Evaluation]:
    for facts in accounts:
        before = kept.get((facts.account_id, key))
        value = rule_value(rule, facts)
        seen = CheckResult.GONE if facts.status in INACTIVE_STATUSES else rule.check(value)
        if before is not None or seen is CheckResult.BREACH:
            yield Evaluation(key, rule, facts, before or StoredState(), value, seen)


def _within(each: Evaluation, is_within: bool) -> Evaluation:  # noqa: FBT001 - of one call
    return each if is_within else replace(each, seen=CheckResult.GONE)


def _key(each: Evaluation) -> tuple[str, str]:
    return each.facts.account_id, each.key


def decide(
    looks: Sequence[Evaluation], own: LoadConfigNeutralInputs, *, sequence: int, now: datetime
) -> list[Decision]:
    doubtful = [each for each in looks if _is_doubtful(each)]
    standings = own(doubtful) if doubtful else {}
    return [_outcome(each, standings.get(_key(each)), sequence, now) for each in looks]


def _is_doubtful(each: Evaluation) -> bool:
    """Whether a breach is new, and may have been made by other settings or peers."""
    by_hand = (
        each.facts.status is HealthStatus.OVERRIDDEN and each.rule.kind is SignalKind.HEALTH_SCORE
    )
    is_held = each.kept.yardstick == each.yardstick
    return (
        each.seen is CheckResult.BREACH
        and each.rule.ignores_config_changes
        and not (each.kept.state.is_open or by_hand or is_held)
    )


def _outcome(each: Evaluation, own: RuleInputs | None, sequence: int, now: datetime) -> Decision:
    seen, shift, yardstick = each.seen, each.kept.shift, each.kept.yardstick
    if own is not None and each.value is not None:
        base = 0.0 if each.reference_day < each.facts.as_of - timedelta(days=1) else shift
        alone = rule_value(each.rule, own)
        shift = base if alone is None else base + each.value - alone
        yardstick = each.yardstick
    excused = (
        seen is CheckResult.BREACH
        and each.rule.check(_less(each.value, shift)) is not CheckResult.BREACH
    )
    if excused and not each.kept.state.is_open:
        seen = CheckResult.BETWEEN
    elif seen in {CheckResult.BREACH, CheckResult.CLEAR, CheckResult.GONE}:
        shift, yardstick = 0.0, None
    timing = each.rule.timing
    state, event = step(each.kept.state, seen, timing, sequence=sequence, now=now)
    kept = replace(each.kept, state=state, shift=shift, yardstick=yardstick)
    return Decision(each, kept, event, next_check_at(state, timing, now))


def _less(value: float | None, shift: float) -> float | None:
    return None if value is None else value - shift
