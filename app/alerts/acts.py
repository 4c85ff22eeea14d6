"""What people do about alerts."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import alert_queries, notices, queries
from app.alerts.evaluation import Kept
from app.alerts.machine import resolved_by_hand
from app.alerts.tables import Alert, AlertState
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.webhooks.outbox import publish

BY_HAND = "by_hand"


class AlertResolvedError(ConflictError):
    code = "alert_resolved"


def acknowledge(
    session: Session, workspace_id: str, alert_id: str, *, actor: str, now: datetime
) -> None:
    """Take an alert on; twice is the same as once."""
    alert, state = _open(session, workspace_id, alert_id)
    if alert.acknowledged_at is not None:
        return
    alert.acknowledged_at, alert.acknowledged_by = now, actor
    notices.note(session, workspace_id, [alert], "acknowledged", now=now)
    if alert.told == notices.OPENED and not _is_snoozed(state, now):
        revenue = queries.revenue(session, workspace_id, [alert.account_id])
        publish(session, workspace_id, [notices.acknowledged(alert, revenue)], now=now)


def assign(
    session: Session, workspace_id: str, alert_id: str, assignee: str | None, *, now: datetime
) -> None:
    alert, _ = _open(session, workspace_id, alert_id)
    if alert.assignee != assignee:
        alert.assignee = assignee
        notices.note(session, workspace_id, [alert], "assigned", now=now)


def snooze(
    session: Session, workspace_id: str, alert_id: str, until: datetime | None, *, now: datetime
) -> None:
    """Tell nobody until then. The rule is evaluated as ever; what is due then is told then."""
    if until is not None and until <= now:
        wrong = FieldError("/body/until", "It lies ahead.")
        raise UnprocessableError("An alert is snoozed until a moment to come.", errors=[wrong])
    alert, state = _open(session, workspace_id, alert_id)
    if state is not None and state.snoozed_until != until:
        state.snoozed_until = until
        notices.note(session, workspace_id, [alert], "snoozed", now=now)


def resolve(session: Session, workspace_id: str, alert_id: str, *, now: datetime) -> None:
    """End an alert by hand. The rule opens another one only after the breach was really over."""
    alert, state = _open(session, workspace_id, alert_id)
    alert.resolved_at, alert.resolution = now, BY_HAND
    if state is not None:
        after = resolved_by_hand(Kept.of(state).state, now)
        state.phase, state.since, state.check_at = after.phase, None, None
        state.resolved_at, state.armed = after.resolved_at, False
    session.flush()
    notices.note(session, workspace_id, [alert], notices.RESOLVED, now=now)
    alert.owed_on = now.date() if notices.due(alert) else None
    if not _is_snoozed(state, now):
        revenue = queries.revenue(session, workspace_id, [alert.account_id])
        notices.tell(session, workspace_id, [alert], revenue, now=now)


def give_feedback(
    session: Session,
    workspace_id: str,
    alert_id: str,
    verdict: str,
    note: str | None,
    *,
    now: datetime,
) -> None:
    """Say whether an alert was right, also of one that is over; the last word stands."""
    alert, _ = alert_queries.lock(session, workspace_id, alert_id)
    alert.feedback, alert.feedback_note, alert.feedback_at = verdict, note, now


def _open(session: Session, workspace_id: str, alert_id: str) -> tuple[Alert, AlertState | None]:
    alert, state = alert_queries.lock(session, workspace_id, alert_id)
    if alert.resolved_at is not None:
        raise AlertResolvedError(f"Alert {alert_id} is resolved.")
    return alert, state


def _is_snoozed(state: AlertState | None, now: datetime) -> bool:
    return state is not None and state.snoozed_until is not None and state.snoozed_until > now
