"""Alerts over HTTP: what is open, and what people do about it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from app.alerts import actions, alert_queries
from app.alerts.rule_endpoints import router as rules_router
from app.alerts.schemas import AlertAssignmentIn, AlertFeedbackIn, AlertOut, AlertSnoozeIn
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.signals.signal import Severity
from app.workspaces.auth import AccountIdFilter, AlertActor, Reader
from app.workspaces.service import Actor

alerts = APIRouter(
    prefix="/api/v1/alerts", tags=["alerts"], responses=problem_responses(401, 403, 404, 422)
)

AlertId = Annotated[str, Path(max_length=100, pattern=r"^[^\x00]*$")]
StateFilter = Annotated[
    Literal["active", "open", "acknowledged", "snoozed", "resolved", "all"],
    Query(description="`active`: all that are not resolved; `open`: those nobody has taken on."),
]
TextFilter = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]


@alerts.get("")
def list_alerts(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    state: StateFilter = "active",
    rule: Annotated[Id | None, Query(description="Its key.")] = None,
    severity: Severity | None = None,
    account_id: AccountIdFilter = None,
    assignee: TextFilter = None,
) -> Page[AlertOut]:
    """List alerts, the largest revenue at risk first."""
    said = {"rule_key": rule, "severity": severity, "account_id": account_id, "assignee": assignee}
    rows = alert_queries.list_alerts(
        session,
        caller.workspace_id,
        state=state,
        where={name: value for name, value in said.items() if value is not None},
        now=now,
        after=paging.after(int, str),
        limit=paging.fetch_limit,
    )
    return paging.page(
        rows,
        lambda found: AlertOut.of(found, now),
        lambda found: (found.revenue_at_risk_cents, found.alert.id),
    )


@alerts.get("/{alert_id}")
def get_alert(alert_id: AlertId, session: ReadSessionDep, caller: Reader, now: Now) -> AlertOut:
    """Show an alert."""
    return AlertOut.of(alert_queries.get_alert(session, caller.workspace_id, alert_id), now)


def _shown(session: SessionDep, change: Actor, alert_id: str) -> AlertOut:
    return AlertOut.of(alert_queries.get_alert(session, change.workspace_id, alert_id), change.at)


@alerts.post("/{alert_id}/acknowledge", responses=problem_responses(409))
def acknowledge_alert(alert_id: AlertId, session: SessionDep, change: AlertActor) -> AlertOut:
    """Take an alert on."""
    actions.acknowledge(session, change, alert_id)
    return _shown(session, change, alert_id)


@alerts.post("/{alert_id}/assign", responses=problem_responses(400, 409))
def assign_alert(
    alert_id: AlertId, body: AlertAssignmentIn, session: SessionDep, change: AlertActor
) -> AlertOut:
    """Say who is to look after it."""
    actions.assign(session, change, alert_id, body.assignee)
    return _shown(session, change, alert_id)


@alerts.post("/{alert_id}/snooze", responses=problem_responses(400, 409))
def snooze_alert(
    alert_id: AlertId, body: AlertSnoozeIn, session: SessionDep, change: AlertActor
) -> AlertOut:
    """Tell nobody of it until a moment. It is evaluated all the same."""
    actions.snooze(session, change, alert_id, body.until)
    return _shown(session, change, alert_id)


@alerts.post("/{alert_id}/resolve", responses=problem_responses(409))
def resolve_alert(alert_id: AlertId, session: SessionDep, change: AlertActor) -> AlertOut:
    """End an alert by hand; the rule opens again only after the breach was really over."""
    actions.resolve(session, change, alert_id)
    return _shown(session, change, alert_id)


@alerts.post("/{alert_id}/feedback", responses=problem_responses(400))
def give_alert_feedback(
    alert_id: AlertId, body: AlertFeedbackIn, session: SessionDep, change: AlertActor
) -> AlertOut:
    """Say whether it was right; this is what the statistics of its rule count."""
    actions.give_feedback(session, change, alert_id, body.verdict, body.note)
    return _shown(session, change, alert_id)


router = APIRouter()
router.include_router(alerts)
router.include_router(rules_router)
