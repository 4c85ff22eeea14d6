"""Send notifications of opened and resolved alerts: one message each, or many as one digest.

Each alert stores the last notification that was sent about it. A notification is pending when that
differs from the current state. So "opened" and "resolved" alternate, and the last notification is
correct even if earlier ones were held back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from app.alerts.tables import NOTHING, OPENED, RESOLVED, Alert
from app.changes.queries import NewChange, record_changes
from app.churn.scoring.revenue import RevenueAtRisk
from app.portfolio.revenue_at_risk_queries import load_revenue_at_risk
from app.webhooks.outbox import MAX_SINGLE_MESSAGES, NewMessage, fit_digest_items, publish
from app.workspaces.queries import get_workspace

MESSAGE_COLUMNS = (
    *("signal", "condition", "severity", "episode", "threshold", "direction", "drivers"),
    *("scorecard_version", "model_version", "opened_at"),
)
"""The columns of an alert that a message about it contains as they are."""
Revenues = Mapping[str, RevenueAtRisk]
"""The revenue at risk by account."""


def pending_notification(alert: Alert) -> str | None:
    """Return the notification that is still to be sent (opened or resolved), or None.

    An alert that opened and was resolved without a notification needs none.
    """
    if alert.resolved_at is None:
        return OPENED if alert.last_notified == NOTHING else None
    return RESOLVED if alert.last_notified == OPENED else None


def send_notifications(
    session: Session,
    workspace_id: str,
    alerts: Iterable[Alert],
    *,
    now: datetime,
) -> None:
    """Send pending notifications; more than 50 alerts of a rule are one digest.

    Afterwards none of the alerts waits for a notification.
    """
    alerts = sorted(alerts, key=lambda alert: (alert.rule_key, alert.account_id, alert.episode))
    ids = {alert.account_id for alert in alerts}
    revenue = load_revenue_at_risk(session, workspace_id, ids)
    currency = get_workspace(session, workspace_id).base_currency
    messages: list[NewMessage] = []
    for _, of_rule in groupby(alerts, key=lambda alert: alert.rule_key):
        pending = [alert for alert in of_rule if pending_notification(alert)]
        late = [alert for alert in pending if _is_late(alert)]
        prompt = [alert for alert in pending if not _is_late(alert)]
        if late or len(prompt) > MAX_SINGLE_MESSAGES:
            digested = [*late, *prompt] if len(prompt) > MAX_SINGLE_MESSAGES else late
            messages.append(_digest(digested, revenue, currency))
        if len(prompt) <= MAX_SINGLE_MESSAGES:
            messages += [_single(alert, revenue, currency) for alert in prompt]
    publish(session, workspace_id, messages, now=now)
    for alert in alerts:
        alert.last_notified = pending_notification(alert) or alert.last_notified
        alert.notify_after = None


def send_acknowledged(session: Session, alert: Alert, now: datetime) -> None:
    """Announce that an open alert was acknowledged."""
    revenue = load_revenue_at_risk(session, alert.workspace_id, [alert.account_id])
    currency = get_workspace(session, alert.workspace_id).base_currency
    data = _message_data(alert, revenue, currency) | {
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by,
    }
    message = NewMessage("alert.acknowledged", data, alert.account_id)
    publish(session, alert.workspace_id, [message], now=now)


def resolve_alerts(
    session: Session, alerts: Sequence[Alert], resolution: str, now: datetime
) -> None:
    """Resolve alerts and record it in the change feed.

    The notification of a resolved alert, if one is needed, is held until the next finished sweep.
    """
    for alert in alerts:
        alert.resolved_at, alert.resolution = now, resolution
        alert.notify_after = now.date() if pending_notification(alert) else None
    session.flush()
    record_alert_changes(session, alerts, RESOLVED, now)


def record_alert_changes(
    session: Session, alerts: Sequence[Alert], event: str, now: datetime
) -> None:
    """Add an event of alerts to the change feed, whether or not a notification is sent."""
    changes = [NewChange("alert", alert.account_id, _change(alert, event)) for alert in alerts]
    if changes:
        record_changes(session, alerts[0].workspace_id, changes, now=now)


def _is_late(alert: Alert) -> bool:
    """Whether the alert opened or was resolved before the day in ``notify_after``."""
    happened = alert.resolved_at or alert.opened_at
    return alert.notify_after is not None and happened.date() < alert.notify_after


def _single(alert: Alert, revenue: Revenues, currency: str) -> NewMessage:
    data = _message_data(alert, revenue, currency)
    if alert.resolved_at is not None:
        data |= {"resolved_at": alert.resolved_at, "reason": alert.resolution}
    return NewMessage(f"alert.{pending_notification(alert)}", data, alert.account_id)


def _digest(alerts: Sequence[Alert], revenue: Revenues, currency: str) -> NewMessage:
    """Summarize alerts of one rule; the alerts with the most revenue at risk are listed."""
    at_risk = {key: each.cents or 0 for key, each in revenue.items()}
    largest = sorted(alerts, key=lambda alert: (-at_risk.get(alert.account_id, 0), alert.id))
    opened = [alert for alert in alerts if alert.resolved_at is None]
    ids = {alert.account_id for alert in opened}
    parts = [each for key, each in revenue.items() if key in ids]
    assumed = sum(each.cents or 0 for each in parts if each.basis == "assumed")
    first = alerts[0]
    data = {
        "rule": _rule(first),
        "signal": first.signal,
        "opened": len(opened),
        "resolved": len(alerts) - len(opened),
        "revenue_at_risk_cents": sum(each.cents or 0 for each in parts),
        "revenue_at_risk_assumed_cents": assumed,
        "currency": currency,
        "scorecard_version": first.scorecard_version,
        "accounts": fit_digest_items(map(_digest_item, largest)),
        "link": f"/api/v1/alerts?rule={quote(first.rule_key, safe='')}",
    }
    return NewMessage("alert.digested", data)


def _digest_item(alert: Alert) -> dict[str, Any]:
    what = pending_notification(alert)
    return {"account_id": alert.account_id, "alert_id": alert.id, "what": what} | _values(alert)


def _message_data(alert: Alert, revenue: Revenues, currency: str) -> dict[str, Any]:
    at_risk = revenue.get(alert.account_id)
    return {name: getattr(alert, name) for name in MESSAGE_COLUMNS} | {
        "alert_id": alert.id,
        "rule": _rule(alert),
        **_values(alert),
        "revenue_at_risk_cents": at_risk.cents if at_risk else None,
        "revenue_at_risk_basis": at_risk.basis if at_risk else None,
        "currency": currency if at_risk else None,
        "owner": alert.assignee,
        "link": f"/api/v1/alerts/{alert.id}",
    }


def _values(alert: Alert) -> dict[str, Any]:
    """Return the previous and current value at the opening, or at the end of a resolved alert."""
    if alert.resolved_at is None:
        return {"previous": alert.previous, "current": alert.current}
    return {"previous": alert.current, "current": alert.last}


def _rule(alert: Alert) -> dict[str, Any]:
    return {"id": alert.rule_key, "name": alert.rule_name, "version": alert.rule_version}


def _change(alert: Alert, event: str) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "what": event,
        "rule": alert.rule_key,
        "severity": alert.severity,
        "episode": alert.episode,
        "previous": alert.previous,
        "current": alert.current,
    }
