"""Routes of alerts and of alert rules: versions, preview, backtest and statistics."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from app.alerts import actions, backtest, queries, rule_queries, rule_service
from app.alerts.alert_list import load_alert_page
from app.alerts.schemas import (
    AlertAssignmentIn,
    AlertFeedbackIn,
    AlertOut,
    AlertRuleBacktestIn,
    AlertRuleBacktestOut,
    AlertRuleIn,
    AlertRuleOut,
    AlertRulePreviewOut,
    AlertRuleStatsOut,
    AlertRuleVersionOut,
    AlertSnoozeIn,
)
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, Id, problem_responses
from app.signals.signal import Severity
from app.workspaces.auth import AccountIdFilter, AlertActor, Reader
from app.workspaces.idempotency import IdempotentRoute
from app.workspaces.service import Actor

alerts = APIRouter(
    prefix="/api/v1/alerts",
    tags=["alerts"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=IdempotentRoute,
)
rules = APIRouter(
    prefix="/api/v1/alert-rules",
    tags=["alert rules"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)

AlertId = Annotated[
    str, Path(max_length=100, pattern=NO_NUL, examples=["alr_019d0a5f9c00a1b2c3d4e5f6"])
]
StateFilter = Annotated[
    Literal["active", "open", "acknowledged", "snoozed", "resolved", "all"],
    Query(description="`active`: not resolved; `open`: not resolved and not acknowledged."),
]
TextFilter = Annotated[
    str | None, Query(max_length=255, pattern=NO_NUL, examples=["kim@example.com"])
]
OwnerFilter = Annotated[
    str | None,
    Query(
        description="Only alerts of accounts of this owner, and alerts assigned to them.",
        max_length=255,
        pattern=NO_NUL,
        examples=["kim@example.com"],
    ),
]


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
    owner: OwnerFilter = None,
) -> Page[AlertOut]:
    """List alerts, the largest revenue at risk first. The filters are combined with AND."""
    where = {"rule_key": rule, "severity": severity, "account_id": account_id, "assignee": assignee}
    return load_alert_page(
        session, caller.workspace_id, paging, state=state, where=where, owner=owner, now=now
    )


@alerts.get("/{alert_id}", summary="Get an alert")
def get_alert(alert_id: AlertId, session: ReadSessionDep, caller: Reader, now: Now) -> AlertOut:
    """Return an alert, open or resolved."""
    return AlertOut.from_listed(queries.get_alert(session, caller.workspace_id, alert_id), now)


def _load(session: SessionDep, actor: Actor, alert_id: str) -> AlertOut:
    listed = queries.get_alert(session, actor.workspace_id, alert_id)
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


@rules.get("", summary="List alert rules")
def list_alert_rules(session: ReadSessionDep, caller: Reader) -> Page[AlertRuleOut]:
    """List all active rules by key, including the built-in ones. There are at most 100."""
    rules = rule_queries.load_active_rules(session, caller.workspace_id)
    items = [
        AlertRuleOut.from_version(key, version, rule) for key, (version, rule) in rules.items()
    ]
    return Page(items=items, next_cursor=None)


@rules.post("/preview", summary="Preview an alert rule")
def preview_alert_rule(
    body: AlertRuleIn, session: ReadSessionDep, caller: Reader, now: Now
) -> AlertRulePreviewOut:
    """Count the accounts that a rule covers and how many breach it now. Nothing is stored."""
    rule_service.check(session, caller.workspace_id, body)
    return rule_service.preview(session, caller.workspace_id, body, now=now)


@rules.get("/{key}", summary="Get an alert rule")
def get_alert_rule(key: Id, session: ReadSessionDep, caller: Reader) -> AlertRuleOut:
    """Return the active version of a rule."""
    return AlertRuleOut.from_version(key, *rule_service.get(session, caller.workspace_id, key))


@rules.put("/{key}", responses=problem_responses(409), summary="Put an alert rule")
def put_alert_rule(
    key: Id, body: AlertRuleIn, session: SessionDep, actor: AlertActor
) -> AlertRuleOut:
    """Create a rule or activate a new version of it. Every account is evaluated again.

    Sending the active configuration again changes nothing.
    """
    return AlertRuleOut.from_version(key, *rule_service.put(session, actor, key, body))


@rules.delete(
    "/{key}", status_code=204, responses=problem_responses(409), summary="Delete an alert rule"
)
def delete_alert_rule(key: Id, session: SessionDep, actor: AlertActor) -> None:
    """Deactivate a rule and resolve its open alerts. Versions and alerts stay readable.

    A built-in rule cannot be deleted, only disabled.
    """
    rule_service.delete(session, actor, key)


@rules.get("/{key}/versions", summary="List the versions of an alert rule")
def list_alert_rule_versions(
    key: Id, session: ReadSessionDep, caller: Reader
) -> Page[AlertRuleVersionOut]:
    """List the stored versions of a rule, newest first."""
    rows = rule_queries.list_versions(session, caller.workspace_id, key)
    if not rows:
        rule_service.get(session, caller.workspace_id, key)
    items = [AlertRuleVersionOut.from_version_row(row) for row in rows]
    return Page(items=items, next_cursor=None)


@rules.get("/{key}/stats", summary="Get the statistics of an alert rule")
def get_alert_rule_stats(key: Id, session: ReadSessionDep, caller: Reader) -> AlertRuleStatsOut:
    """Count the alerts of a rule by state and by feedback."""
    rule_service.get(session, caller.workspace_id, key)
    stats = rule_queries.load_rule_stats(session, caller.workspace_id, key)
    return AlertRuleStatsOut.from_counts(stats)


@rules.post("/{key}/backtest", summary="Backtest an alert rule")
def backtest_alert_rule(
    key: Id, body: AlertRuleBacktestIn, session: ReadSessionDep, caller: Reader, now: Now
) -> AlertRuleBacktestOut:
    """Evaluate a rule on past days with the scores as they were written. Nothing is stored."""
    _, rule = rule_service.get(session, caller.workspace_id, key)
    return backtest.backtest_rule(session, caller.workspace_id, rule, days=body.days, now=now)


routers = (alerts, rules)
