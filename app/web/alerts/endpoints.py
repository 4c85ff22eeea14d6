"""The inbox of alerts and the acts on one or several of them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.alerts import actions, queries
from app.alerts.alert_list import load_alert_page
from app.alerts.rule_queries import load_active_rules
from app.alerts.schemas import AlertAssignmentIn, AlertFeedbackIn, AlertVerdict
from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import NotFoundError, UnprocessableError
from app.core.pagination import InvalidCursorError, Paging
from app.core.row_queries import list_all_rows
from app.members.tables import Member
from app.signals.signal import Severity
from app.web.alerts.inbox import PATH, SNOOZE_DAYS, STATES, Inbox
from app.web.frame.page_route import PageRoute
from app.web.frame.visits import SEE_OTHER, Acting, Viewing

PAGE_SIZE = 50
CHOSEN = "alert:"
"""A checkbox is named by this and the id of its alert."""
DONE = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "snooze": "snoozed",
    "resolve": "resolved",
    "rate": "rated",
}
"""The acts, and the names of the messages after them."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(PATH)
def show_alerts(visit: Viewing, session: ReadSessionDep) -> Response:
    """Show alerts, most money first; what is chosen is in the address."""
    inbox = Inbox.parse(visit.request.query_params)
    severity = inbox.severity if inbox.severity in list(Severity) else None
    try:
        page = load_alert_page(
            session,
            visit.workspace_id,
            Paging(PAGE_SIZE, inbox.cursor or None),
            state=inbox.state,
            where={
                "severity": severity,
                "rule_key": inbox.rule or None,
                "account_id": inbox.account or None,
            },
            owner=inbox.owner or None,
            now=visit.now,
        )
    except InvalidCursorError:  # of a list that was left an hour ago
        return RedirectResponse(inbox.url(), SEE_OTHER)
    rules = load_active_rules(session, visit.workspace_id)
    members = list_all_rows(session, visit.workspace_id, Member) if visit.may_act else []
    return visit.render(
        "alerts/alerts.html",
        __file__,
        inbox=inbox,
        page=page,
        states=STATES,
        severities=list(Severity)[::-1],
        rules={key: rule.name for key, (_, rule) in rules.items()},
        assignees=sorted(member.email for member in members),
        verdicts=list(AlertVerdict),
        snooze_days=SNOOZE_DAYS,
        chosen=CHOSEN,
    )


@router.post(PATH)
def act_on_alerts(visit: Acting, session: SessionDep) -> Response:
    """Act on the alert of a row, or on all that are chosen; those resolved by now are left out."""
    form = visit.form
    row_id = form.get("acknowledge")
    ids = {row_id} if row_id else {name[len(CHOSEN) :] for name in form if name.startswith(CHOSEN)}
    if not ids:
        raise UnprocessableError("No alert is chosen: go back and choose those that you mean.")
    name = "acknowledge" if row_id else form.get("act", "")
    act, values = _read_act(name, form, visit.now)
    alerts = queries.lock_alerts(session, visit.workspace_id, ids)
    if len(alerts) < len(ids):
        raise NotFoundError("alert", min(ids - {alert.id for alert in alerts}))
    is_open = [alert for alert in alerts if alert.resolved_at is None]
    for alert in alerts if name == "rate" else is_open or alerts:
        act(session, visit.actor, alert.id, **values)
    return visit.back(DONE[name], default=PATH)


def _read_act(
    name: str, form: Mapping[str, str], now: datetime
) -> tuple[Callable[..., None], Mapping[str, Any]]:
    """Return the function of an act and its values from the form."""
    match name:
        case "acknowledge":
            return actions.acknowledge, {}
        case "resolve":
            return actions.resolve, {}
        case "assign":
            body = AlertAssignmentIn(assignee=form.get("assignee") or None)
            return actions.assign, body.model_dump()
        case "snooze":
            days = form.get("days", "")
            until = now + timedelta(days=int(days)) if days in SNOOZE_DAYS else None
            return actions.snooze, {"until": until}
        case "rate" if form.get("verdict") in list(AlertVerdict):
            note = form.get("note", "").strip()[:500] or None
            return actions.give_feedback, AlertFeedbackIn(
                verdict=AlertVerdict(form["verdict"]), note=note
            ).model_dump()
    raise UnprocessableError("There is no such act: reload the page.")
