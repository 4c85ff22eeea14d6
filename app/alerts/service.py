"""Evaluate rules in the transaction that writes the scores, for a batch of accounts at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import mark_due
from app.alerts import explanations, queries, rule_inputs, rule_queries
from app.alerts.evaluation import Decision, Evaluation, decide, evaluate_rules
from app.alerts.explanations import AlertExplanation
from app.alerts.notifications import (
    pending_notification,
    record_alert_changes,
    send_notifications,
)
from app.alerts.rule_queries import VersionedRule
from app.alerts.rule_values import (
    INACTIVE_STATUSES,
    display_threshold,
    display_value,
    display_value_of,
)
from app.alerts.rules import AlertRuleConfig
from app.alerts.state_machine import CheckResult, Transition
from app.alerts.tables import NOTHING, OPENED, RESOLVED, Alert
from app.health.scoring.assess import Assessment
from app.portfolio import account_queries
from app.portfolio import segment_service as segments
from app.workspaces.queries import find_workspace


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """One evaluation of a batch of accounts, and when its notifications may be sent.

    ``swept``: accounts refreshed by a sweep; their notifications wait until it has finished.
    ``silent``: accounts marked due without ``notify``; theirs wait until the next sweep is over.
    """

    workspace_id: str
    as_of: date
    now: datetime
    swept: Collection[str] = ()
    silent: Collection[str] = ()

    def notify_after(self, account_id: str) -> date | None:
        """Return the day whose sweep must finish before a notification is sent; None: send now."""
        if account_id in self.swept:
            return self.as_of
        return self.as_of + timedelta(days=1) if account_id in self.silent else None


def refresh(session: Session, assessments: Sequence[Assessment], run: EvaluationRun) -> int:
    """Evaluate every rule; return how many alerts opened or were resolved.

    The caller has locked the scores, so that no two evaluations of an account run at once. A past
    day opens and resolves nothing.
    """
    if run.as_of < run.now.date():
        return 0
    rules = rule_queries.load_active_rules(session, run.workspace_id)
    enabled = {key: rule for key, (_, rule) in rules.items() if rule.enabled}
    ids = [each.account_id for each in assessments]
    stored = queries.lock_states(session, run.workspace_id, ids)
    inputs = rule_inputs.load_inputs(
        session, run.workspace_id, assessments, enabled.values(), as_of=run.as_of
    )
    evaluations = evaluate_rules(enabled, inputs, stored, partial(_filter_accounts, session, run))
    if not evaluations:
        return 0
    sequence = queries.next_evaluation_number(session, run.workspace_id)
    load_neutral = partial(explanations.load_config_neutral_inputs, session, run.workspace_id)
    calm = _calm_accounts(evaluations)
    unannounced = queries.list_unannounced(session, run.workspace_id, calm) if calm else set()
    decisions = decide(
        evaluations, load_neutral, sequence=sequence, now=run.now, unannounced=unannounced
    )
    queries.upsert_states(session, run.workspace_id, decisions)
    return _apply_transitions(session, rules, [each for each in decisions if each.transition], run)


def _calm_accounts(evaluations: Sequence[Evaluation]) -> set[str]:
    """Return the accounts with an open alert whose value is clear."""
    return {
        each.inputs.account_id
        for each in evaluations
        if each.stored.state.is_open and each.result is CheckResult.CLEAR
    }


def mark_waiting_accounts_due(session: Session, *, now: datetime) -> int:
    """Mark accounts as due whose alert state may change through the passage of time alone."""
    waiting = queries.claim_waiting_accounts(session, now=now)
    for workspace_id in sorted({each[0] for each in waiting}):
        ids = [account_id for workspace, account_id in waiting if workspace == workspace_id]
        mark_due(session, workspace_id, ids)
    return len(waiting)


def send_held_notifications(session: Session, *, now: datetime) -> int:
    """Send notifications that were held back until the end of a sweep or of a snooze.

    Return how many alerts they were held back for.
    """
    count = 0
    for workspace_id in queries.list_swept_workspaces(session):
        workspace = find_workspace(session, workspace_id)
        if workspace is None or workspace.swept_on is None:
            continue
        alerts = queries.lock_held_alerts(session, workspace_id, until=workspace.swept_on, now=now)
        send_notifications(session, workspace_id, alerts, now=now)
        count += len(alerts)
    return count


def _filter_accounts(
    session: Session, run: EvaluationRun, rule: AlertRuleConfig, account_ids: Collection[str]
) -> Collection[str]:
    account_filter = segments.parse_account_filter(rule.filter)
    return account_queries.load_matching_ids(
        session, run.workspace_id, account_filter, account_ids, today=run.as_of
    )


def _apply_transitions(
    session: Session,
    rules: Mapping[str, VersionedRule],
    decisions: Sequence[Decision],
    run: EvaluationRun,
) -> int:
    """Open and resolve alerts, record the changes, and send or hold the notifications."""
    opening = [each for each in decisions if each.transition is Transition.OPENED]
    resolving = [each for each in decisions if each.transition is Transition.RESOLVED]
    opened, resolved = _open(session, rules, opening, run), _resolve(session, resolving, run)
    session.flush()
    prompt = []
    for event, alerts in ((OPENED, opened), (RESOLVED, resolved)):
        record_alert_changes(session, [alert for _, alert in alerts], event, run.now)
        for each, alert in alerts:
            snoozed, notify_after = each.stored.snoozed_until, run.notify_after(alert.account_id)
            if notify_after is None and snoozed is not None and snoozed > run.now:
                notify_after = run.as_of
            alert.notify_after = notify_after if pending_notification(alert) else None
            prompt += [alert] if notify_after is None else []
    send_notifications(session, run.workspace_id, prompt, now=run.now)
    return len(opened) + len(resolved)


def _open(
    session: Session,
    rules: Mapping[str, VersionedRule],
    decisions: Sequence[Decision],
    run: EvaluationRun,
) -> list[tuple[Decision, Alert]]:
    evaluations = [each.evaluation for each in decisions]
    explained = explanations.explain_openings(session, run.workspace_id, evaluations)
    opened = [
        (each, _alert(each, rules[each.evaluation.rule_key][0], explanation, run))
        for each, explanation in zip(decisions, explained, strict=True)
    ]
    session.add_all(alert for _, alert in opened)
    return opened


def _alert(
    decision: Decision, version: int, explanation: AlertExplanation, run: EvaluationRun
) -> Alert:
    each, state = decision.evaluation, decision.stored.state
    model = each.inputs.risk.model if each.inputs.risk else None
    return Alert(
        workspace_id=run.workspace_id,
        id=f"alr_{round(run.now.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        account_id=each.inputs.account_id,
        rule_key=each.rule_key,
        rule_version=version,
        rule_name=each.rule.name,
        signal=each.rule.signal,
        severity=each.rule.severity,
        condition=each.rule.condition,
        direction=each.rule.direction,
        episode=state.episode,
        sequence=state.sequence,
        opened_at=run.now,
        previous=explanation.previous,
        current=display_value(each.rule, each.inputs),
        threshold=display_threshold(each.rule, each.inputs),
        drivers=list(explanation.drivers),
        scorecard_version=each.inputs.details.get("scorecard_version"),
        model_version=None if model is None else str(model),
        assignee=each.rule.owner,
        last_notified=NOTHING,
    )


def _resolve(
    session: Session, decisions: Sequence[Decision], run: EvaluationRun
) -> list[tuple[Decision, Alert]]:
    if not decisions:
        return []
    keys = [each.evaluation.key for each in decisions]
    is_resolving = tuple_(Alert.account_id, Alert.rule_key).in_(keys)
    locked = queries.lock_open_alerts(session, run.workspace_id, is_resolving)
    alerts = {(alert.account_id, alert.rule_key): alert for alert in locked}
    pairs = zip(decisions, keys, strict=True)
    resolved = [(each, alerts[key]) for each, key in pairs if key in alerts]
    for each, alert in resolved:
        alert.resolved_at, alert.resolution = run.now, _resolution(each)
        alert.last = display_value_of(alert.signal, each.evaluation.rule, each.evaluation.inputs)
    return resolved


def _resolution(decision: Decision) -> str:
    if decision.evaluation.result is not CheckResult.OUT_OF_SCOPE:
        return "recovered"
    status = decision.evaluation.inputs.status
    return str(status) if status in INACTIVE_STATUSES else "filtered"
