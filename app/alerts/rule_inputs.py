"""Load the data that rules read about accounts; data that no rule needs is not loaded."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.alerts import queries, rule_queries
from app.alerts.rule_values import RuleInputs, display_value_of, measure_scores
from app.alerts.rules import AlertOperator, AlertRuleConfig, SignalKind
from app.alerts.tables import Alert
from app.health.scoring import queries as health
from app.health.scoring.assess import Assessment
from app.health.tables import HealthScore
from app.signals import queries as signals
from app.signals.signal import Signal as NamedSignal

ScoredAccount = Assessment | HealthScore | Row[Any]
"""An assessment, a score, or a row of ``queries.load_history_days``."""

PastMeasureScores = Mapping[str, Mapping[int, Mapping[str, float | None]]]
"""Measure scores by account, days ago and measure."""


def load_inputs(
    session: Session,
    workspace_id: str,
    scored: Sequence[ScoredAccount],
    rules: Collection[AlertRuleConfig],
    *,
    as_of: date,
    at: datetime | None = None,
) -> list[RuleInputs]:
    """Load inputs in the order of ``scored``. ``at``: a past instant; None means now."""
    ids = [each.account_id for each in scored]
    past_scores = _load_past_scores(session, workspace_id, ids, rules, as_of)
    named = _load_named_signals(session, workspace_id, ids, rules, at)
    day = None if at is None else as_of
    risks = rule_queries.load_risks(session, workspace_id, ids, day=day)
    return [
        RuleInputs.from_scored(
            each,
            as_of,
            risk=risks.get(each.account_id),
            signals=None if named is None else named.get(each.account_id, {}),
            past_measure_scores=past_scores.get(each.account_id, {}),
        )
        for each in scored
    ]


def record_last_values(
    session: Session,
    workspace_id: str,
    rule: AlertRuleConfig,
    alerts: Sequence[Alert],
    today: date,
) -> None:
    """Set ``last`` of alerts that end, from the latest scores of their accounts."""
    ids = [alert.account_id for alert in alerts]
    scored = queries.load_scores(session, workspace_id, ids)
    loaded = load_inputs(session, workspace_id, scored, [rule], as_of=today)
    by_account = {each.account_id: each for each in loaded}
    for alert in alerts:
        if alert.account_id in by_account:
            alert.last = display_value_of(alert.signal, rule, by_account[alert.account_id])


def _load_named_signals(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    rules: Collection[AlertRuleConfig],
    at: datetime | None,
) -> dict[str, dict[str, NamedSignal]] | None:
    """Return open signals by account and name; of several with one name the most severe.

    None: no rule watches named signals.
    """
    if not any(rule.kind is SignalKind.NAMED for rule in rules):
        return None
    by_account = signals.load_open_signals(session, workspace_id, account_ids, at=at)
    return {
        account_id: {
            stored.signal.name: stored.signal
            for stored in sorted(open_signals, key=lambda stored: stored.signal.severity.rank)
        }
        for account_id, open_signals in by_account.items()
    }


def _load_past_scores(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    rules: Collection[AlertRuleConfig],
    as_of: date,
) -> PastMeasureScores:
    """Return past measure scores for the windows that rules compare with."""
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
