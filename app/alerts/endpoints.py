"""Routes of alerts: list them, and act on one."""

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
    Query(description="`active`: not resolved; `open`: not resolved and not acknowledged."),
]
TextFilter = Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")]


@alerts.get("", summary="List alerts")
def list_alerts(
    session: ReadSessionDep,
    caller: Reader,
    now: Now,
    paging: PagingDep,
    state: StateFilter = "active",
    rule: Annotated[Id | None, Query(description="The key of a rule.")] = None,
    severity: Severity | None = None,
    account_id: AccountIdFilter = None,
    assignee: TextFilter = None,
) -> Page[AlertOut]:
    """List alerts, the largest revenue at risk first. The filters are combined with AND."""
    filters = {
        "rule_key": rule,
        "severity": severity,
        "account_id": account_id,
        "assignee": assignee,
    }
    rows = alert_queries.list_alerts(
        session,
        caller.workspace_id,
        state=state,
        where={name: value for name, value in filters.items() if value is not None},
        now=now,
        after=paging.position(int, str),
        limit=paging.fetch_limit,
    )
    return paging.page(
        rows,
        lambda listed: AlertOut.from_listed(listed, now),
        lambda listed: (listed.revenue_at_risk_cents, listed.alert.id),
    )


@alerts.get("/{alert_id}", summary="Get an alert")
def get_alert(alert_id: AlertId, session: ReadSessionDep, caller: Reader, now: Now) -> AlertOut:
    """Return an alert, open or resolved."""
    return AlertOut.from_listed(
        alert_queries.get_alert(session, caller.workspace_id, alert_id), now
    )


def _load(session: SessionDep, actor: Actor, alert_id: str) -> AlertOut:
    listed = alert_queries.get_alert(session, actor.workspace_id, alert_id)
    return AlertOut.from_listed(listed, actor.at)


@alerts.post(
    "/{alert_id}/acknowledge", responses=problem_responses(409), summary="Acknowledge an alert"
)
def acknowledge_alert(alert_id: AlertId, session: SessionDep, actor: AlertActor) -> AlertOut:
    """Acknowledge an open alert and send `alert.acknowledged`. Repeating it changes nothing."""
    actions.acknowledge(session, actor, alert_id)
    return _load(session, actor, alert_id)


@alerts.post("/{alert_id}/assign", responses=problem_responses(400, 409), summary="Assign an alert")
def assign_alert(
    alert_id: AlertId, body: AlertAssignmentIn, session: SessionDep, actor: AlertActor
) -> AlertOut:
    """Set or remove the person responsible for an open alert."""
    actions.assign(session, actor, alert_id, body.assignee)
    return _load(session, actor, alert_id)


@alerts.post("/{alert_id}/snooze", responses=problem_responses(400, 409), summary="Snooze an alert")
def snooze_alert(
    alert_id: AlertId, body: AlertSnoozeIn, session: SessionDep, actor: AlertActor
) -> AlertOut:
    """Hold the notifications of an open alert back until a time, or end the snooze.

    The rule is still evaluated.
    """
    actions.snooze(session, actor, alert_id, body.until)
    return _load(session, actor, alert_id)


@alerts.post("/{alert_id}/resolve", responses=problem_responses(409), summary="Resolve an alert")
def resolve_alert(alert_id: AlertId, session: SessionDep, actor: AlertActor) -> AlertOut:
    """Resolve an alert manually. The rule opens a new alert only after the breach was over."""
    actions.resolve(session, actor, alert_id)
    return _load(session, actor, alert_id)


@alerts.post(
    "/{alert_id}/feedback", responses=problem_responses(400), summary="Give feedback on an alert"
)
def give_alert_feedback(
    alert_id: AlertId, body: AlertFeedbackIn, session: SessionDep, actor: AlertActor
) -> AlertOut:
    """Store whether the alert was right. The statistics of its rule count the last feedback."""
    actions.give_feedback(session, actor, alert_id, body.verdict, body.note)
    return _load(session, actor, alert_id)


router = APIRouter()
router.include_router(alerts)
router.include_router(rules_router)
