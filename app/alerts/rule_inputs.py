"""Bring together what rules read of accounts; what no rule asks for is not looked up."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.alerts import queries, rule_input_queries
from app.alerts.rule_values import RuleInputs, display_value_of, measure_scores
from app.alerts.rules import AlertOperator, AlertRuleConfig, SignalKind
from app.alerts.tables import Alert
from app.health.scoring import queries as health
from app.health.scoring.assess import HealthStatus
from app.signals import queries as signals
from app.signals.signal import Signal as NamedSignal


class ScoredAccount(Protocol):
    """What an assessment, a score and a day of history have in common."""

    @property
    def account_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def mrr_cents(self) -> int: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


PastMeasureScores = Mapping[str, Mapping[int, Mapping[str, float | None]]]


def load_inputs(
    session: Session,
    workspace_id: str,
    scored: Sequence[ScoredAccount],
    rules: Collection[AlertRuleConfig],
    *,
    as_of: date,
    at: datetime | None = None,
) -> list[RuleInputs]:
    """``at``: when it was so; None: it is so now."""
    ids = [each.account_id for each in scored]
    earlier = _earlier(session, workspace_id, ids, rules, as_of)
    named = _named(session, workspace_id, ids, rules, at)
    risks = (
        rule_input_queries.load_risks(session, workspace_id, ids)
        if at is None
        else rule_input_queries.load_risks_on(session, workspace_id, ids, day=as_of)
    )
    return [
        RuleInputs(
            account_id=each.account_id,
            as_of=as_of,
            status=HealthStatus(each.status),
            score=each.score,
            mrr_cents=each.mrr_cents,
            details=each.details,
            risk=risks.get(each.account_id),
            signals=None if named is None else named.get(each.account_id, {}),
            past_measure_scores=earlier.get(each.account_id, {}),
        )
        for each in scored
    ]


def record_last_values(
    session: Session,
    workspace_id: str,
    rule: AlertRuleConfig,
    alerts: Sequence[Alert],
    *,
    today: date,
) -> None:
    """Note in alerts that end how their accounts stand, by the scores that were written last."""
    ids = [alert.account_id for alert in alerts]
    scored = queries.load_scores(session, workspace_id, ids)
    found = load_inputs(session, workspace_id, scored, [rule], as_of=today)
    known = {each.account_id: each for each in found}
    for alert in alerts:
        if alert.account_id in known:
            alert.last = display_value_of(alert.signal, rule, known[alert.account_id])


def _named(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    rules: Collection[AlertRuleConfig],
    at: datetime | None,
) -> dict[str, dict[str, NamedSignal]] | None:
    """Return the signals that hold by account and name; of several of one name the gravest.

    None: no rule asks.
    """
    if not any(rule.kind is SignalKind.NAMED for rule in rules):
        return None
    found = signals.load_open_signals(session, workspace_id, account_ids, at=at)
    return {
        account_id: {
            kept.signal.name: kept.signal
            for kept in sorted(of_account, key=lambda kept: kept.signal.severity.rank)
        }
        for account_id, of_account in found.items()
    }


def _earlier(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    rules: Collection[AlertRuleConfig],
    as_of: date,
) -> PastMeasureScores:
    """Return measure scores of before by account and days, where a rule compares with them."""
    windows = {
        rule.window_days
        for rule in rules
        if rule.kind is SignalKind.MEASURE and rule.operator is AlertOperator.DROP_BY
    }
    found: dict[str, dict[int, Mapping[str, float | None]]] = {}
    for days in sorted(windows):
        day = as_of - timedelta(days=days)
        rows = health.load_history_rows(session, workspace_id, account_ids, day=day)
        for account_id, row in rows.items():
            found.setdefault(account_id, {})[days] = measure_scores(row.details)
    return found
