"""Alert rules over HTTP: kept in versions, tried before they hold, judged by their feedback."""

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


@router.get("")
def list_alert_rules(session: ReadSessionDep, caller: Reader) -> Page[AlertRuleOut]:
    """List all rules by key, the built-in ones among them. There are a hundred at most."""
    found = rule_queries.load_active_rules(session, caller.workspace_id)
    items = [AlertRuleOut.of(key, version, rule) for key, (version, rule) in found.items()]
    return Page(items=items, next_cursor=None)


@router.post("/preview")
def preview_alert_rule(
    body: AlertRuleIn, session: ReadSessionDep, caller: Reader, now: Now
) -> AlertRulePreviewOut:
    """Say how many accounts a rule is about, and how many breach it now. It changes nothing."""
    rule_service.check(session, caller.workspace_id, body)
    return AlertRulePreviewOut.model_validate(
        preview.preview_rule(session, caller.workspace_id, body, now=now)
    )


@router.get("/{key}")
def get_alert_rule(key: Id, session: ReadSessionDep, caller: Reader) -> AlertRuleOut:
    """Show a rule in the version that holds."""
    return AlertRuleOut.of(key, *rule_service.get(session, caller.workspace_id, key))


@router.put("/{key}", responses=problem_responses(409))
def put_alert_rule(
    key: Id, body: AlertRuleIn, session: SessionDep, change: AlertActor
) -> AlertRuleOut:
    """Create a rule, or let a new version of it hold. Every account is evaluated again."""
    return AlertRuleOut.of(key, *rule_service.put(session, change, key, body))


@router.delete("/{key}", status_code=204, responses=problem_responses(409))
def delete_alert_rule(key: Id, session: SessionDep, change: AlertActor) -> None:
    """Let a rule hold no more. Its open alerts are resolved; all stay to be read."""
    rule_service.delete(session, change, key)


@router.get("/{key}/versions")
def list_alert_rule_versions(
    key: Id, session: ReadSessionDep, caller: Reader
) -> Page[AlertRuleVersionOut]:
    """List the versions that were stored of a rule, newest first."""
    rows = rule_queries.list_versions(session, caller.workspace_id, key)
    if not rows:
        rule_service.get(session, caller.workspace_id, key)
    return Page(items=[AlertRuleVersionOut.of(row) for row in rows], next_cursor=None)


@router.get("/{key}/stats")
def get_alert_rule_stats(key: Id, session: ReadSessionDep, caller: Reader) -> AlertRuleStatsOut:
    """Count what a rule has opened, and how often people said that it was wrong."""
    rule_service.get(session, caller.workspace_id, key)
    found = alert_queries.load_rule_stats(session, caller.workspace_id, key)
    return AlertRuleStatsOut.model_validate(found)


@router.post("/{key}/backtest")
def backtest_alert_rule(
    key: Id, body: AlertRuleBacktestIn, session: ReadSessionDep, caller: Reader, now: Now
) -> AlertRuleBacktestOut:
    """Say what a rule would have done in the last days. It changes nothing."""
    _, rule = rule_service.get(session, caller.workspace_id, key)
    found = backtest.backtest_rule(session, caller.workspace_id, rule, days=body.days, now=now)
    return AlertRuleBacktestOut.model_validate(found)
