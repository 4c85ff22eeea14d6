"""Routes of alert rules: versions, preview, backtest and statistics."""

from fastapi import APIRouter

from app.alerts import alert_queries, backtest, preview, rule_queries, rule_service
from app.alerts.schemas import (
    AlertRuleBacktestIn,
    AlertRuleBacktestOut,
    AlertRuleIn,
    AlertRuleOut,
    AlertRulePreviewOut,
    AlertRuleStatsOut,
    AlertRuleVersionOut,
)
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page
from app.core.schemas import Id, problem_responses
from app.workspaces.auth import AlertActor, Reader

router = APIRouter(
    prefix="/api/v1/alert-rules",
    tags=["alert rules"],
    responses=problem_responses(400, 401, 403, 404, 422),
)


@router.get("", summary="List alert rules")
def list_alert_rules(session: ReadSessionDep, caller: Reader) -> Page[AlertRuleOut]:
    """List all active rules by key, including the built-in ones. There are at most 100."""
    rules = rule_queries.load_active_rules(session, caller.workspace_id)
    items = [
        AlertRuleOut.from_version(key, version, rule) for key, (version, rule) in rules.items()
    ]
    return Page(items=items, next_cursor=None)


@router.post("/preview", summary="Preview an alert rule")
def preview_alert_rule(
    body: AlertRuleIn, session: ReadSessionDep, caller: Reader, now: Now
) -> AlertRulePreviewOut:
    """Count the accounts that a rule covers and how many breach it now. Nothing is stored."""
    rule_service.check(session, caller.workspace_id, body)
    return AlertRulePreviewOut.model_validate(
        preview.preview_rule(session, caller.workspace_id, body, now=now)
    )


@router.get("/{key}", summary="Get an alert rule")
def get_alert_rule(key: Id, session: ReadSessionDep, caller: Reader) -> AlertRuleOut:
    """Return the active version of a rule."""
    return AlertRuleOut.from_version(key, *rule_service.get(session, caller.workspace_id, key))


@router.put("/{key}", responses=problem_responses(409), summary="Put an alert rule")
def put_alert_rule(
    key: Id, body: AlertRuleIn, session: SessionDep, actor: AlertActor
) -> AlertRuleOut:
    """Create a rule or activate a new version of it. Every account is evaluated again.

    Sending the active configuration again changes nothing.
    """
    return AlertRuleOut.from_version(key, *rule_service.put(session, actor, key, body))


@router.delete(
    "/{key}", status_code=204, responses=problem_responses(409), summary="Delete an alert rule"
)
def delete_alert_rule(key: Id, session: SessionDep, actor: AlertActor) -> None:
    """Deactivate a rule and resolve its open alerts. Versions and alerts stay readable.

    A built-in rule cannot be deleted, only disabled.
    """
    rule_service.delete(session, actor, key)


@router.get("/{key}/versions", summary="List the versions of an alert rule")
def list_alert_rule_versions(
    key: Id, session: ReadSessionDep, caller: Reader
) -> Page[AlertRuleVersionOut]:
    """List the stored versions of a rule, newest first."""
    rows = rule_queries.list_versions(session, caller.workspace_id, key)
    if not rows:
        rule_service.get(session, caller.workspace_id, key)
    items = [AlertRuleVersionOut.from_version_row(row) for row in rows]
    return Page(items=items, next_cursor=None)


@router.get("/{key}/stats", summary="Get the statistics of an alert rule")
def get_alert_rule_stats(key: Id, session: ReadSessionDep, caller: Reader) -> AlertRuleStatsOut:
    """Count the alerts of a rule by state and by feedback."""
    rule_service.get(session, caller.workspace_id, key)
    stats = alert_queries.load_rule_stats(session, caller.workspace_id, key)
    return AlertRuleStatsOut.model_validate(stats)


@router.post("/{key}/backtest", summary="Backtest an alert rule")
def backtest_alert_rule(
    key: Id, body: AlertRuleBacktestIn, session: ReadSessionDep, caller: Reader, now: Now
) -> AlertRuleBacktestOut:
    """Evaluate a rule on past days with the scores as they were written. Nothing is stored."""
    _, rule = rule_service.get(session, caller.workspace_id, key)
    result = backtest.backtest_rule(session, caller.workspace_id, rule, days=body.days, now=now)
    return AlertRuleBacktestOut.model_validate(result)
