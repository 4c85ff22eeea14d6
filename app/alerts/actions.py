"""Actions of people on alerts, each audited, and the end of alerts of merged accounts."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import notifications, queries, rule_inputs, rule_queries
from app.alerts.evaluation import StoredState
from app.alerts.state_machine import resolve_manually
from app.alerts.tables import OPENED, Alert, AlertState
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.workspaces.service import Actor

BY_HAND, MERGED = "by_hand", "merged"


def acknowledge(session: Session, actor: Actor, alert_id: str) -> None:
    """Acknowledge an open alert; repeating it changes nothing."""
    alert, state = _lock_open(session, actor, alert_id)
    if alert.acknowledged_at is not None:
        return
    alert.acknowledged_at, alert.acknowledged_by = actor.at, actor.name
    notifications.record_alert_changes(session, [alert], "acknowledged", actor.at)
    _audit(session, actor, alert, "acknowledged")
    if alert.last_notified == OPENED and not _is_snoozed(state, actor.at):
        notifications.send_acknowledged(session, alert, actor.at)


def assign(session: Session, actor: Actor, alert_id: str, assignee: str | None) -> None:
    alert, _ = _lock_open(session, actor, alert_id)
    if alert.assignee != assignee:
        alert.assignee = assignee
        notifications.record_alert_changes(session, [alert], "assigned", actor.at)
        _audit(session, actor, alert, "assigned")


def snooze(session: Session, actor: Actor, alert_id: str, until: datetime | None) -> None:
    """Hold notifications back until an instant; None ends the snooze.

    The rule is still evaluated. A notification that is pending when the snooze ends is sent.
    """
    if until is not None and until <= actor.at:
        error = FieldError("/body/until", "Must be in the future; null ends the snooze.")
        raise UnprocessableError("until must be in the future.", errors=[error])
    alert, state = _lock_open(session, actor, alert_id)
    if state is not None and state.snoozed_until != until:
        state.snoozed_until = until
        notifications.record_alert_changes(session, [alert], "snoozed", actor.at)
        _audit(session, actor, alert, "snoozed", until=until.isoformat() if until else None)


def resolve(session: Session, actor: Actor, alert_id: str) -> None:
    """Resolve an alert manually; the rule opens a new one only after the breach was over."""
    alert, state = _lock_open(session, actor, alert_id)
    _, rule = rule_queries.load_active_rules(session, actor.workspace_id)[alert.rule_key]
    rule_inputs.record_last_values(session, actor.workspace_id, rule, [alert], actor.at.date())
    if state is not None:
        after = resolve_manually(StoredState.from_row(state).state, actor.at)
        state.phase, state.since, state.check_at = after.phase, None, None
        state.resolved_at, state.may_open = after.resolved_at, False
    notifications.resolve_alerts(session, [alert], BY_HAND, actor.at)
    _audit(session, actor, alert, "resolved")
    if not _is_snoozed(state, actor.at):
        notifications.send_notifications(session, actor.workspace_id, [alert], now=actor.at)


def resolve_merged_account(
    session: Session, workspace_id: str, account_id: str, *, now: datetime
) -> None:
    """Resolve the open alerts of a merged account; the next sweep sends the notifications."""
    alerts = queries.lock_open_alerts(session, workspace_id, Alert.account_id == account_id)
    notifications.resolve_alerts(session, alerts, MERGED, now)


def give_feedback(
    session: Session, actor: Actor, alert_id: str, verdict: str, note: str | None
) -> None:
    """Store whether an open or resolved alert was right. New feedback replaces the old one."""
    alert, _ = queries.lock_alert(session, actor.workspace_id, alert_id)
    alert.feedback, alert.feedback_note, alert.feedback_at = verdict, note, actor.at
    _audit(session, actor, alert, "rated", verdict=verdict)


def _audit(session: Session, actor: Actor, alert: Alert, verb: str, **more: object) -> None:
    """Add an audit entry without assignee and note: it outlives both."""
    details = {"account_id": alert.account_id, "rule": alert.rule_key, **more}
    actor.audit(session, f"alert.{verb}", alert.id, details)


def _lock_open(session: Session, actor: Actor, alert_id: str) -> tuple[Alert, AlertState | None]:
    alert, state = queries.lock_alert(session, actor.workspace_id, alert_id)
    if alert.resolved_at is not None:
        raise ConflictError(
            f"Alert {alert_id} is resolved: only an open alert can be changed.",
            code="alert_resolved",
        )
    return alert, state


def _is_snoozed(state: AlertState | None, now: datetime) -> bool:
    return state is not None and state.snoozed_until is not None and state.snoozed_until > now
