"""Tell others what opened and what is over: one by one, or many as one digest.

What was told of an alert is kept with it. A notice is due where that is not what is so: that is
why opened and resolved alternate, and why the last notice is the truth, whatever was held back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from app.alerts.tables import Alert
from app.changes.queries import NewChange, record_changes
from app.webhooks.outbox import MAX_SINGLE_MESSAGES, NewMessage, fit_digest_items, publish
from app.workspaces.queries import get_workspace

NOTHING, OPENED, RESOLVED = "nothing", "opened", "resolved"


def pending_notification(alert: Alert) -> str | None:
    """Return what others do not know yet. What opened and ended in silence is not worth a word."""
    if alert.resolved_at is None:
        return OPENED if alert.told == NOTHING else None
    return RESOLVED if alert.told == OPENED else None


def send_notifications(
    session: Session,
    workspace_id: str,
    alerts: Sequence[Alert],
    revenue: Mapping[str, int],
    *,
    now: datetime,
) -> None:
    """Send what is due: of more than 50 alerts of a rule, one digest. Nothing is owed then.

    ``revenue``: at risk, in cents a year, by account. ``alerts`` in the order of their rules.
    """
    currency = get_workspace(session, workspace_id).base_currency
    messages: list[NewMessage] = []
    for _, of_rule in groupby(alerts, key=lambda alert: alert.rule_key):
        some = [alert for alert in of_rule if pending_notification(alert)]
        late = [alert for alert in some if _is_late(alert)]
        prompt = [alert for alert in some if not _is_late(alert)]
        if late or len(prompt) > MAX_SINGLE_MESSAGES:
            some = [*late, *prompt] if len(prompt) > MAX_SINGLE_MESSAGES else late
            messages.append(_digest(some, revenue, currency))
        if len(prompt) <= MAX_SINGLE_MESSAGES:
            messages += [_single(alert, revenue, currency) for alert in prompt]
    publish(session, workspace_id, messages, now=now)
    for alert in alerts:
        alert.told, alert.owed_on = pending_notification(alert) or alert.told, None


def resolve_alerts(
    session: Session, workspace_id: str, alerts: Sequence[Alert], resolution: str, *, now: datetime
) -> None:
    """Resolve alerts, put that into the feed, and owe it to those who were told of them."""
    for alert in alerts:
        alert.resolved_at, alert.resolution = now, resolution
        alert.owed_on = now.date() if pending_notification(alert) else None
    session.flush()
    record_alert_changes(session, workspace_id, alerts, RESOLVED, now=now)


def acknowledged_message(alert: Alert, revenue: Mapping[str, int], currency: str) -> NewMessage:
    said = {"acknowledged_at": alert.acknowledged_at, "acknowledged_by": alert.acknowledged_by}
    return NewMessage(
        "alert.acknowledged", _said(alert, revenue, currency) | said, alert.account_id
    )


def record_alert_changes(
    session: Session, workspace_id: str, alerts: Iterable[Alert], what: str, *, now: datetime
) -> None:
    """Put what happened into the feed of changes, told or not."""
    changes = [NewChange("alert", alert.account_id, _change(alert, what)) for alert in alerts]
    record_changes(session, workspace_id, changes, now=now)


def _is_late(alert: Alert) -> bool:
    """Whether it happened in silence, before the day on which it may be told."""
    happened = alert.resolved_at or alert.opened_at
    return alert.owed_on is not None and happened.date() < alert.owed_on


def _single(alert: Alert, revenue: Mapping[str, int], currency: str) -> NewMessage:
    said = _said(alert, revenue, currency)
    if alert.resolved_at is not None:
        said |= {"resolved_at": alert.resolved_at, "reason": alert.resolution}
    return NewMessage(f"alert.{pending_notification(alert)}", said, alert.account_id)


def _digest(alerts: Sequence[Alert], revenue: Mapping[str, int], currency: str) -> NewMessage:
    """Name those of the largest accounts."""
    largest = sorted(alerts, key=lambda alert: (-revenue.get(alert.account_id, 0), alert.id))
    opened = [alert for alert in alerts if alert.resolved_at is None]
    one = alerts[0]
    said = {
        "rule": _rule(one),
        "signal": one.signal,
        "opened": len(opened),
        "resolved": len(alerts) - len(opened),
        "revenue_at_risk_cents": sum(revenue.get(alert.account_id, 0) for alert in opened),
        "currency": currency,
        "scorecard_version": one.scorecard_version,
        "accounts": fit_digest_items(
            {
                "account_id": alert.account_id,
                "alert_id": alert.id,
                "what": pending_notification(alert),
            }
            | _values(alert)
            for alert in largest
        ),
        "link": f"/api/v1/alerts?rule={quote(one.rule_key, safe='')}",
    }
    return NewMessage("alert.digested", said)


def _said(alert: Alert, revenue: Mapping[str, int], currency: str) -> dict[str, Any]:
    cents = revenue.get(alert.account_id)
    return {
        "alert_id": alert.id,
        "rule": _rule(alert),
        "signal": alert.signal,
        "condition": alert.condition,
        "severity": alert.severity,
        "episode": alert.episode,
        **_values(alert),
        "threshold": alert.threshold,
        "direction": alert.direction,
        "drivers": alert.drivers,
        "scorecard_version": alert.scorecard_version,
        "model_version": alert.model_version,
        "revenue_at_risk_cents": cents,
        "currency": None if cents is None else currency,
        "opened_at": alert.opened_at,
        "owner": alert.assignee,
        "link": f"/api/v1/alerts/{alert.id}",
    }


def _values(alert: Alert) -> dict[str, Any]:
    """Say what the signal was and is: when the alert opened, or when it ended."""
    if alert.resolved_at is None:
        return {"previous": alert.previous, "current": alert.current}
    return {"previous": alert.current, "current": alert.last}


def _rule(alert: Alert) -> dict[str, Any]:
    return {"id": alert.rule_key, "name": alert.rule_name, "version": alert.rule_version}


def _change(alert: Alert, what: str) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "what": what,
        "rule": alert.rule_key,
        "severity": alert.severity,
        "episode": alert.episode,
        "previous": alert.previous,
        "current": alert.current,
    }
