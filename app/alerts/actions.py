"""What people do about alerts, and to the accounts that they are about."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import alert_queries, notifications, queries, rule_inputs, rule_queries
from app.alerts.evaluation import StoredState
from app.alerts.state_machine import resolve_manually
from app.alerts.tables import Alert, AlertState
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.webhooks.outbox import publish
from app.workspaces.queries import get_workspace
from app.workspaces.service import Actor

BY_HAND, MERGED = "by_hand", "merged"


def acknowledge(session: Session, change: Actor, alert_id: str) -> None:
    """Take an alert on; twice is the same as once."""
    alert, state = _open(session, change.workspace_id, alert_id)
    if alert.acknowledged_at is not None:
        return
    alert.acknowledged_at, alert.acknowledged_by = change.at, change.actor
    notifications.record_alert_changes(
        session, change.workspace_id, [alert], "acknowledged", now=change.at
    )
    if alert.told == notifications.OPENED and not _is_snoozed(state, change.at):
        revenue = queries.load_revenue_at_risk(session, change.workspace_id, [alert.account_id])
        currency = get_workspace(session, change.workspace_id).base_currency
        notice = notifications.acknowledged_message(alert, revenue, currency)
        publish(session, change.workspace_id, [notice], now=change.at)


def assign(session: Session, change: Actor, alert_id: str, assignee: str | None) -> None:
    alert, _ = _open(session, change.workspace_id, alert_id)
    if alert.assignee != assignee:
        alert.assignee = assignee
        notifications.record_alert_changes(
            session, change.workspace_id, [alert], "assigned", now=change.at
        )


def snooze(session: Session, change: Actor, alert_id: str, until: datetime | None) -> None:
    """Tell nobody until then. The rule is evaluated as ever; what is due then is told then."""
    if until is not None and until <= change.at:
        wrong = FieldError("/body/until", "It lies ahead.")
        raise UnprocessableError("An alert is snoozed until a moment to come.", errors=[wrong])
    alert, state = _open(session, change.workspace_id, alert_id)
    if state is not None and state.snoozed_until != until:
        state.snoozed_until = until
        notifications.record_alert_changes(
            session, change.workspace_id, [alert], "snoozed", now=change.at
        )


def resolve(session: Session, change: Actor, alert_id: str) -> None:
    """End an alert by hand. The rule opens another one only after the breach was really over."""
    alert, state = _open(session, change.workspace_id, alert_id)
    _, rule = rule_queries.load_active_rules(session, change.workspace_id)[alert.rule_key]
    rule_inputs.record_last_values(
        session, change.workspace_id, rule, [alert], today=change.at.date()
    )
    if state is not None:
        after = resolve_manually(StoredState.of(state).state, change.at)
        state.phase, state.since, state.check_at = after.phase, None, None
        state.resolved_at, state.armed = after.resolved_at, False
    notifications.resolve_alerts(session, change.workspace_id, [alert], BY_HAND, now=change.at)
    if not _is_snoozed(state, change.at):
        revenue = queries.load_revenue_at_risk(session, change.workspace_id, [alert.account_id])
        notifications.send_notifications(
            session, change.workspace_id, [alert], revenue, now=change.at
        )


def resolve_merged_account(
    session: Session, workspace_id: str, account_id: str, *, now: datetime
) -> None:
    """Let the alerts of a merged account end. Who was told of one hears of it by the sweep."""
    alerts = queries.lock_open_alerts(session, workspace_id, Alert.account_id == account_id)
    notifications.resolve_alerts(session, workspace_id, alerts, MERGED, now=now)


def give_feedback(
    session: Session, change: Actor, alert_id: str, verdict: str, note: str | None
) -> None:
    """Say whether an alert was right, also of one that is over; the last word stands."""
    alert, _ = alert_queries.lock_alert(session, change.workspace_id, alert_id)
    alert.feedback, alert.feedback_note, alert.feedback_at = verdict, note, change.at


def _open(session: Session, workspace_id: str, alert_id: str) -> tuple[Alert, AlertState | None]:
    alert, state = alert_queries.lock_alert(session, workspace_id, alert_id)
    if alert.resolved_at is not None:
        raise ConflictError(f"Alert {alert_id} is resolved.", code="alert_resolved")
    return alert, state


def _is_snoozed(state: AlertState | None, now: datetime) -> bool:
    return state is not None and state.snoozed_until is not None and state.snoozed_until > now
