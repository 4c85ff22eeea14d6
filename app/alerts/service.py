"""Evaluate rules in the transaction that writes the scores, for a set of accounts at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts.queries import mark_due
from app.alerts import explanations, notifications, queries, rule_inputs, rule_queries
from app.alerts.evaluation import Decision, decide, evaluate_rules
from app.alerts.explanations import AlertExplanation
from app.alerts.rule_values import (
    INACTIVE_STATUSES,
    RiskValue,
    display_threshold,
    display_value,
    display_value_of,
)
from app.alerts.rules import AlertRuleConfig
from app.alerts.state_machine import CheckResult, Transition
from app.alerts.tables import Alert
from app.health.scoring.assess import Assessment
from app.portfolio import account_queries
from app.portfolio import segment_service as segments
from app.workspaces.queries import find_workspace


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """What is evaluated, and who may hear of it.

    Of ``swept`` accounts nothing is told before the sweep is through, of ``silent`` ones not before
    the next one.
    """

    workspace_id: str
    as_of: date
    now: datetime
    swept: Collection[str] = ()
    silent: Collection[str] = ()

    def owed_on(self, account_id: str) -> date | None:
        """Return on which day's sweep a notice may go out; None: at once."""
        if account_id in self.swept:
            return self.as_of
        return self.as_of + timedelta(days=1) if account_id in self.silent else None


def refresh(session: Session, assessments: Sequence[Assessment], run: EvaluationRun) -> int:
    """Evaluate every rule; return how many alerts opened or were resolved.

    The scores are locked by the caller, so that no two evaluations of an account run at once. A
    day that is over opens nothing.
    """
    if run.as_of < run.now.date():
        return 0
    rules = rule_queries.load_active_rules(session, run.workspace_id)
    enabled = {key: rule for key, (_, rule) in rules.items() if rule.enabled}
    ids = [each.account_id for each in assessments]
    kept = queries.lock_states(session, run.workspace_id, ids)
    facts = rule_inputs.load_inputs(
        session, run.workspace_id, assessments, enabled.values(), as_of=run.as_of
    )
    looks = evaluate_rules(enabled, facts, kept, partial(_let_through, session, run))
    if not looks:
        return 0
    sequence = queries.next_evaluation_number(session, run.workspace_id)
    own = partial(explanations.load_config_neutral_inputs, session, run.workspace_id)
    outcomes = decide(looks, own, sequence=sequence, now=run.now)
    queries.upsert_states(session, run.workspace_id, outcomes)
    return _follow(session, rules, [each for each in outcomes if each.event], run)


def mark_waiting_accounts_due(session: Session, *, now: datetime) -> int:
    """Have those accounts scored of which time alone may have brought a change."""
    waiting = queries.claim_waiting_accounts(session, now=now)
    for workspace_id in sorted({each[0] for each in waiting}):
        ids = [account_id for workspace, account_id in waiting if workspace == workspace_id]
        mark_due(session, workspace_id, ids)
    return len(waiting)


def send_held_notifications(session: Session, *, now: datetime) -> int:
    """Tell what was held back until the end of a sweep, or of a snooze."""
    told = 0
    for workspace_id in queries.list_swept_workspaces(session):
        workspace = find_workspace(session, workspace_id)
        if workspace is None or workspace.swept_on is None:
            continue
        alerts = queries.lock_held_alerts(session, workspace_id, until=workspace.swept_on, now=now)
        revenue = queries.load_revenue_at_risk(
            session, workspace_id, {each.account_id for each in alerts}
        )
        notifications.send_notifications(session, workspace_id, alerts, revenue, now=now)
        told += len(alerts)
    return told


def _let_through(
    session: Session, run: EvaluationRun, rule: AlertRuleConfig, account_ids: Collection[str]
) -> Collection[str]:
    wanted = segments.parse_account_filter(rule.filter)
    return account_queries.load_matching_ids(
        session, run.workspace_id, wanted, account_ids, today=run.as_of
    )


def _follow(
    session: Session,
    rules: Mapping[str, tuple[int, AlertRuleConfig]],
    outcomes: Sequence[Decision],
    run: EvaluationRun,
) -> int:
    """Open and resolve alerts, note the changes, and tell of them or owe it."""
    alerts = [
        *_open(session, rules, [each for each in outcomes if each.event is Transition.OPENED], run),
        *_resolve(session, [each for each in outcomes if each.event is Transition.RESOLVED], run),
    ]
    prompt = []
    for each, alert in alerts:
        snoozed = each.kept.snoozed_until
        owed_on = run.owed_on(alert.account_id)
        if owed_on is None and snoozed is not None and snoozed > run.now:
            owed_on = run.as_of
        alert.owed_on = owed_on if notifications.pending_notification(alert) else None
        prompt += [alert] if owed_on is None else []
    revenue = {
        each.evaluation.facts.account_id: each.evaluation.facts.revenue_at_risk for each in outcomes
    }
    prompt.sort(key=lambda alert: (alert.rule_key, alert.account_id))
    notifications.send_notifications(session, run.workspace_id, prompt, revenue, now=run.now)
    return len(alerts)


def _open(
    session: Session,
    rules: Mapping[str, tuple[int, AlertRuleConfig]],
    outcomes: Sequence[Decision],
    run: EvaluationRun,
) -> list[tuple[Decision, Alert]]:
    if not outcomes:
        return []
    why = explanations.explain_openings(
        session, run.workspace_id, [each.evaluation for each in outcomes]
    )
    found = [
        (each, _alert(each, rules[each.evaluation.key][0], reason, run))
        for each, reason in zip(outcomes, why, strict=True)
    ]
    alerts = [alert for _, alert in found]
    session.add_all(alerts)
    session.flush()
    notifications.record_alert_changes(
        session, run.workspace_id, alerts, notifications.OPENED, now=run.now
    )
    return found


def _alert(outcome: Decision, version: int, reason: AlertExplanation, run: EvaluationRun) -> Alert:
    each, state = outcome.evaluation, outcome.kept.state
    return Alert(
        workspace_id=run.workspace_id,
        id=f"alr_{round(run.now.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        account_id=each.facts.account_id,
        rule_key=each.key,
        rule_version=version,
        rule_name=each.rule.name,
        signal=each.rule.signal,
        severity=each.rule.severity,
        condition=each.rule.condition,
        direction=each.rule.direction,
        episode=state.episode,
        sequence=state.sequence,
        opened_at=run.now,
        previous=reason.previous,
        current=display_value(each.rule, each.facts),
        threshold=display_threshold(each.rule, each.facts),
        drivers=list(reason.drivers),
        scorecard_version=each.facts.details.get("scorecard_version"),
        model_version=_model(each.facts.risk),
        assignee=each.rule.owner,
        told=notifications.NOTHING,
    )


def _model(risk: RiskValue | None) -> str | None:
    return str(risk.model) if risk is not None and risk.model is not None else None


def _resolve(
    session: Session, outcomes: Sequence[Decision], run: EvaluationRun
) -> list[tuple[Decision, Alert]]:
    keys = [(each.evaluation.facts.account_id, each.evaluation.key) for each in outcomes]
    alerts = queries.lock_open_alerts_by_key(session, run.workspace_id, keys)
    found = [(each, alerts[key]) for each, key in zip(outcomes, keys, strict=True) if key in alerts]
    for each, alert in found:
        alert.resolved_at, alert.resolution = run.now, _resolution(each)
        alert.last = display_value_of(alert.signal, each.evaluation.rule, each.evaluation.facts)
    session.flush()
    of_all = [alert for _, alert in found]
    notifications.record_alert_changes(
        session, run.workspace_id, of_all, notifications.RESOLVED, now=run.now
    )
    return found


def _resolution(outcome: Decision) -> str:
    if outcome.evaluation.seen is not CheckResult.GONE:
        return "recovered"
    status = outcome.evaluation.facts.status
    return str(status) if status in INACTIVE_STATUSES else "filtered"
